/**
 * A devnet's folder in which one table is of another moment than the rest. Either the start refuses
 * it, naming table and key, or `pyde db check` does, or nothing that was seen is lost: then the table
 * holds nothing that the others do not.
 *
 * `npm test` runs a sample of the tables; PYDE_TEST_DAMAGE=full runs all.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreWrite } from '@pyde/core/platform';
import { TABLE } from '@pyde/core/state';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYNCED_KEY } from '../../store/high-water.ts';
import { LevelStore } from '../../store/level-store.ts';
import { auditFolder, auditNode } from './audit.ts';
import { ChainProcess, freePort, LoadProcess, readJournal, type Told } from './chain-process.ts';
import { Dice } from './dice.ts';

const PYDE = join(import.meta.dirname, '../../../../apps/node/bin/pyde.js');
const FULL = process.env['PYDE_TEST_DAMAGE'] === 'full';
const SAMPLE = 3;
const LOAD_MS = 1200;

const home = mkdtempSync(join(tmpdir(), 'pyde-mixed-'));
const dice = Dice.ofThisRun('mixed tables');
const early = join(home, 'early');
const late = join(home, 'late');
let port = 0;
let toldEarly: Told;
let told: Told;
afterAll(() => rmSync(home, { recursive: true, force: true }));

beforeAll(async () => {
  port = await freePort();
  const journal = join(home, 'journal');
  let chain = new ChainProcess(late, port);
  await chain.mustBeReady();
  const load = new LoadProcess(port, journal);
  await sleep(LOAD_MS);
  await chain.kill();
  cpSync(late, early, { recursive: true });
  toldEarly = readJournal(journal);
  chain = new ChainProcess(late, port);
  await chain.mustBeReady();
  await sleep(LOAD_MS);
  await chain.kill();
  told = load.told();
  await load.stop();
  expect(told.receipts.size).toBeGreaterThan(toldEarly.receipts.size);
});

type Rows = readonly (readonly [key: Uint8Array, value: Uint8Array])[];

async function rowsOf(folder: string, prefix: number): Promise<Rows> {
  const copy = join(home, 'read');
  cpSync(folder, copy, { recursive: true });
  const store = await LevelStore.open(join(copy, 'db'));
  const rows: (readonly [Uint8Array, Uint8Array])[] = [];
  for await (const [key, value] of store.range({ prefix: Uint8Array.of(prefix) })) {
    rows.push([key.slice(), value.slice()]);
  }
  await store.close();
  rmSync(copy, { recursive: true });
  return rows;
}

/** Makes a table what `rows` are; the count of synced writes stays the folder's own. */
async function replaceTable(folder: string, prefix: number, rows: Rows): Promise<void> {
  const store = await LevelStore.open(join(folder, 'db'));
  const isCount = (key: Uint8Array) => Buffer.compare(key, SYNCED_KEY) === 0;
  const writes: StoreWrite[] = [];
  for await (const [key] of store.range({ prefix: Uint8Array.of(prefix) })) {
    if (!isCount(key)) writes.push({ kind: 'delete', key: key.slice() });
  }
  for (const [key, value] of rows) {
    if (!isCount(key)) writes.push({ kind: 'put', key, value });
  }
  await store.batch(writes, { sync: true });
  await store.close();
}

function dbCheck(folder: string): Promise<{ readonly code: number; readonly stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PYDE, 'db', 'check', folder], (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout });
    });
  });
}

describe('a table of another moment', () => {
  it.each([
    ['older', 'early', 'late'],
    ['newer', 'late', 'early'],
  ] as const)(
    'that is %s than the rest is named with its key, or costs nothing',
    async (age, from, into) => {
      const outcomes: string[] = [];
      const failures: string[] = [];
      for (const [name, prefix] of shuffledTables()) {
        if (!FULL && outcomes.length + failures.length === SAMPLE) break;
        const rows = await rowsOf(join(home, from), prefix);
        const others = await rowsOf(join(home, into), prefix);
        // A devnet does not write every table, and some only after a while.
        if (rows.length === 0 && others.length === 0) continue;
        const folder = join(home, 'case');
        rmSync(folder, { recursive: true, force: true });
        cpSync(join(home, into), folder, { recursive: true });
        await replaceTable(folder, prefix, rows);
        try {
          outcomes.push(
            `${name} ${age}: ${await survive(folder, into === 'late' ? told : toldEarly)}`,
          );
        } catch (error) {
          failures.push(`${name} ${age}: ${error instanceof Error ? error.message : error}`);
        }
      }
      if (FULL) console.log(outcomes.join('\n'));
      expect(failures).toEqual([]);
      expect(outcomes.length).toBeGreaterThanOrEqual(FULL ? 12 : SAMPLE);
    },
    180_000,
  );
});

function shuffledTables(): readonly (readonly [string, number])[] {
  const left = Object.entries(TABLE);
  return Array.from(Object.entries(TABLE), () => left.splice(dice.below(left.length), 1)).flat();
}

/** @returns how it went, in words */
async function survive(folder: string, seen: Told): Promise<string> {
  const checked = await dbCheck(folder);
  const named = /DAMAGED .* (?:record|vertex|batch) .*table (\w+)/.exec(checked.stdout)?.[1];
  if (checked.code !== 0) {
    expect(named, checked.stdout).toBeDefined();
    expect(checked.stdout).toMatch(/Put back a whole copy of the folder, or start again/);
  }
  const chain = new ChainProcess(folder, port);
  if (await chain.ready()) {
    if (named !== undefined) {
      await chain.kill();
      return `db check names table ${named}`;
    }
    await auditNode(chain, seen, dice);
    await chain.kill();
    await auditFolder(folder, seen, false);
    return 'costs nothing';
  }
  const { code, stderr } = await chain.ended();
  expect([1, 2], stderr).toContain(code);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).toMatch(/(?:record|vertex|batch|version) .*table (\w+)/);
  expect(stderr).toMatch(/from an empty (one|folder)/);
  return `refused at the start: ${/ \[ERROR\] ([\w.-]+)/.exec(stderr)?.[1]}`;
}

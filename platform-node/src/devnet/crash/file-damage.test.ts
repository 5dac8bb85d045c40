/**
 * A stopped devnet's folder with one file cut, flipped, emptied or gone, then the real process on it.
 * It comes up at a committed wave with every receipt that was seen, or it refuses: with the file's
 * name, the way out, an exit code, and nothing changed.
 *
 * `npm test` runs a sample of the cases; PYDE_TEST_DAMAGE=full runs all.
 */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditFolder, auditNode } from './audit.ts';
import { ChainProcess, freePort, LoadProcess, type Told } from './chain-process.ts';
import { Dice } from './dice.ts';

const FULL = process.env['PYDE_TEST_DAMAGE'] === 'full';
const SAMPLE = 8;
const FLIPS = 4;
const LOAD_MS = 1500;

const home = mkdtempSync(join(tmpdir(), 'pyde-damage-'));
const dice = Dice.ofThisRun('file damage');
let port = 0;
/** Killed at work: much of it lies in the log. */
const killed = join(home, 'killed');
/** Stopped in order and started once more: all of it lies in tables. */
const settled = join(home, 'settled');
let told: Told;
afterAll(() => rmSync(home, { recursive: true, force: true }));

beforeAll(async () => {
  port = await freePort();
  let chain = new ChainProcess(killed, port);
  await chain.mustBeReady();
  const load = new LoadProcess(port, join(home, 'journal'));
  await sleep(LOAD_MS);
  // Twice, so that tables and log both hold receipts.
  await chain.kill();
  chain = new ChainProcess(killed, port);
  await chain.mustBeReady();
  await sleep(LOAD_MS);
  await chain.kill();
  told = load.told();
  await load.stop();
  expect(told.receipts.size).toBeGreaterThan(20);
  cpSync(killed, settled, { recursive: true });
  chain = new ChainProcess(settled, port);
  await chain.mustBeReady();
  await auditNode(chain, told, dice);
  await chain.signal('SIGTERM');
});

type Harm = 'torn' | 'torn by a byte' | 'flipped' | 'missing' | 'empty';

interface Case {
  readonly base: 'killed' | 'settled';
  readonly file: string;
  readonly harm: Harm;
  /** 0 … 1, where in the file. */
  readonly at: number;
}

const KINDS: readonly RegExp[] = [
  /^db\/\d+\.ldb$/,
  /^db\/\d+\.log$/,
  /^db\/MANIFEST-\d+$/,
  /^db\/CURRENT$/,
  /^db\/LOCK$/,
  /^db\/high-water$/,
  /^genesis\.borsh$/,
];

/** File names differ from run to run, so the cases are made of what is there. */
function cases(): Case[] {
  const all: Case[] = [];
  for (const base of ['killed', 'settled'] as const) {
    for (const file of filesOf(join(home, base))) {
      if (!KINDS.some((kind) => kind.test(file))) continue;
      const harms: Harm[] = ['missing', 'empty', 'torn by a byte', 'torn', 'torn'];
      for (let i = 0; i < FLIPS; i++) harms.push('flipped');
      const isEmpty = statSync(join(home, base, file)).size === 0;
      for (const harm of isEmpty ? (['missing'] as const) : harms) {
        all.push({ base, file, harm, at: dice.below(2 ** 32) / 2 ** 32 });
      }
    }
  }
  return all;
}

function filesOf(folder: string): string[] {
  return ['', 'db/'].flatMap((below) =>
    readdirSync(join(folder, below), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => `${below}${name}`),
  );
}

function harm(folder: string, { file, harm: what, at }: Case): void {
  const path = join(folder, file);
  const { size } = statSync(path);
  if (what === 'missing') rmSync(path);
  else if (what === 'empty') truncateSync(path, 0);
  else if (what === 'torn by a byte') truncateSync(path, size - 1);
  else if (what === 'torn') truncateSync(path, Math.floor(size * at));
  else {
    const bytes = readFileSync(path);
    const position = Math.floor(size * at);
    bytes[position] = (bytes[position] ?? 0) ^ (1 << dice.below(8));
    writeFileSync(path, bytes);
  }
}

/** Every byte that counts; LevelDB's own account of what it does is none. */
function contents(folder: string): Map<string, Buffer> {
  const names = filesOf(folder).filter((name) => !/^db\/(LOG|LOG\.old|LOCK)$/.test(name));
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name))]));
}

/** @returns how it went, in a word */
async function survive(test: Case): Promise<string> {
  const folder = join(home, 'case');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(home, test.base), folder, { recursive: true });
  harm(folder, test);
  const before = contents(folder);
  const chain = new ChainProcess(folder, port);
  if (await chain.ready()) {
    await auditNode(chain, told, dice);
    await chain.kill();
    await auditFolder(folder, told, false);
    return 'came up';
  }
  const { code, stderr } = await chain.ended();
  expect(code, stderr).toBe(2);
  expect(stderr).toMatch(/^otigen \[ERROR\] store\.(damaged|behind): /m);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).toContain(test.file.slice('db/'.length));
  expect(stderr).toMatch(/put back a whole copy of the folder, or start from an empty one/);
  const after = contents(folder);
  expect([...after.keys()]).toEqual([...before.keys()]);
  for (const [name, bytes] of after) expect(before.get(name)?.equals(bytes), name).toBe(true);
  return 'refused';
}

describe('a damaged file', () => {
  it('is refused by name, or costs nothing that was seen', async () => {
    const all = cases();
    for (const kind of KINDS) expect(all.some(({ file }) => kind.test(file))).toBe(true);
    const chosen = FULL ? all : sample(all);
    const outcomes = new Map<string, number>();
    const failures: string[] = [];
    for (const test of chosen) {
      const name = `${test.base}/${test.file} ${test.harm} at ${test.at.toFixed(4)}`;
      try {
        const outcome = await survive(test);
        const row = `${test.file.replace(/\d+/, 'N')} ${test.harm}: ${outcome}`;
        outcomes.set(row, (outcomes.get(row) ?? 0) + 1);
      } catch (error) {
        failures.push(`${name}: ${error instanceof Error ? error.message : error}`);
        console.log(failures.at(-1));
      }
    }
    if (FULL) {
      const rows = [...outcomes].sort().map(([row, count]) => `  ${row} × ${count}`);
      console.log(`${chosen.length} cases\n${rows.join('\n')}`);
    }
    expect(failures).toEqual([]);
  }, 1_800_000);
});

function sample(all: readonly Case[]): Case[] {
  const left = [...all];
  return Array.from({ length: SAMPLE }, () => left.splice(dice.below(left.length), 1)).flat();
}

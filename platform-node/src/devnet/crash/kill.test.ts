/**
 * A devnet of one chain, killed again and again under the load of another process, at moments that a
 * seed repeats: while it works, while it starts, while it stops. After each death a copy of the
 * folder is audited, then the node that goes on.
 *
 * `npm test -- crash` runs a handful; PYDE_TEST_KILLS=50 says how many.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '@pyde/core/bytes';
import { afterAll, describe, expect, it } from 'vitest';
import { devnetAccounts } from '../devnet-keys.ts';
import { auditFolder, auditNode } from './audit.ts';
import { ChainProcess, freePort, LoadProcess, until } from './chain-process.ts';
import { Dice } from './dice.ts';

const KILLS = Number(process.env['PYDE_TEST_KILLS'] ?? 6);
const MOST_LOAD_MS = 800;
/** A start takes about 600 ms on two cores. */
const MOST_START_MS = 900;
const MOST_STOP_MS = 120;

const home = mkdtempSync(join(tmpdir(), 'pyde-kill-'));
const folder = join(home, 'state');
let chain: ChainProcess | undefined;
let load: LoadProcess | undefined;
afterAll(async () => {
  await load?.stop();
  await chain?.kill();
  rmSync(home, { recursive: true, force: true });
});

const MOMENTS = ['at work', 'starting', 'stopping', 'at work', 'stopped in order'] as const;

describe('a devnet that is killed', () => {
  it('keeps every receipt it showed, runs all it acknowledged, and goes on', async () => {
    const dice = Dice.ofThisRun('kills');
    const port = await freePort();
    chain = new ChainProcess(folder, port);
    await chain.mustBeReady();
    load = new LoadProcess(port, join(home, 'journal'));
    const deaths = new Map<string, number>();
    const restartsMs: number[] = [];
    for (let i = 0; i < KILLS; i++) {
      const moment = MOMENTS[i % MOMENTS.length] ?? 'at work';
      if (moment !== 'starting') {
        const before = load.told().receipts.size;
        const { receipts } = await loadGoesOn(load, before);
        expect(receipts.size).toBeGreaterThan(before);
      }
      await die(chain, moment, dice);
      deaths.set(moment, (deaths.get(moment) ?? 0) + 1);
      await auditFolder(folder, load.told(), false);
      const started = performance.now();
      chain = new ChainProcess(folder, port);
      if (MOMENTS[(i + 1) % MOMENTS.length] === 'starting' && i + 1 < KILLS) continue;
      await chain.mustBeReady();
      restartsMs.push(performance.now() - started);
      await auditNode(chain, load.told(), dice);
    }
    await chain.mustBeReady();
    const { client } = chain;
    await load.stop();
    const acknowledged = [...load.told().acknowledged];
    for (const hash of acknowledged) {
      await until(`the receipt of ${hash}, which was acknowledged`, async () => {
        return (await client.call('pyde_getTransactionReceipt', [hash])) !== null;
      });
    }
    const receiver = devnetAccounts(1)[0];
    const balance = BigInt(
      String(await client.call('pyde_getBalance', [toHex(receiver?.address ?? new Uint8Array())])),
    );
    // The last transfer of each of the four may have been taken in without the answer arriving.
    const paid = balance - 10n ** 16n - BigInt(acknowledged.length);
    expect(Number(paid)).toBeGreaterThanOrEqual(0);
    expect(Number(paid)).toBeLessThanOrEqual(4);
    expect(acknowledged.length).toBeGreaterThan(10 * KILLS);
    restartsMs.sort((a, b) => a - b);
    console.log(
      `${KILLS} deaths (${[...deaths].map(([what, n]) => `${n} ${what}`).join(', ')}), ` +
        `${acknowledged.length} transactions acknowledged, none lost; restart to ready: median ` +
        `${restartsMs[restartsMs.length >> 1]?.toFixed(0)} ms, most ${restartsMs.at(-1)?.toFixed(0)} ms`,
    );
  }, 900_000);
});

async function loadGoesOn(client: LoadProcess, before: number) {
  await until('a receipt seen', async () => client.told().receipts.size > before);
  return client.told();
}

async function die(
  running: ChainProcess,
  moment: (typeof MOMENTS)[number],
  dice: Dice,
): Promise<void> {
  switch (moment) {
    case 'at work':
      await sleep(dice.below(MOST_LOAD_MS));
      await running.kill();
      return;
    case 'starting':
      await sleep(dice.below(MOST_START_MS));
      await running.kill();
      return;
    case 'stopping': {
      await sleep(dice.below(MOST_LOAD_MS));
      void running.signal('SIGTERM');
      await sleep(dice.below(MOST_STOP_MS));
      await running.kill();
      return;
    }
    case 'stopped in order': {
      await sleep(dice.below(MOST_LOAD_MS));
      const asked = performance.now();
      expect(await running.signal('SIGTERM')).toMatchObject({ code: 0, signal: null });
      expect(performance.now() - asked).toBeLessThan(5_000);
      return;
    }
    default:
      moment satisfies never;
  }
}

/**
 * Half an hour of 300 transfers a second through four validators, and what their memory did: at the
 * end against minute 5. `PYDE_BENCH_MINUTES` sets another length, of which the first sixth is minute 5.
 * Readings are medians over a minute each, or over as much of a shorter run. Linux only.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../bench.ts';
import { pace, TransferPlan } from './localnet-load.ts';
import { BenchLocalnet, localnetKeys } from './localnet-net.ts';
import { median } from './rate.ts';

const VALIDATORS = 4;
const SENDERS = 256;
const RATE = 300;
const MINUTES = Number(process.env['PYDE_BENCH_MINUTES'] ?? 30);
const EARLY_PART = 1 / 6;
/** Of the whole time, at each of the two readings. */
const READING_PART = 1 / 30;
const READINGS = 30;

export async function run(): Promise<Row[]> {
  const keys = localnetKeys(SENDERS);
  const plan = new TransferPlan(keys, 0);
  const net = await BenchLocalnet.start(VALIDATORS, keys);
  let isDone = false;
  try {
    const totalMs = MINUTES * 60_000;
    const beganMs = performance.now();
    const loading = pace(plan, net.clients, RATE, totalMs);
    const early = await residentAt(net, beganMs + totalMs * EARLY_PART, totalMs);
    const late = await residentAt(net, beganMs + totalMs, totalMs);
    const { sent, refused } = await loading;
    const refusals = [...refused.values()].reduce((sum, count) => sum + count, 0);
    for (const [reason, count] of refused) console.error(`  ${count} refused: ${reason}`);
    const ratios = late.map((bytes, i) => bytes / (early[i] ?? Number.NaN));
    isDone = true;
    return [
      { name: `localnet, ${MINUTES} min of ${RATE} tx/s, taken`, value: sent.length, unit: 'tx' },
      { name: 'localnet, refused of those', value: refusals, unit: 'tx' },
      {
        name: 'localnet, resident at the end ÷ at minute 5, the worst',
        value: Math.max(...ratios),
        unit: '×',
      },
      {
        name: 'localnet, resident at the end, the largest',
        value: Math.max(...late) / 2 ** 20,
        unit: 'MiB',
      },
    ];
  } finally {
    await net.stop(!isDone);
  }
}

/** Of each validator, over the last part before that moment. */
async function residentAt(net: BenchLocalnet, atMs: number, totalMs: number): Promise<number[]> {
  const windowMs = totalMs * READING_PART;
  const looks: number[][] = [];
  for (let i = 0; i < READINGS; i++) {
    const dueMs = atMs - windowMs * (1 - i / (READINGS - 1));
    await sleep(Math.max(0, dueMs - performance.now()));
    looks.push(net.nodes.map(({ index }) => net.usage(index).residentBytes));
  }
  return net.nodes.map((_, i) => median(looks.map((look) => look[i] ?? 0)));
}

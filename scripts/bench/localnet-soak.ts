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
/** Signed at a time, while the load waits for less than a tenth of a second. */
const SIGN_AT_ONCE = 1;

export async function run(): Promise<Row[]> {
  const keys = localnetKeys(SENDERS);
  const plan = new TransferPlan(keys, SIGN_AT_ONCE);
  const net = await BenchLocalnet.start(VALIDATORS, keys);
  let isDone = false;
  try {
    const totalMs = MINUTES * 60_000;
    const beganMs = performance.now();
    const loading = load(plan, net, totalMs);
    const early = await residentAt(net, beganMs + totalMs * EARLY_PART, totalMs);
    const late = await residentAt(net, beganMs + totalMs, totalMs);
    const { sent, refused } = await loading;
    const ratios = late.map((bytes, i) => bytes / (early[i] ?? Number.NaN));
    isDone = true;
    return [
      { name: `localnet, ${MINUTES} min of ${RATE} tx/s, taken`, value: sent, unit: 'tx' },
      { name: 'localnet, refused of those', value: refused, unit: 'tx' },
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

/** In slices, between which more is signed. */
async function load(
  plan: TransferPlan,
  net: BenchLocalnet,
  totalMs: number,
): Promise<{ sent: number; refused: number }> {
  const sliceMs = (1_000 * SENDERS) / RATE;
  const untilMs = performance.now() + totalMs;
  let [sent, refused] = [0, 0];
  while (performance.now() < untilMs) {
    const slice = await pace(plan, net.clients, RATE, sliceMs);
    sent += slice.sent.length;
    for (const count of slice.refused.values()) refused += count;
    plan.sign(SIGN_AT_ONCE);
  }
  return { sent, refused };
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

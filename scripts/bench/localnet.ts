/**
 * Four validators of a localnet and their client on this machine: idle; submission to finality
 * certificate under 100 transfers a second; one validator killed and started again under the same
 * load; and as many transfers as go in a minute, from 256 senders. Linux only: memory and processor
 * time are read from /proc.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RpcClient } from '@pyde/platform-node/client';
import type { Row } from '../bench.ts';
import {
  FinalityWatch,
  flood,
  latenciesOf,
  pace,
  percentile,
  TransferPlan,
} from './localnet-load.ts';
import { BenchLocalnet, localnetKeys } from './localnet-net.ts';

const VALIDATORS = 4;
const SENDERS = 256;
const RATE = 100;
/** After the start: keys, caches and links settle. */
const SETTLE_MS = 5_000;
const IDLE_MS = 20_000;
const PACED_WARM_MS = 5_000;
const PACED_MS = 20_000;
const KILL_AFTER_MS = 2_000;
const DOWN_MS = 6_000;
const CAUGHT_UP_AT_MOST_MS = 60_000;
const SUSTAINED_MS = 60_000;
/** More than 60 s can take at 2,000 a second, and what the paced loads take. */
const TRANSFERS_PER_SENDER = 500;
const BEHIND_AT_MOST_MS = 200;

export async function run(): Promise<Row[]> {
  const keys = localnetKeys(SENDERS);
  const plan = new TransferPlan(keys, TRANSFERS_PER_SENDER);
  const net = await BenchLocalnet.start(VALIDATORS, keys);
  const rows: Row[] = [];
  let isDone = false;
  try {
    await sleep(SETTLE_MS);
    for (const part of [idle, paced, oneKilled, sustained]) {
      for (const row of await part(net, plan)) {
        rows.push(row);
        // At once: the whole takes minutes.
        console.error(`  ${row.name}: ${row.value.toFixed(1)} ${row.unit}`);
      }
    }
    isDone = true;
    return rows;
  } finally {
    await net.stop(!isDone);
  }
}

interface Used {
  /** Percent of one core, by validator. */
  readonly cpu: readonly number[];
  readonly residentMiB: readonly number[];
}

/** What the validators take while `act` runs. */
async function usedDuring<T>(
  net: BenchLocalnet,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly used: Used }> {
  const look = () => net.nodes.map(({ index }) => net.usage(index));
  const [before, beganMs] = [look(), performance.now()];
  const result = await act();
  const [after, ms] = [look(), performance.now() - beganMs];
  const cpu = after.map(({ cpuMs }, i) => (100 * (cpuMs - (before[i]?.cpuMs ?? 0))) / ms);
  const residentMiB = after.map(({ residentBytes }) => residentBytes / 2 ** 20);
  return { result, used: { cpu, residentMiB } };
}

async function idle(net: BenchLocalnet): Promise<Row[]> {
  const { used } = await usedDuring(net, () => sleep(IDLE_MS));
  return [
    {
      name: 'localnet, idle, processor of the busiest validator',
      value: Math.max(...used.cpu),
      unit: '% of one',
    },
    {
      name: 'localnet, idle, resident memory of the largest',
      value: Math.max(...used.residentMiB),
      unit: 'MiB',
    },
  ];
}

async function paced(net: BenchLocalnet, plan: TransferPlan): Promise<Row[]> {
  const watches = await Promise.all(net.clients.map((client) => FinalityWatch.of(client)));
  const { result: load, used } = await usedDuring(net, async () => {
    const done = await pace(plan, net.clients, RATE, PACED_WARM_MS + PACED_MS);
    await sleep(1_000);
    return done;
  });
  tell(load.refused);
  const { ms, never } = await latenciesOf(load, watches, PACED_WARM_MS);
  for (const client of net.clients) client.close();
  return [
    {
      name: `localnet, ${RATE} tx/s, sent → certificate, median`,
      value: percentile(ms, 0.5),
      unit: 'ms',
    },
    {
      name: `localnet, ${RATE} tx/s, sent → certificate, 99th percentile`,
      value: percentile(ms, 0.99),
      unit: 'ms',
    },
    { name: `localnet, ${RATE} tx/s, never final`, value: never, unit: 'tx' },
    {
      name: `localnet, ${RATE} tx/s, processor of all four`,
      value: used.cpu.reduce((sum, each) => sum + each, 0),
      unit: '% of one',
    },
  ];
}

/** The longest time between two waves as the clients learn of them, each by itself. */
async function watchGaps(clients: readonly RpcClient[]): Promise<() => number> {
  const lasts = clients.map(() => performance.now());
  let longest = 0;
  const mark = (i: number): void => {
    const nowMs = performance.now();
    longest = Math.max(longest, nowMs - (lasts[i] ?? nowMs));
    lasts[i] = nowMs;
  };
  await Promise.all(clients.map((client, i) => client.subscribe(['newWaves'], () => mark(i))));
  return () => {
    for (const i of lasts.keys()) mark(i);
    return longest;
  };
}

const waveOf = async (client: RpcClient | undefined): Promise<number> =>
  Number(await client?.call('pyde_waveId'));

async function oneKilled(net: BenchLocalnet, plan: TransferPlan): Promise<Row[]> {
  const lost = VALIDATORS - 1;
  const others = net.clients.slice(0, lost);
  const end = new AbortController();
  const load = pace(plan, others, RATE, Number.POSITIVE_INFINITY, end.signal);
  await sleep(KILL_AFTER_MS);
  const longestGap = await watchGaps(others);
  await sleep(KILL_AFTER_MS);
  net.kill(lost);
  await sleep(DOWN_MS);
  net.restart(lost);
  const beganMs = performance.now();
  let caughtUpMs = Number.NaN;
  while (performance.now() - beganMs < CAUGHT_UP_AT_MOST_MS) {
    // What the others had a moment before: nobody executes the same wave at the same instant.
    const target = await waveOf(others[0]);
    await sleep(BEHIND_AT_MOST_MS);
    const own = await waveOf(net.clients[lost]).catch(() => -1);
    if (own >= target) {
      caughtUpMs = performance.now() - beganMs;
      break;
    }
    net.requireUp(lost);
  }
  end.abort();
  tell((await load).refused);
  const gapMs = longestGap();
  for (const client of others) client.close();
  return [
    { name: 'localnet, one killed, longest gap of waves', value: gapMs, unit: 'ms' },
    { name: 'localnet, one killed, restart → caught up', value: caughtUpMs, unit: 'ms' },
  ];
}

async function sustained(net: BenchLocalnet, plan: TransferPlan): Promise<Row[]> {
  const { result, used } = await usedDuring(net, () => flood(plan, net.clients, SUSTAINED_MS));
  const { executed, stranded, seconds } = result;
  const heads = await Promise.all(net.clients.map(waveOf));
  const wave = Math.min(...heads);
  const records = await Promise.all(
    net.clients.map((client) => client.call('pyde_getWave', [wave])),
  );
  const roots = new Set(records.map((record) => JSON.stringify(record)));
  return [
    {
      name: `localnet, ${SUSTAINED_MS / 1000} s from ${SENDERS} senders`,
      value: executed / seconds,
      unit: 'tx/s',
    },
    { name: 'localnet, stranded of those', value: stranded, unit: 'tx' },
    {
      name: 'localnet, different roots after them',
      value: roots.size - 1,
      unit: 'roots',
    },
    {
      name: 'localnet, resident memory of the largest after them',
      value: Math.max(...used.residentMiB),
      unit: 'MiB',
    },
  ];
}

/** On the error stream: a load that is refused measures something else. */
function tell(refused: ReadonlyMap<string, number>): void {
  for (const [message, count] of refused) console.error(`  refused ${count} ×: ${message}`);
}

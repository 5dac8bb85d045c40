/**
 * Load on a devnet on disk from this client process, everything signed beforehand: batches of 100
 * from 10 senders until all their receipts are there, then 30 s from 256 others, each with at most
 * its nonce window under way.
 *
 * Over the last 20 s of them, every two seconds all threads of the node collect their garbage and
 * its resident memory is read; that is time in which it executes nothing, and counts. Not before: up
 * to then the node collects as it does by itself, which leaves more freed memory behind than
 * collections that are asked for. Growth is the slope that half of all pairs of readings exceed (Theil
 * and Sen), beside the medians of the first and the last four. Linux only: resident memory is read
 * from /proc.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '@pyde/core/bytes';
import { RpcClient } from '@pyde/platform-node/client';
import type { TestKey } from '../../core/src/crypto/testing.ts';
import type { Row } from '../bench.ts';
import { type DevnetProcess, type MemoryReading, startDevnetProcess } from './devnet-process.ts';
import { fundedState, loadKeys, signedTransfer } from './load-accounts.ts';
import { median } from './rate.ts';

const SENDERS = 256;
const BATCH_SENDERS = 10;
const NONCE_WINDOW = 16;
const LANES = 8;
const SUSTAINED_MS = 30_000;
/** More than 30 s can take at 5,000 a second. */
const TRANSFERS_PER_SENDER = 600;
const BATCHES = 30;
const MEMORY_WINDOW_MS = 20_000;
const MEMORY_READINGS = 11;
/** Readings at each end of the window that are taken together. */
const END_READINGS = 4;

interface Sample {
  readonly ms: number;
  readonly reading: MemoryReading;
}

export async function run(): Promise<Row[]> {
  const keys = loadKeys(SENDERS + BATCH_SENDERS);
  const folder = mkdtempSync(join(tmpdir(), 'pyde-bench-state-'));
  const state = join(folder, 'state.bin');
  writeFileSync(state, await fundedState(keys));
  const options = ['--load-state', state, '--no-auto-import-wallets'];
  const devnet = await startDevnetProcess(options, { probed: true });
  try {
    await sleep(1000);
    return [...(await batches(devnet, keys)), ...(await sustained(devnet, keys))];
  } finally {
    await devnet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const wire = (keys: readonly TestKey[], from: number, nonce: number): string => {
  const [sender, receiver] = [keys[from], keys[(from * 7 + nonce) % keys.length]];
  if (sender === undefined || receiver === undefined) throw new Error(`no key ${from}`);
  return toHex(signedTransfer(sender, receiver.address, nonce));
};

const send = (raw: string) => ({ method: 'pyde_sendRawTransaction', params: [raw] });

/** The ten senders behind the 256, ten transactions each a batch. */
async function batches(devnet: DevnetProcess, keys: readonly TestKey[]): Promise<Row[]> {
  const client = new RpcClient(devnet.url);
  const senders = Array.from({ length: BATCH_SENDERS }, (_, i) => SENDERS + i);
  const plan = Array.from({ length: BATCHES }, (_, batch) =>
    senders.flatMap((from) =>
      Array.from({ length: 10 }, (_, i) => wire(keys, from, batch * 10 + i)),
    ),
  );
  const times: number[] = [];
  for (const raws of plan) {
    const started = performance.now();
    let waiting = await client.batch(raws.map(send));
    while (waiting.length > 0) {
      const asked = waiting.map((hash) => ({
        method: 'pyde_getTransactionReceipt',
        params: [hash],
      }));
      const receipts = await client.batch(asked);
      waiting = waiting.filter((_, i) => receipts[i] === null);
    }
    times.push(performance.now() - started);
  }
  return [
    {
      name: 'devnet, batches of 100 from 10 senders, all receipts',
      value: 100_000 / median(times),
      unit: 'tx/s',
    },
  ];
}

async function sustained(devnet: DevnetProcess, keys: readonly TestKey[]): Promise<Row[]> {
  const client = new RpcClient(devnet.url);
  const plan = Array.from({ length: SENDERS }, (_, from) =>
    Array.from({ length: TRANSFERS_PER_SENDER }, (_, nonce) => wire(keys, from, nonce)),
  );
  const started = performance.now();
  const deadline = started + SUSTAINED_MS;
  const sent = new Array<number>(SENDERS).fill(0);
  const countsOf = async (lane: readonly number[]): Promise<number[]> => {
    const asked = lane.map((from) => ({
      method: 'pyde_getTransactionCount',
      params: [toHex(keys[from]?.address ?? new Uint8Array(32))],
    }));
    return (await client.batch(asked)).map(Number);
  };
  const drive = async (lane: readonly number[]): Promise<void> => {
    while (performance.now() < deadline) {
      const counts = await countsOf(lane);
      const calls = lane.flatMap((from, i) => {
        const next = sent[from] ?? 0;
        const until = Math.min((counts[i] ?? 0) + NONCE_WINDOW, TRANSFERS_PER_SENDER);
        sent[from] = Math.max(until, next);
        return (plan[from] ?? []).slice(next, until).map(send);
      });
      if (calls.length === 0) await sleep(2);
      else await client.batch(calls);
    }
  };
  const lanes = Array.from({ length: LANES }, (_, lane) =>
    Array.from({ length: SENDERS }, (_, from) => from).filter((from) => from % LANES === lane),
  );
  const finish = async () => {
    await Promise.all(lanes.map(drive));
    const everyone = lanes.flat();
    // What is under way is awaited: a transfer that was taken and never executes is stranded.
    let executed = 0;
    let stranded = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 200 && stranded > 0; tries++) {
      const counts = await countsOf(everyone);
      executed = counts.reduce((sum, count) => sum + count, 0);
      stranded = everyone.reduce((sum, from, i) => sum + (sent[from] ?? 0) - (counts[i] ?? 0), 0);
      if (stranded > 0) await sleep(50);
    }
    return { executed, stranded, seconds: (performance.now() - started) / 1000 };
  };
  const [samples, { executed, stranded, seconds }] = await Promise.all([
    watchMemory(devnet, started),
    finish(),
  ]);
  const resident = trend(samples, ({ ownBytes, fileBytes }) => ownBytes + fileBytes);
  const own = trend(samples, ({ ownBytes }) => ownBytes);
  const files = samples.map(({ reading }) => reading.fileBytes);
  const inUse = median(samples.map(({ reading }) => usedBytes(reading)));
  return [
    {
      name: `devnet, ${SUSTAINED_MS / 1000} s from ${SENDERS} senders`,
      value: executed / seconds,
      unit: 'tx/s',
    },
    { name: 'devnet, stranded of those', value: stranded, unit: 'tx' },
    {
      name: 'devnet, resident memory, growth over the last 20 s',
      value: resident.growth * 100,
      unit: '%',
    },
    {
      name: 'devnet, the same between medians of its ends',
      value: resident.growthOfEnds * 100,
      unit: '%',
    },
    { name: 'devnet, resident memory at the end', value: resident.atEnd / 1e6, unit: 'MB' },
    {
      name: 'devnet, the same without mapped files, growth',
      value: own.growth * 100,
      unit: '%',
    },
    { name: 'devnet, the same without mapped files', value: own.atEnd / 1e6, unit: 'MB' },
    { name: 'devnet, pages of mapped files', value: median(files) / 1e6, unit: 'MB' },
    { name: 'devnet, of that in use by JavaScript', value: inUse / 1e6, unit: 'MB' },
  ];
}

async function watchMemory(devnet: DevnetProcess, started: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let i = 0; i < MEMORY_READINGS; i++) {
    const before = MEMORY_WINDOW_MS * (1 - i / (MEMORY_READINGS - 1));
    await sleep(Math.max(0, started + SUSTAINED_MS - before - performance.now()));
    const ms = performance.now() - started;
    samples.push({ ms, reading: await devnet.memoryAfterCollection() });
  }
  return samples;
}

interface Trend {
  readonly atEnd: number;
  /** By which part of its start it rises. */
  readonly growth: number;
  /** The same from the median of the first few readings to that of the last few. */
  readonly growthOfEnds: number;
}

/** The line through the readings. */
function trend(samples: readonly Sample[], bytesOf: (reading: MemoryReading) => number): Trend {
  const points = samples.map(({ ms, reading }) => ({ ms, bytes: bytesOf(reading) }));
  const slopes = points.flatMap((a, i) =>
    points.slice(i + 1).map((b) => (b.bytes - a.bytes) / (b.ms - a.ms)),
  );
  const slope = median(slopes);
  const base = median(points.map(({ ms, bytes }) => bytes - slope * ms));
  const atEnd = base + slope * SUSTAINED_MS;
  const atStart = atEnd - slope * MEMORY_WINDOW_MS;
  const bytes = points.map((point) => point.bytes);
  const growthOfEnds =
    median(bytes.slice(-END_READINGS)) / median(bytes.slice(0, END_READINGS)) - 1;
  return { atEnd, growth: atEnd / atStart - 1, growthOfEnds };
}

const usedBytes = ({ threads }: MemoryReading): number =>
  threads.reduce((sum, { heapUsed, external }) => sum + heapUsed + external, 0);

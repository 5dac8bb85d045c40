/**
 * Load on a devnet on disk from this client process, everything signed beforehand: batches of 100
 * from 10 senders until all their receipts are there, then 30 s from 256 senders, each with at most
 * its nonce window under way. Linux only: resident memory is read from /proc.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '@pyde/core/bytes';
import { RpcClient } from '@pyde/platform-node/client';
import type { TestKey } from '../../core/src/crypto/testing.ts';
import type { Row } from '../bench.ts';
import { type DevnetProcess, startDevnetProcess } from './devnet-process.ts';
import { fundedState, loadKeys, signedTransfer } from './load-accounts.ts';
import { median } from './rate.ts';

const SENDERS = 256;
const NONCE_WINDOW = 16;
const LANES = 8;
const SUSTAINED_MS = 30_000;
/** More than 30 s can take at 4,000 a second. */
const TRANSFERS_PER_SENDER = 500;
const BATCHES = 30;
const MEMORY_SAMPLE_MS = 500;

export async function run(): Promise<Row[]> {
  const keys = loadKeys(SENDERS);
  const folder = mkdtempSync(join(tmpdir(), 'pyde-bench-state-'));
  const state = join(folder, 'state.bin');
  writeFileSync(state, await fundedState(keys));
  const devnet = await startDevnetProcess(['--load-state', state, '--no-auto-import-wallets']);
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

/** The last ten senders, ten transactions each a batch. */
async function batches(devnet: DevnetProcess, keys: readonly TestKey[]): Promise<Row[]> {
  const client = new RpcClient(devnet.url);
  const senders = Array.from({ length: 10 }, (_, i) => SENDERS - 10 + i);
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
  const senders = SENDERS - 10;
  const plan = Array.from({ length: senders }, (_, from) =>
    Array.from({ length: TRANSFERS_PER_SENDER }, (_, nonce) => wire(keys, from, nonce)),
  );
  const memory: { readonly ms: number; readonly bytes: number }[] = [];
  const started = performance.now();
  const deadline = started + SUSTAINED_MS;
  const sampling = setInterval(
    () => memory.push({ ms: performance.now() - started, bytes: devnet.residentBytes() }),
    MEMORY_SAMPLE_MS,
  );
  const sent = new Array<number>(senders).fill(0);
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
    Array.from({ length: senders }, (_, from) => from).filter((from) => from % LANES === lane),
  );
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
  const seconds = (performance.now() - started) / 1000;
  clearInterval(sampling);
  const within = memory.filter(({ ms }) => ms <= SUSTAINED_MS);
  const early = within.filter(
    ({ ms }) => ms >= SUSTAINED_MS - 20_000 && ms < SUSTAINED_MS - 15_000,
  );
  const late = within.filter(({ ms }) => ms >= SUSTAINED_MS - 5_000);
  const least = (samples: typeof memory) => Math.min(...samples.map(({ bytes }) => bytes));
  return [
    {
      name: `devnet, ${SUSTAINED_MS / 1000} s from ${senders} senders`,
      value: executed / seconds,
      unit: 'tx/s',
    },
    { name: 'devnet, stranded of those', value: stranded, unit: 'tx' },
    {
      name: 'devnet, resident memory, growth over the last 20 s',
      value: (least(late) / least(early) - 1) * 100,
      unit: '%',
    },
    { name: 'devnet, resident memory at the end', value: least(late) / 1e6, unit: 'MB' },
  ];
}

/**
 * Load on a localnet from this process, signed beforehand or one by one. Paced: so many transfers a second, one
 * after another at even distances whether or not the chain keeps up, validator by validator in turn.
 * Flood: each sender keeps its nonce window under way. A transfer is final when the certificate of
 * its wave arrives, over WebSocket, from the validator that took it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '@pyde/core/bytes';
import type { RpcClient } from '@pyde/platform-node/client';
import type { TestKey } from '../../core/src/crypto/testing.ts';
import { signedTransfer } from './load-accounts.ts';

/** Of an account; more of them are refused. */
const NONCE_WINDOW = 16;
const LANES_PER_NODE = 2;
/** A window of 16 lasts for seconds under load: to ask more often is to measure the questions. */
const POLL_MS = 100;

/** Signed transfers by sender and nonce. */
export class TransferPlan {
  readonly keys: readonly TestKey[];
  readonly #raws: string[][];
  /** The next nonce that was not sent. */
  readonly next: number[];

  constructor(keys: readonly TestKey[], perSender: number) {
    this.keys = keys;
    this.next = keys.map(() => 0);
    this.#raws = keys.map(() => []);
    this.sign(perSender);
  }

  /** Signs `count` more of each sender. */
  sign(count: number): void {
    for (const from of this.keys.keys()) for (let i = 0; i < count; i++) this.#signNext(from);
  }

  left(from: number): number {
    return (this.#raws[from]?.length ?? 0) - (this.next[from] ?? 0);
  }

  /** The next transfer of a sender, signed now if it was not before; given up here, for memory. */
  take(from: number): string {
    const nonce = this.next[from] ?? 0;
    if (this.left(from) === 0) this.#signNext(from);
    const raws = this.#raws[from];
    const raw = raws?.[nonce];
    if (raws === undefined || raw === undefined) throw new Error(`there is no sender ${from}`);
    raws[nonce] = '';
    this.next[from] = nonce + 1;
    return raw;
  }

  #signNext(from: number): void {
    const [key, raws] = [this.keys[from], this.#raws[from]];
    if (key === undefined || raws === undefined) throw new Error(`there is no sender ${from}`);
    const to = this.keys[(from * 7 + raws.length) % this.keys.length] ?? key;
    raws.push(toHex(signedTransfer(key, to.address, raws.length)));
  }
}

/** When the certificate of each wave came from one validator. */
export class FinalityWatch {
  readonly #client: RpcClient;
  readonly #atMs = new Map<bigint, number>();
  /** Waves with transactions. */
  readonly #loaded = new Set<bigint>();

  private constructor(client: RpcClient) {
    this.#client = client;
  }

  static async of(client: RpcClient): Promise<FinalityWatch> {
    const watch = new FinalityWatch(client);
    await client.subscribe(['finality'], (result) => {
      const { commit } = result as { commit: { wave_id: string; tx_count: number } };
      const wave = BigInt(commit.wave_id);
      if (watch.#atMs.has(wave)) return;
      watch.#atMs.set(wave, performance.now());
      if (commit.tx_count > 0) watch.#loaded.add(wave);
    });
    return watch;
  }

  /** When each transaction of the certified waves became final here. */
  async transactions(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const wave of this.#loaded) {
      for (let cursor: unknown = null; cursor !== undefined; ) {
        const page = (await this.#client.call('pyde_getWaveTransactions', [
          Number(wave),
          cursor,
        ])) as { transactions: { tx_hash: string }[]; next_cursor?: unknown };
        for (const { tx_hash } of page.transactions) found.set(tx_hash, this.#atMs.get(wave) ?? 0);
        cursor = page.next_cursor;
      }
    }
    return found;
  }
}

export interface Sent {
  readonly hash: string;
  readonly node: number;
  readonly atMs: number;
}

export interface PacedLoad {
  readonly sent: readonly Sent[];
  /** By their message without its numbers; a load that the chain keeps up with has none. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Submits through `clients` in turn until `forMs` is over or `signal` says so. */
export async function pace(
  plan: TransferPlan,
  clients: readonly RpcClient[],
  perSecond: number,
  forMs: number,
  signal?: AbortSignal,
): Promise<PacedLoad> {
  const sent: Sent[] = [];
  const refused = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  const beganMs = performance.now();
  for (let i = 0; signal?.aborted !== true; i++) {
    const dueMs = (i * 1000) / perSecond;
    if (dueMs >= forMs) break;
    const waitMs = beganMs + dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const node = i % clients.length;
    const client = clients[node];
    const raw = plan.take(i % plan.keys.length);
    const atMs = performance.now();
    const one = (client?.call('pyde_sendRawTransaction', [raw]) ?? Promise.reject()).then(
      (hash) => {
        sent.push({ hash: String(hash), node, atMs });
      },
      (error: Error) => {
        const reason = error.message.replace(/0x[0-9a-f]+|\d+/g, '#');
        refused.set(reason, (refused.get(reason) ?? 0) + 1);
      },
    );
    underWay.add(one);
    void one.then(() => underWay.delete(one));
  }
  await Promise.all(underWay);
  return { sent, refused };
}

export interface Latencies {
  /** Sorted, ms from submission to certificate. */
  readonly ms: readonly number[];
  /** Acknowledged and in no certified wave of its validator. */
  readonly never: number;
}

/** Of what was sent after `skipMs`, by the watch of the validator that took it. */
export async function latenciesOf(
  { sent }: PacedLoad,
  watches: readonly FinalityWatch[],
  skipMs = 0,
): Promise<Latencies> {
  const finals = await Promise.all(watches.map((watch) => watch.transactions()));
  const from = (sent[0]?.atMs ?? 0) + skipMs;
  const ms: number[] = [];
  let never = 0;
  for (const { hash, node, atMs } of sent) {
    if (atMs < from) continue;
    const final = finals[node]?.get(hash);
    if (final === undefined) never++;
    else ms.push(final - atMs);
  }
  return { ms: ms.sort((a, b) => a - b), never };
}

export const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

export interface Flood {
  readonly executed: number;
  readonly stranded: number;
  readonly seconds: number;
}

/** Every sender keeps its window under way at one validator for `forMs`; then all is awaited. */
export async function flood(
  plan: TransferPlan,
  clients: readonly RpcClient[],
  forMs: number,
  drainAtMostMs = 30_000,
): Promise<Flood> {
  const senders = plan.keys.map((_, from) => from);
  const before = plan.next.reduce((sum, next) => sum + next, 0);
  const beganMs = performance.now();
  const countsOf = async (client: RpcClient, of: readonly number[]): Promise<number[]> => {
    const asked = of.map((from) => ({
      method: 'pyde_getTransactionCount',
      params: [toHex(plan.keys[from]?.address ?? new Uint8Array())],
    }));
    return (await client.batch(asked)).map(Number);
  };
  const drive = async (client: RpcClient, lane: readonly number[]): Promise<void> => {
    while (performance.now() < beganMs + forMs) {
      const lookedMs = performance.now();
      const counts = await countsOf(client, lane);
      const calls = lane.flatMap((from, i) => {
        const room = (counts[i] ?? 0) + NONCE_WINDOW - (plan.next[from] ?? 0);
        const count = Math.max(0, Math.min(room, plan.left(from)));
        return Array.from({ length: count }, () => ({
          method: 'pyde_sendRawTransaction',
          params: [plan.take(from)],
        }));
      });
      if (calls.length > 0) await client.batch(calls);
      // A client that asked all the time would measure its questions.
      await sleep(Math.max(0, lookedMs + POLL_MS - performance.now()));
    }
  };
  const lanes = clients.length * LANES_PER_NODE;
  await Promise.all(
    Array.from({ length: lanes }, (_, lane) => {
      const client = clients[lane % clients.length];
      const own = senders.filter((from) => from % lanes === lane);
      return client === undefined ? undefined : drive(client, own);
    }),
  );
  const sent = plan.next.reduce((sum, next) => sum + next, 0);
  // What is under way is awaited: a transfer that was taken and never executes is stranded.
  let stranded = sent;
  for (const untilMs = performance.now() + drainAtMostMs; performance.now() < untilMs; ) {
    const counts = await Promise.all(clients.map((client) => countsOf(client, senders)));
    const least = senders.map((from) => Math.min(...counts.map((each) => each[from] ?? 0)));
    stranded = sent - least.reduce((sum, count) => sum + count, 0);
    if (stranded === 0) break;
    await sleep(50);
  }
  const seconds = (performance.now() - beganMs) / 1000;
  return { executed: sent - stranded - before, stranded, seconds };
}

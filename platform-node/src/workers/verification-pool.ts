/**
 * Signature checks on worker threads (design/architecture.md, "Threads"): checks that arrive while
 * a batch is under way travel together in the next one, at most 128, two batches in flight a
 * worker. A full queue refuses, so that a flood of bad signatures cannot grow memory.
 *
 * A check takes about 8 µs and a thread's answer about 1 ms, so a few a turn of the event loop are
 * done on the spot while nothing waits; a flood goes to the threads.
 */
import type { Worker } from 'node:worker_threads';
import { PydeError } from '@pyde/core/bytes';
import { falconVerifyBatch } from '@pyde/core/crypto';
import type { SignatureCheck, WorkerPool } from '@pyde/core/platform';
import { spawnWorker, threadEnded } from './spawn.ts';
import { packChecks } from './verification-protocol.ts';

/** A batch of 128 has about 240 KiB. */
const YOUNG_GENERATION_MB = 12;
const MAX_BATCH = 128;
const MAX_IN_FLIGHT = 2;
const MAX_QUEUED = 16_384;
/** Checks done on the calling thread in one turn of the event loop: about a ms, a whole RPC batch. */
const MAX_ON_THE_SPOT = 128;

interface Job {
  readonly checks: readonly SignatureCheck[];
  readonly verdicts: boolean[];
  sent: number;
  settled: number;
  resolve(verdicts: readonly boolean[]): void;
  reject(error: Error): void;
}

/** Which job each check of a batch in flight belongs to. */
interface Share {
  readonly job: Job;
  readonly from: number;
  readonly count: number;
}

interface Lane {
  readonly worker: Worker;
  inFlight: number;
}

export class VerificationPool implements WorkerPool {
  readonly #size: number;
  readonly #onLost: (reason: Error) => void;
  readonly #lanes: Lane[] = [];
  readonly #queue: Job[] = [];
  readonly #batches = new Map<number, { readonly lane: Lane; readonly shares: Share[] }>();
  #queued = 0;
  #nextId = 0;
  #scheduled = false;
  #onTheSpot = 0;
  #closed = false;

  /**
   * @param size threads; they start with the first checks, or with `warm`
   * @param onLost a thread ended by itself: nothing can be checked any more
   */
  constructor(size: number, onLost: (reason: Error) => void = () => {}) {
    this.#size = size;
    this.#onLost = onLost;
  }

  /** Starts the threads, so that the first checks do not wait for them. */
  warm(): void {
    if (this.#lanes.length > 0 || this.#closed) return;
    const entry = new URL('./verification-worker.ts', import.meta.url);
    for (let i = 0; i < this.#size; i++) {
      const worker = spawnWorker(entry, { youngGenerationMb: YOUNG_GENERATION_MB });
      const lane: Lane = { worker, inFlight: 0 };
      lane.worker.unref();
      lane.worker.on('message', (m: { id: number; verdicts: Uint8Array }) => this.#settle(m));
      lane.worker.on('error', (error) => this.#lose(error));
      lane.worker.on('exit', (code) => this.#lose(threadEnded('verification', code)));
      this.#lanes.push(lane);
    }
  }

  /** Checks waiting or under way; for metrics. */
  get queued(): number {
    return this.#queued;
  }

  verify(checks: readonly SignatureCheck[]): Promise<readonly boolean[]> {
    if (this.#closed) {
      return Promise.reject(new PydeError('pool.closed', 'the node is stopping; try again later'));
    }
    if (this.#queued + checks.length > MAX_QUEUED) {
      return Promise.reject(
        new PydeError('pool.full', 'too many signatures wait to be checked; try again in a second'),
      );
    }
    if (checks.length === 0) return Promise.resolve([]);
    if (this.#queued === 0 && this.#onTheSpot + checks.length <= MAX_ON_THE_SPOT) {
      if (this.#onTheSpot === 0) setImmediate(() => this.#endTurn());
      this.#onTheSpot += checks.length;
      return Promise.resolve(falconVerifyBatch(checks));
    }
    this.warm();
    this.#queued += checks.length;
    return new Promise((resolve, reject) => {
      this.#queue.push({ checks, verdicts: [], sent: 0, settled: 0, resolve, reject });
      this.#schedule();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#fail(new PydeError('pool.closed', 'the node is stopping; try again later'));
    await Promise.all(this.#lanes.map((lane) => lane.worker.terminate()));
  }

  #endTurn(): void {
    this.#onTheSpot = 0;
  }

  /** Once a turn of the event loop, so that what arrives together travels together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const lane = this.#lanes
        .filter((candidate) => candidate.inFlight < MAX_IN_FLIGHT)
        .sort((a, b) => a.inFlight - b.inFlight)[0];
      if (lane === undefined) return;
      const shares: Share[] = [];
      const checks: SignatureCheck[] = [];
      while (checks.length < MAX_BATCH) {
        const job = this.#queue[0];
        if (job === undefined) break;
        const count = Math.min(MAX_BATCH - checks.length, job.checks.length - job.sent);
        shares.push({ job, from: job.sent, count });
        checks.push(...job.checks.slice(job.sent, job.sent + count));
        job.sent += count;
        if (job.sent === job.checks.length) this.#queue.shift();
      }
      const packed = packChecks(checks);
      const id = this.#nextId++;
      this.#batches.set(id, { lane, shares });
      lane.inFlight++;
      lane.worker.postMessage({ id, packed }, [packed.buffer]);
    }
  }

  #settle({ id, verdicts }: { id: number; verdicts: Uint8Array }): void {
    const batch = this.#batches.get(id);
    if (batch === undefined) return;
    this.#batches.delete(id);
    batch.lane.inFlight--;
    this.#queued -= verdicts.length;
    let at = 0;
    for (const { job, from, count } of batch.shares) {
      for (let i = 0; i < count; i++) job.verdicts[from + i] = verdicts[at++] === 1;
      job.settled += count;
      if (job.settled === job.checks.length) {
        job.resolve(job.verdicts);
      }
    }
    this.#dispatch();
  }

  #lose(reason: Error): void {
    if (this.#closed) return;
    this.#fail(reason);
    this.#onLost(reason);
  }

  /** Nothing may be taken for checked once a worker is lost. */
  #fail(error: Error): void {
    this.#closed = true;
    const jobs = new Set(this.#queue);
    for (const { shares } of this.#batches.values()) for (const { job } of shares) jobs.add(job);
    for (const job of jobs) job.reject(error);
    this.#queue.length = 0;
    this.#batches.clear();
    this.#queued = 0;
  }
}

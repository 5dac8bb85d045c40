/**
 * The main thread's end of the execution worker. An error in there is a defect or a failing disk,
 * never a transaction's doing: it is passed on, and the node stops.
 */
import type { Worker } from 'node:worker_threads';
import { PydeError } from '@pyde/core/bytes';
import type { CommittedWave } from '@pyde/core/consensus';
import type { ExecutedWave } from '@pyde/core/node';
import type { GenesisParameters } from '@pyde/core/types';
import { spawnWorker, threadEnded } from './spawn.ts';
import { WritePermits } from './write-permits.ts';

export interface ExecutionSetup {
  readonly folder: string;
  readonly parameters: GenesisParameters;
  /** Forgets nothing. */
  readonly isArchive?: boolean;
}

export interface ThreadSetup extends ExecutionSetup {
  /** Of `WritePermits`. */
  readonly permits: SharedArrayBuffer;
}

export type ExecutionRequest =
  | {
      readonly kind: 'execute';
      readonly waves: readonly CommittedWave[];
      readonly verified: Uint8Array;
    }
  | { readonly kind: 'close' };

/** One a request, and one when the thread is ready; the waves' writes are in the store by then. */
export type ExecutionReply =
  | { readonly ok: true; readonly waves: readonly ExecutedWave[]; readonly heapBytes: number }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** A wave makes some 10 MiB, of which little outlives it. */
const YOUNG_GENERATION_MB = 48;

/** Waves that are being computed. */
export interface BegunExecution {
  /** Resolves when they are in the store. */
  readonly executed: Promise<readonly ExecutedWave[]>;
  /** Lets them be written. Call once, in the order of `begin`. */
  write(): void;
}

interface Waiter {
  resolve(waves: readonly ExecutedWave[]): void;
  reject(error: Error): void;
}

export class ExecutionThread {
  readonly #worker: Worker;
  readonly #permits = new WritePermits();
  readonly #waiting: Waiter[] = [];
  readonly #ready: Promise<unknown>;
  readonly #onLost: (reason: Error) => void;
  #failure: Error | undefined;
  #heapBytes = 0;
  #closing = false;

  /** @param onLost the thread ended by itself: nothing can be executed any more */
  constructor(setup: ExecutionSetup, onLost: (reason: Error) => void) {
    this.#onLost = onLost;
    this.#worker = spawnWorker(new URL('./execution-worker.ts', import.meta.url), {
      youngGenerationMb: YOUNG_GENERATION_MB,
      workerData: { ...setup, permits: this.#permits.shared } satisfies ThreadSetup,
    });
    this.#worker.on('message', (reply: ExecutionReply) => {
      const waiter = this.#waiting.shift();
      if (reply.ok) this.#heapBytes = reply.heapBytes;
      if (reply.ok) waiter?.resolve(reply.waves);
      else waiter?.reject(new PydeError(reply.code, reply.message));
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => {
      if (!this.#closing) this.#fail(threadEnded('execution', code));
    });
    this.#ready = this.#next();
    this.#ready.catch(() => {});
  }

  /** JavaScript heap of the thread after its last reply; for metrics. */
  get heapBytes(): number {
    return this.#heapBytes;
  }

  /**
   * Executes waves in order, each on the state that the one before left. They are computed at once
   * and reach the store after `write`.
   * @param verified entries for the thread's memory, see `VerifiedTransactions`
   */
  begin(waves: readonly CommittedWave[], verified: Uint8Array): BegunExecution {
    const executed = this.#request({ kind: 'execute', waves, verified });
    executed.catch(() => {});
    return { executed, write: () => this.#permits.grant() };
  }

  /** Finishes the waves that may be written, closes its store and ends the thread. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#permits.withdraw();
    try {
      if (this.#failure === undefined) {
        await this.#ready;
        await this.#request({ kind: 'close' });
      }
    } finally {
      await this.#worker.terminate();
    }
  }

  #request(request: ExecutionRequest): Promise<readonly ExecutedWave[]> {
    const reply = this.#next();
    this.#worker.postMessage(request);
    return reply;
  }

  #next(): Promise<readonly ExecutedWave[]> {
    const failure = this.#failure;
    if (failure !== undefined) return Promise.reject(failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
    if (!this.#closing) this.#onLost(error);
  }
}

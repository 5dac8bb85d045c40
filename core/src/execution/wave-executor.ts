/**
 * The one that executes waves on a store (design/architecture.md, "Threads"): its handle of the
 * state, the newest executed wave and what is to be forgotten. A wave is computed, its writes are
 * put into the store by the caller as one atomic batch, and only then is it adopted; between the two
 * a crash leaves the store at the wave before.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite, VerifySignatures } from '../platform/index.ts';
import { type PreparedState, StateStore } from '../state/index.ts';
import type { GenesisParameters, Hash, WaveCommitRecord } from '../types/index.ts';
import { readHeadWave } from './archive.ts';
import { DEFAULT_RETENTION, Retention, type RetentionLimits } from './retention.ts';
import type { VerifiedTransactions } from './verified-transactions.ts';
import { executeWave, type WaveInput, type WaveResult } from './wave.ts';

/** A wave that is durable. */
export type ExecutedWave = Omit<WaveResult, 'writes' | 'prepared'>;

/** What the executor adds is what the wave before left. */
export interface OrderedWave extends Omit<WaveInput, 'prevDigest' | 'priorTimestampMs'> {
  /** Of a wave that others executed: its transactions are a peer's word until this comes out. */
  readonly expectedDigest?: Hash | undefined;
}

export interface ExecutorSetup {
  /** Holds a chain. */
  readonly store: KeyValueStore;
  readonly parameters: GenesisParameters;
  readonly verify: VerifySignatures;
  /** Saves work and changes no outcome. */
  readonly verified?: Pick<VerifiedTransactions, 'find'>;
  /** Default: that of a node that is no archive. */
  readonly retention?: RetentionLimits;
}

interface ComputedWave {
  readonly result: ExecutedWave;
  /** Undefined for one that another executor computed. */
  readonly prepared: PreparedState | undefined;
}

/** What a wave came to, for executors of other stores. */
export interface WaveOutcome {
  readonly result: ExecutedWave;
  /** Without what the executor forgets of its own store. */
  readonly writes: readonly StoreWrite[];
}

export class WaveExecutor {
  readonly #setup: ExecutorSetup;
  readonly #state: StateStore;
  readonly #retention: Retention;
  #head: { readonly record: WaveCommitRecord; readonly digest: Hash };
  #computed: ComputedWave | undefined;
  #outcome: WaveOutcome | undefined;

  private constructor(
    setup: ExecutorSetup,
    state: StateStore,
    retention: Retention,
    head: { readonly record: WaveCommitRecord; readonly digest: Hash },
  ) {
    this.#setup = setup;
    this.#state = state;
    this.#retention = retention;
    this.#head = head;
  }

  /** @throws PydeError `state.*` for a damaged store */
  static async open(setup: ExecutorSetup): Promise<WaveExecutor> {
    const { store, retention: limits = DEFAULT_RETENTION } = setup;
    const state = StateStore.open(store);
    const head = readHeadWave(store);
    invariant(head !== undefined, 'execution starts on a store that holds a chain');
    return new WaveExecutor(setup, state, await Retention.open(state, store, limits), head);
  }

  /** The newest executed wave. */
  get head(): { readonly record: WaveCommitRecord; readonly digest: Hash } {
    return this.#head;
  }

  /**
   * Computes the wave after the head.
   * @returns what belongs into the store, as one atomic batch, before {@link adopt}; undefined when
   * another digest than the expected one comes out: then there is nothing to write or adopt
   */
  compute(wave: OrderedWave): readonly StoreWrite[] | undefined {
    const { store, parameters, verify, verified } = this.#setup;
    const { digest, record: prior } = this.#head;
    const context = { state: this.#state, store, parameters, verify };
    const { writes, prepared, ...result } = executeWave(
      verified === undefined ? context : { ...context, verified },
      { ...wave, prevDigest: digest, priorTimestampMs: prior.timestampMs },
    );
    const { expectedDigest } = wave;
    if (expectedDigest !== undefined && !equalBytes(result.digest, expectedDigest)) {
      this.#computed = undefined;
      return undefined;
    }
    this.#computed = { result, prepared };
    this.#outcome = { result, writes };
    return [...writes, ...this.#retention.deletions(result.record, writes.length)];
  }

  /** What the last computed wave came to. */
  get outcome(): WaveOutcome | undefined {
    return this.#outcome;
  }

  /**
   * As {@link compute}, for whoever runs many nodes in one process: takes over what an executor that
   * stood at the same wave came to. The wave and that before it must be the same for both.
   */
  follow(outcome: WaveOutcome): readonly StoreWrite[] {
    const { result, writes } = outcome;
    invariant(
      equalBytes(result.record.prevDigest, this.#head.digest),
      'the wave that is followed comes after the head',
    );
    this.#computed = { result, prepared: undefined };
    this.#outcome = outcome;
    return [...writes, ...this.#retention.deletions(result.record, writes.length)];
  }

  /** The writes of the computed wave are in the store. */
  adopt(): ExecutedWave {
    invariant(this.#computed !== undefined, 'a wave is adopted once, after it was computed');
    const { result, prepared } = this.#computed;
    this.#computed = undefined;
    if (prepared === undefined) this.#state.refresh();
    else this.#state.adopt(prepared);
    this.#head = { record: result.record, digest: result.digest };
    return result;
  }

  /** Computes, writes and adopts a wave; undefined as {@link compute}. */
  async execute(wave: OrderedWave): Promise<ExecutedWave | undefined> {
    const writes = this.compute(wave);
    if (writes === undefined) return undefined;
    await this.#setup.store.batch(writes, { sync: false });
    return this.adopt();
  }
}

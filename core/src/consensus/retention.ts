/**
 * How long vertices and batches of an epoch are kept (design/consensus.md, "Waves"): two GC windows
 * while it runs; when it is over and nobody asks any more, none. A few rounds go at a time, so that no
 * step is long.
 */
import type { StoreWrite } from '../platform/index.ts';
import type { BatchStore } from './batch-store.ts';
import type { Dag, DagVertex } from './dag.ts';
import type { HeldNames } from './held-names.ts';
import type { ConsensusRecords } from './records.ts';

const MAX_PRUNED_ROUNDS_PER_STEP = 8;
/** Below two GC windows nothing is kept. */
const RETAINED_WINDOWS = 2;

export interface RetainedParts {
  readonly dag: Dag;
  readonly batches: BatchStore;
  readonly records: ConsensusRecords;
  readonly held: HeldNames;
}

export class Retention {
  readonly #parts: RetainedParts;
  readonly #gcRounds: number;
  #isForgotten = false;

  constructor(parts: RetainedParts, gcRounds: number) {
    this.#parts = parts;
    this.#gcRounds = gcRounds;
  }

  /**
   * Lets some go of what lies two windows below the anchor of the newest executed wave: waves that
   * are not executed yet still need their vertices.
   */
  prune(executedAnchorRound: number): StoreWrite[] {
    const { dag, held } = this.#parts;
    const below = executedAnchorRound - RETAINED_WINDOWS * this.#gcRounds;
    const dropped = dag.prune(below, MAX_PRUNED_ROUNDS_PER_STEP);
    return [...this.#deletions(dropped), ...held.pruned(dropped)];
  }

  /** Lets some go of everything, until there is nothing. */
  forget(): StoreWrite[] {
    const { dag, records } = this.#parts;
    const dropped = dag.drop(MAX_PRUNED_ROUNDS_PER_STEP);
    if (dropped.length > 0) return this.#deletions(dropped);
    if (this.#isForgotten) return [];
    this.#isForgotten = true;
    return [records.deleteOwn()];
  }

  /** Lets all vertices and batches go at once. */
  abandon(): StoreWrite[] {
    const writes: StoreWrite[] = [];
    for (;;) {
      const dropped = this.#parts.dag.drop(MAX_PRUNED_ROUNDS_PER_STEP);
      if (dropped.length === 0) return writes;
      for (const write of this.#deletions(dropped)) writes.push(write);
    }
  }

  #deletions(dropped: readonly DagVertex[]): StoreWrite[] {
    const { batches, records } = this.#parts;
    const writes: StoreWrite[] = [];
    for (const { round, author, name, batches: refs } of dropped) {
      if (round > 0) writes.push(records.deleteVertex(round, { author, name }));
      for (const { hash } of refs) {
        if (batches.release(hash)) writes.push(records.deleteBatch(hash));
      }
    }
    return writes;
  }
}

/**
 * Which vertices count as held (design/consensus.md, "Vertex"): those of the DAG; those that were
 * accepted and pruned, whose names are kept for three GC windows; and those that f + 1 members say
 * they accepted.
 */
import type { StoreWrite } from '../platform/index.ts';
import type { ParentRef, WeakParentRef } from '../types/index.ts';
import type { Dag, DagVertex } from './dag.ts';
import type { EdgeRecords } from './edge-records.ts';
import { refKey } from './name-key.ts';
import { MAX_WEAK_PARENT_DEPTH } from './vertex-verification.ts';

export class HeldNames {
  readonly #dag: Dag;
  readonly #records: EdgeRecords;
  readonly #gcRounds: number;
  readonly #vouched = new Map<string, WeakParentRef>();

  constructor(dag: Dag, records: EdgeRecords, gcRounds: number, vouched: readonly WeakParentRef[]) {
    this.#dag = dag;
    this.#records = records;
    this.#gcRounds = gcRounds;
    for (const ref of vouched) this.#vouched.set(refKey(ref), ref);
  }

  /** Did this member accept the vertex, as far as it still knows? */
  wasAccepted(ref: WeakParentRef): boolean {
    if (this.#dag.find(ref.round, ref) !== undefined) return true;
    return ref.round < this.#dag.lowestRound && this.#records.wasAccepted(ref);
  }

  /** May a vertex be accepted of which this is an ancestor? */
  holds(ref: WeakParentRef): boolean {
    if (this.#dag.find(ref.round, ref) !== undefined) return true;
    if (this.#vouched.size > 0 && this.#vouched.has(refKey(ref))) return true;
    return ref.round < this.#dag.lowestRound && this.#records.wasAccepted(ref);
  }

  /** f + 1 members accepted it. */
  vouch(ref: WeakParentRef): StoreWrite[] {
    const key = refKey(ref);
    if (this.#vouched.has(key)) return [];
    this.#vouched.set(key, ref);
    return [this.#records.putVouched(ref)];
  }

  /** Keeps the names of pruned vertices, and lets go of those of a window before. */
  pruned(vertices: readonly DagVertex[]): StoreWrite[] {
    const rounds = new Map<number, ParentRef[]>();
    for (const vertex of vertices) {
      const row = rounds.get(vertex.round) ?? [];
      rounds.set(vertex.round, row);
      row.push(vertex.core);
    }
    const writes: StoreWrite[] = [];
    for (const [round, row] of rounds) {
      writes.push(this.#records.putAccepted(round, row));
      if (round > this.#gcRounds) writes.push(this.#records.deleteAccepted(round - this.#gcRounds));
    }
    for (const [key, ref] of this.#vouched) {
      if (ref.round >= this.#dag.lowestRound - MAX_WEAK_PARENT_DEPTH) continue;
      this.#vouched.delete(key);
      writes.push(this.#records.deleteVouched(ref));
    }
    return writes;
  }
}

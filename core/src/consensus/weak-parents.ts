/**
 * Weak parents of own vertices (design/consensus.md, "Production"): accepted older tips that no
 * accepted vertex refers to, so that the vertices of a slow honest member still come into a wave.
 * They never vote.
 *
 * Every accepted vertex passes through here once; what is referred to in time, as almost all are,
 * costs nothing more.
 */
import { MAX_WEAK_PARENTS, type MemberIndex, type WeakParentRef } from '../types/index.ts';
import type { Dag, DagVertex } from './dag.ts';
import { MAX_WEAK_PARENT_DEPTH } from './vertex-verification.ts';

export class Tips {
  readonly #dag: Dag;
  readonly #size: number;
  /** Not referred to when it was last looked at. */
  #tips: DagVertex[] = [];

  /** @param dag whose vertices are taken in */
  constructor(dag: Dag, size: number) {
    this.#dag = dag;
    this.#size = size;
    for (let round = dag.lowestRound; round <= dag.highestRound; round++) {
      for (const vertex of dag.round(round)?.vertices() ?? []) this.accepted(vertex);
    }
  }

  accepted(vertex: DagVertex): void {
    if (!vertex.referred) this.#tips.push(vertex);
  }

  /**
   * The weak parents of a vertex of `round` that `self` makes, at most eight, each of another author:
   * the newest tip of each, authors in turn from one round to the next. A member that goes on without
   * own parent leaves its own tip to those who hold it: what others miss must not hold it up again.
   */
  weakParents(round: number, gcRound: number, self: MemberIndex): WeakParentRef[] {
    const lowest = Math.max(gcRound + 1, round - MAX_WEAK_PARENT_DEPTH);
    const isTip = (tip: DagVertex): boolean =>
      !tip.referred && !tip.emitted && tip.round >= lowest && tip.round > gcRound;
    this.#tips = this.#tips.filter(isTip);
    const newest = new Map<number, DagVertex>();
    for (const tip of this.#tips) {
      if (tip.author === self) continue;
      if (tip.round > round - 2 || this.#dag.first(tip.round, tip.author) !== tip) continue;
      const other = newest.get(tip.author);
      if (other === undefined || other.round < tip.round) newest.set(tip.author, tip);
    }
    const turn = (author: number): number => (author + round) % this.#size;
    return [...newest.values()]
      .sort((a, b) => turn(a.author) - turn(b.author))
      .slice(0, MAX_WEAK_PARENTS)
      .map((tip) => ({ round: tip.round, author: tip.author, name: tip.name }));
  }
}

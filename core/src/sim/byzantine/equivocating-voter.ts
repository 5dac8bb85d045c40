/**
 * The equivocating voter (design/consensus.md, "Required tests", 3): first a vertex without the
 * vote, then, to everybody again, one with it. Who counted votes held instead of parents to be taken
 * would believe in a quorum of votes that no vertex shows.
 */
import type { Behaviour } from './behaviour.ts';
import { withoutVote } from './forgery.ts';

const MAX_LATER_MS = 20;

export const equivocatingVoter = (): Behaviour => ({
  versions(draft, stage) {
    const vertex = draft.on(0);
    const anchor = stage.anchorOf(vertex.epoch, vertex.round - 1);
    const without = withoutVote(vertex, anchor, stage);
    if (without === undefined) return undefined;
    const votes = vertex.parents.some(({ author }) => author === anchor);
    if (!votes) return [{ line: 0, vertex: without }];
    const afterMs = 1 + stage.prng.below(MAX_LATER_MS);
    return [
      { line: 0, vertex: without },
      { line: 1, vertex, afterMs, isDeadEnd: true },
    ];
  },
});

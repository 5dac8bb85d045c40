/**
 * The vote-starving adversary (design/consensus.md, "Required tests", 3): votes for no honest
 * anchor, and in its own slots shows different anchors to two halves. Deliveries ordered to its
 * liking are `delivery.ts`'s.
 */
import type { Behaviour } from './behaviour.ts';
import { halves, twinOf, withoutVote } from './forgery.ts';

export const voteStarve = (): Behaviour => ({
  versions(draft, stage) {
    const vertex = draft.on(0);
    const { epoch, round, author } = vertex;
    const anchor = stage.anchorOf(epoch, round - 1);
    const isHonest = anchor !== undefined && !stage.faulty.has(anchor);
    const changed = isHonest ? withoutVote(vertex, anchor, stage) : vertex;
    if (changed === undefined) return undefined;
    if (stage.anchorOf(epoch, round) !== author) return [{ line: 0, vertex: changed }];
    const [first, second] = halves(stage);
    return [
      { line: 0, vertex: changed, to: first },
      { line: 1, vertex: twinOf(changed, stage), to: second },
    ];
  },
});

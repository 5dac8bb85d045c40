/** Votes for no anchor, whoever it is of, and waits for what it takes not to. */
import type { Behaviour } from './behaviour.ts';
import { withoutVote } from './forgery.ts';

export const voteForNone = (): Behaviour => ({
  versions(draft, stage) {
    const vertex = draft.on(0);
    const anchor = stage.anchorOf(vertex.epoch, vertex.round - 1);
    const changed = withoutVote(vertex, anchor, stage);
    return changed === undefined ? undefined : [{ line: 0, vertex: changed }];
  },
});

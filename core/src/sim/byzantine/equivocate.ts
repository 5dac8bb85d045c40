/** Different vertices to two halves of the members, each half with a story of its own. */
import type { Behaviour } from './behaviour.ts';
import { asItIs, halves, twinOf } from './forgery.ts';

const SO_OFTEN = 600_000;

export const equivocate = (): Behaviour => ({
  versions(draft, stage) {
    if (!stage.prng.chance(SO_OFTEN)) return asItIs(draft);
    const [first, second] = halves(stage);
    return [
      { line: 0, vertex: draft.on(0), to: first },
      { line: 1, vertex: twinOf(draft.on(1), stage), to: second },
    ];
  },
});

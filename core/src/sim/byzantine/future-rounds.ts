/** Vertices of rounds that nobody has come to: a little ahead, at the edge of the window, far off. */
import type { Behaviour } from './behaviour.ts';
import { inRound } from './forgery.ts';

const SO_OFTEN = 30_000;

export const futureRounds = (): Behaviour => ({
  act(stage) {
    const { newest, prng, highestRound, gcRounds } = stage;
    if (newest === undefined || !prng.chance(SO_OFTEN)) return [];
    const leads = [2, 3, 4, gcRounds - 1, gcRounds, gcRounds + 1, 1_000_000, 2 ** 40];
    const lead = prng.chance(500_000) ? 2 + prng.below(gcRounds) : (prng.pick(leads) ?? 2);
    return [{ to: undefined, message: stage.signed(inRound(newest, highestRound + lead, stage)) }];
  },
});

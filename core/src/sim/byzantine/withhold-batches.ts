/** Batches go to some or to nobody; who asks for them gets them late or never. */
import type { Behaviour } from './behaviour.ts';
import { kindOf, others } from './forgery.ts';

const SO_OFTEN = 700_000;
const ANSWERS_LOST = 500_000;
const MAX_LATE_MS = 4_000;

export const withholdBatches = (): Behaviour => ({
  send(out, stage) {
    if (kindOf(out.message) !== 'batch') return [out];
    const { prng } = stage;
    if (out.to !== undefined) {
      return prng.chance(ANSWERS_LOST) ? [] : [{ ...out, afterMs: prng.below(MAX_LATE_MS) }];
    }
    if (!prng.chance(SO_OFTEN)) return [out];
    return others(stage)
      .filter(() => prng.chance(ANSWERS_LOST))
      .map((to) => ({ ...out, to }));
  },
});

/** Says again what anybody said, whenever that was. */
import type { Behaviour, Outgoing } from './behaviour.ts';
import { others } from './forgery.ts';

const SO_OFTEN = 200_000;
const MOST_AT_ONCE = 4;

export const replay = (): Behaviour => ({
  act(stage) {
    const { prng, heard } = stage;
    if (!prng.chance(SO_OFTEN)) return [];
    const out: Outgoing[] = [];
    for (let left = 1 + prng.below(MOST_AT_ONCE); left > 0; left--) {
      const message = heard.someMessage();
      if (message === undefined) break;
      out.push({ to: prng.chance(300_000) ? undefined : prng.pick(others(stage)), message });
    }
    return out;
  },
});

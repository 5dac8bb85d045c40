/** Bytes without sense: random ones, cut and bent ones of others, too many of them. */
import { concatBytes } from '../../bytes/index.ts';
import { MAX_MESSAGE_BYTES } from '../../consensus/index.ts';
import type { Behaviour, Stage } from './behaviour.ts';
import { others } from './forgery.ts';

const SO_OFTEN = 150_000;
const OVERSIZED = 300;
const TAGS = 18;

export const garbage = (): Behaviour => ({
  act(stage) {
    const { prng } = stage;
    if (!prng.chance(SO_OFTEN)) return [];
    return [{ to: prng.pick(others(stage)), message: nonsense(stage) }];
  },
});

function nonsense({ prng, heard }: Stage): Uint8Array {
  const tag = Uint8Array.of(prng.below(TAGS));
  if (prng.chance(OVERSIZED)) {
    return concatBytes(tag, new Uint8Array(MAX_MESSAGE_BYTES));
  }
  const known = heard.someMessage();
  switch (prng.below(5)) {
    case 0:
      return concatBytes(tag, prng.bytes(prng.below(2_000)));
    case 1:
      // Counts that promise more than there is.
      return concatBytes(tag, prng.bytes(prng.below(64)), new Uint8Array(64).fill(255));
    case 2:
      return known?.subarray(0, prng.below(known.length + 1)) ?? tag;
    case 3: {
      const bent = known?.slice() ?? tag;
      const at = prng.below(bent.length);
      bent[at] = (bent[at] ?? 0) ^ (1 << prng.below(8));
      return bent;
    }
    default:
      return known === undefined ? tag : concatBytes(known, prng.bytes(1 + prng.below(100)));
  }
}

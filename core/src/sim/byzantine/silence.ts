/** Says nothing: for a while and again, or for ever. */
import type { Behaviour } from './behaviour.ts';

const FOR_EVER = 300_000;
const MAX_WHILE_MS = 6_000;

export const silence = (): Behaviour => {
  let isSilent = true;
  let untilMs: number | undefined;
  return {
    send(out, { prng, nowMs }) {
      untilMs ??= prng.chance(FOR_EVER) ? Number.POSITIVE_INFINITY : nowMs;
      if (nowMs >= untilMs) {
        isSilent = !isSilent;
        untilMs = nowMs + prng.below(MAX_WHILE_MS);
      }
      return isSilent ? [] : [out];
    },
  };
};

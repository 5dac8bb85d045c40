/** The machine's clocks. */

import { randomBytes } from 'node:crypto';
import type { Clock, Instant, Random } from '@pyde/core/platform';

export const systemClock: Clock = {
  now: (): Instant => ({ monotonicMs: Math.floor(performance.now()), unixMs: Date.now() }),
};

/** Timers run as usual while the wall clock stands still, so that runs can be repeated. */
export function frozenWallClock(unixMs: number): Clock {
  return { now: () => ({ monotonicMs: Math.floor(performance.now()), unixMs }) };
}

export const systemRandom: Random = {
  bytes: (length: number): Uint8Array => new Uint8Array(randomBytes(length)),
};

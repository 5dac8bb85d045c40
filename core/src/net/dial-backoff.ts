/** When to dial again: 1 s after the first failure, doubling to half an hour, with jitter. */
import { readU32BigEndian } from '../bytes/index.ts';
import type { Random } from '../platform/index.ts';

export const FIRST_BACKOFF_MS = 1_000;
export const LONGEST_BACKOFF_MS = 30 * 60_000;
/** A connection that lasted so long was a good one. */
export const LASTING_MS = 60_000;

/** A quarter more at random at most, so that those who were cut off together come back apart. */
const JITTER_OF = 4;
const LONGEST_BASE_MS = (LONGEST_BACKOFF_MS * JITTER_OF) / (JITTER_OF + 1);
const U32 = 2 ** 32;

/** @param failures in a row, at least 1 */
export function backoffMs(failures: number, random: Random): number {
  const doubled = FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 20);
  const base = Math.min(doubled, LONGEST_BASE_MS);
  const jitter = Math.floor((base * readU32BigEndian(random.bytes(4))) / (JITTER_OF * U32));
  return base + jitter;
}

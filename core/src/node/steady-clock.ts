/**
 * The wall clock as this node believes it (design/consensus.md, "Vertex", "Production"). A clock that
 * jumps is asked for reasons: whoever stamps vertices hours ahead is put off by everybody until that
 * hour comes, with all that it makes later and all that was submitted to it.
 *
 * Between two looks the wall clock moves as the monotonic one. When it did not, the time of the newest
 * wave decides which of the two is nearer to what the other members go by. A jump against it is
 * believed after ten minutes all the same: when a whole network slept, nobody's waves say what time
 * it is.
 */
import type { Instant } from '../platform/index.ts';

/** What clocks are set by while all is well. */
export const LARGEST_STEP_MS = 1_000;
export const DOUBT_MS = 600_000;

export class SteadyClock {
  /** What was believed at the last look. */
  #last: Instant | undefined;
  #doubtedSinceMs: number | undefined;

  /** Does the wall clock say something else than is believed? */
  get isDoubted(): boolean {
    return this.#doubtedSinceMs !== undefined;
  }

  /**
   * @param now as the platform's clocks have it
   * @param waveMs the newest wave's timestamp
   * @returns the same moment with the wall clock as it is believed
   */
  believed(now: Instant, waveMs: bigint): Instant {
    const unixMs = this.#believedMs(now, Number(waveMs));
    this.#last = unixMs === now.unixMs ? now : { monotonicMs: now.monotonicMs, unixMs };
    return this.#last;
  }

  #believedMs({ monotonicMs, unixMs }: Instant, waveMs: number): number {
    const last = this.#last;
    if (last === undefined) return unixMs;
    const expectedMs = last.unixMs + (monotonicMs - last.monotonicMs);
    const isStep = Math.abs(unixMs - expectedMs) > LARGEST_STEP_MS;
    const isNearer = Math.abs(unixMs - waveMs) <= Math.abs(expectedMs - waveMs);
    if (!isStep || isNearer) {
      this.#doubtedSinceMs = undefined;
      return unixMs;
    }
    this.#doubtedSinceMs ??= monotonicMs;
    if (monotonicMs < this.#doubtedSinceMs + DOUBT_MS) return expectedMs;
    this.#doubtedSinceMs = undefined;
    return unixMs;
  }
}

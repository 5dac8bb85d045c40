/**
 * How long rounds take (design/consensus.md, "Production"): when the last own vertex was made, the
 * median of recent rounds, and the timeout for a leader that follows from it. Monotonic time only.
 */

const MIN_LEADER_TIMEOUT_MS = 250;
const MAX_LEADER_TIMEOUT_MS = 4_000;
/** A timeout is so many median rounds. */
const TIMEOUT_ROUNDS = 4;
const OBSERVED_ROUNDS = 20;
/** 250 ms doubled so often is at the maximum. */
const MAX_DOUBLINGS = 4;

export class RoundClock {
  readonly #durationsMs: number[] = [];
  #medianMs = 0;
  #lastMs: number;

  /** @param startMs counts as the time of the last own vertex */
  constructor(startMs: number) {
    this.#lastMs = startMs;
  }

  /** When the last own vertex was made. */
  get lastMs(): number {
    return this.#lastMs;
  }

  produced(nowMs: number): void {
    this.#durationsMs.push(nowMs - this.#lastMs);
    if (this.#durationsMs.length > OBSERVED_ROUNDS) this.#durationsMs.shift();
    this.#lastMs = nowMs;
    const sorted = [...this.#durationsMs].sort((a, b) => a - b);
    this.#medianMs = sorted[sorted.length >> 1] ?? 0;
  }

  /** @param undecidedRun consecutive slots, three or more rounds old, not decided directly */
  leaderTimeoutMs(undecidedRun: number): number {
    const baseMs = Math.max(MIN_LEADER_TIMEOUT_MS, TIMEOUT_ROUNDS * this.#medianMs);
    const doublings = Math.min(MAX_DOUBLINGS, Math.max(0, undecidedRun));
    return Math.min(MAX_LEADER_TIMEOUT_MS, baseMs * 2 ** doublings);
  }
}

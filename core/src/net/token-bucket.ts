/**
 * A token bucket in whole numbers: thousandths of a token, so that `perSecond` tokens a second are
 * as many thousandths a millisecond and nothing is lost to rounding, however often one asks.
 */
import { invariant } from '../bytes/index.ts';

export interface BucketRate {
  /** Tokens of a full bucket: the largest burst. */
  readonly capacity: number;
  /** Whole tokens that come back each second, at least 1. */
  readonly perSecond: number;
}

const MILLI = 1_000;
/** Keeps every product below 2⁵³. */
const MAX_TOKENS = 2 ** 40;

export class TokenBucket {
  readonly #capacityMilli: number;
  readonly #milliPerMs: number;
  #milli: number;
  #atMs: number;

  /** Full at `nowMs` (monotonic). */
  constructor({ capacity, perSecond }: BucketRate, nowMs: number) {
    const whole = Number.isInteger(capacity) && Number.isInteger(perSecond);
    invariant(
      whole && capacity >= 1 && capacity <= MAX_TOKENS && perSecond >= 1 && perSecond <= MAX_TOKENS,
      `a bucket holds and regains 1 to 2^40 whole tokens, not ${capacity} and ${perSecond}`,
    );
    this.#capacityMilli = capacity * MILLI;
    this.#milliPerMs = perSecond;
    this.#milli = this.#capacityMilli;
    this.#atMs = Math.floor(nowMs);
  }

  /** Whole tokens there are; below 0 when some are owed. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return Math.floor(this.#milli / MILLI);
  }

  /** Takes `count` whole tokens, or none and answers false. */
  take(count: number, nowMs: number): boolean {
    this.#refill(nowMs);
    const milli = count * MILLI;
    if (milli > this.#milli) return false;
    this.#milli -= milli;
    return true;
  }

  /** Takes `count` whole tokens whether they are there or not: what is lacking is owed. */
  owe(count: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#milli = Math.max(-MAX_TOKENS * MILLI, this.#milli - count * MILLI);
  }

  /** Milliseconds until `count` tokens are there; more than the capacity never are. */
  waitMs(count: number, nowMs: number): number {
    this.#refill(nowMs);
    const milli = count * MILLI;
    if (milli > this.#capacityMilli) return Number.POSITIVE_INFINITY;
    return Math.ceil(Math.max(0, milli - this.#milli) / this.#milliPerMs);
  }

  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#milli === this.#capacityMilli;
  }

  #refill(nowMs: number): void {
    const now = Math.floor(nowMs);
    const elapsed = now - this.#atMs;
    if (elapsed <= 0) return;
    this.#atMs = now;
    const missing = this.#capacityMilli - this.#milli;
    // Compared before it is multiplied: an hour at full rate would leave the exact numbers.
    if (elapsed >= Math.ceil(missing / this.#milliPerMs)) this.#milli = this.#capacityMilli;
    else this.#milli += elapsed * this.#milliPerMs;
  }
}

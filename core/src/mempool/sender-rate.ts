/**
 * How often one sender may put a transaction in: a token bucket each, which holds one second's
 * worth. Policy of a node, not of the chain (design/state-and-execution.md). Time is handed in.
 */
import { PydeError } from '../bytes/index.ts';
import { RecentMap } from './recent.ts';

interface Bucket {
  /** In thousandths of a transaction. */
  readonly milliTokens: number;
  readonly atMs: number;
}

const MILLI = 1000;

export class SenderRate {
  readonly #perSecond: number;
  readonly #buckets: RecentMap<Bucket>;

  /** @param perSecond whole transactions a second, at least 1 */
  constructor(perSecond: number, maxSenders: number) {
    this.#perSecond = perSecond;
    this.#buckets = new RecentMap(maxSenders);
  }

  /** Takes nothing. @throws PydeError `mempool.rate` */
  require(sender: string, nowMs: number): void {
    const tokens = this.#tokensAt(sender, nowMs);
    if (tokens < MILLI) {
      const waitMs = Math.ceil((MILLI - tokens) / this.#perSecond);
      throw new PydeError(
        'mempool.rate',
        `this node takes ${this.#perSecond} transactions a second of one sender; ` +
          `try again in ${waitMs} ms`,
        { perSecond: this.#perSecond, waitMs },
      );
    }
  }

  /** Counts one transaction. @throws PydeError `mempool.rate` */
  take(sender: string, nowMs: number): void {
    this.require(sender, nowMs);
    const milliTokens = this.#tokensAt(sender, nowMs) - MILLI;
    this.#buckets.set(sender, { milliTokens, atMs: nowMs });
  }

  #tokensAt(sender: string, nowMs: number): number {
    const full = this.#perSecond * MILLI;
    const bucket = this.#buckets.get(sender);
    if (bucket === undefined) return full;
    const elapsedMs = Math.max(0, Math.floor(nowMs - bucket.atMs));
    return Math.min(full, bucket.milliTokens + elapsedMs * this.#perSecond);
  }
}

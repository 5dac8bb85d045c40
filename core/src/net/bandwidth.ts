/**
 * The bytes a second that a node lets itself send over all its links together. When they are short
 * consensus goes first: bulk leaves half of a second's bytes for it, consensus may use them all.
 */
import { invariant } from '../bytes/index.ts';
import { TokenBucket } from './token-bucket.ts';

/** Below this not even vertices get through. */
export const MIN_BANDWIDTH = 16 * 1024;

export class Bandwidth {
  readonly #bucket: TokenBucket;
  readonly #reserve: number;

  /** @param bytesPerSecond at least 16 KiB, whole */
  constructor(bytesPerSecond: number, nowMs: number) {
    invariant(bytesPerSecond >= MIN_BANDWIDTH, `bandwidth is at least ${MIN_BANDWIDTH} bytes/s`);
    this.#bucket = new TokenBucket({ capacity: bytesPerSecond, perSecond: bytesPerSecond }, nowMs);
    this.#reserve = Math.floor(bytesPerSecond / 2);
  }

  /** May a frame of this class begin? What a large one lacks is owed and waited for. */
  may(sendClass: 'consensus' | 'bulk', nowMs: number): boolean {
    return this.#bucket.available(nowMs) >= this.#least(sendClass);
  }

  spend(bytes: number, nowMs: number): void {
    this.#bucket.owe(bytes, nowMs);
  }

  waitMs(sendClass: 'consensus' | 'bulk', nowMs: number): number {
    return this.#bucket.waitMs(this.#least(sendClass), nowMs);
  }

  #least(sendClass: 'consensus' | 'bulk'): number {
    return sendClass === 'consensus' ? 1 : this.#reserve;
  }
}

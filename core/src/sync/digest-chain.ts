/**
 * The digests of consecutive waves, 32 bytes each: what is kept of records between the newest wave
 * executed here and the newest one that a certificate vouches for, so that a whole epoch whose
 * certificates are gone but for the last can be followed in bounded memory.
 */
import { invariant } from '../bytes/index.ts';
import { HASH_BYTES } from '../types/index.ts';

const FIRST_CAPACITY = 1_024;

export class DigestChain {
  #digests = new Uint8Array(FIRST_CAPACITY * HASH_BYTES);
  /** Wave of the first digest. */
  #first: bigint;
  #length = 0;

  /** @param after the first digest will be that of the wave after this one */
  constructor(after: bigint) {
    this.#first = after + 1n;
  }

  get length(): number {
    return this.#length;
  }

  /** The newest wave; the one before the first while there is none. */
  get last(): bigint {
    return this.#first + BigInt(this.#length) - 1n;
  }

  /** The digest of the next wave. */
  push(digest: Uint8Array): void {
    invariant(digest.length === HASH_BYTES, 'a digest has 32 bytes');
    const at = this.#length * HASH_BYTES;
    if (at === this.#digests.length) {
      const grown = new Uint8Array(2 * at);
      grown.set(this.#digests);
      this.#digests = grown;
    }
    this.#digests.set(digest, at);
    this.#length++;
  }

  of(wave: bigint): Uint8Array | undefined {
    const at = Number(wave - this.#first);
    if (at < 0 || at >= this.#length) return undefined;
    return this.#digests.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
  }

  /** Forgets the waves after `wave`. */
  truncate(wave: bigint): void {
    this.#length = Math.max(0, Math.min(this.#length, Number(wave - this.#first) + 1));
  }

  /** Forgets the waves up to `wave`. */
  dropThrough(wave: bigint): void {
    const count = Math.max(0, Math.min(this.#length, Number(wave - this.#first) + 1));
    this.#digests.copyWithin(0, count * HASH_BYTES, this.#length * HASH_BYTES);
    this.#first += BigInt(count);
    this.#length -= count;
  }
}

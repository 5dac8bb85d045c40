/**
 * Hashes seen lately, in memory that is taken once: 32 bytes each, where a map of their names takes
 * four times that and grows for as long as it fills.
 *
 * The first bytes of a hash choose its bucket, and the oldest hash of a full bucket gives way.
 * Whoever chooses hashes can make others of one bucket be forgotten early, but can neither make
 * memory grow nor make an answer take longer than looking through one bucket.
 */
const HASH_WORDS = 8;
/** At 16 a bucket, hashes that nobody chose are kept for about as many as the capacity says. */
const BUCKET_HASHES = 16;

export class RecentHashes {
  readonly #bucketHashes: number;
  readonly #buckets: number;
  readonly #words: Uint32Array;
  /** Of each bucket, how many it holds; of a full one, its size and the next place to use. */
  readonly #taken: Uint32Array;
  /** The hash in question, as words. */
  readonly #asked = new Uint32Array(HASH_WORDS);
  readonly #askedBytes = new Uint8Array(this.#asked.buffer);

  /** @param capacity at least 1; above 16 it is rounded up to whole buckets of 16 */
  constructor(capacity: number) {
    this.#bucketHashes = Math.min(capacity, BUCKET_HASHES);
    this.#buckets = Math.ceil(capacity / this.#bucketHashes);
    this.#words = new Uint32Array(this.#buckets * this.#bucketHashes * HASH_WORDS);
    // Pages that were never written are not resident yet: what this takes, it takes now.
    this.#words.fill(0);
    this.#taken = new Uint32Array(this.#buckets);
  }

  /** Bytes that it takes, full or not. */
  get bytes(): number {
    return this.#words.byteLength + this.#taken.byteLength;
  }

  /** @param hash 32 bytes */
  has(hash: Uint8Array): boolean {
    const bucket = this.#bucketOf(hash);
    const held = Math.min(this.#taken[bucket] ?? 0, this.#bucketHashes);
    for (let place = 0; place < held; place++) if (this.#isAt(bucket, place)) return true;
    return false;
  }

  /** One that is here keeps its place. @param hash 32 bytes */
  add(hash: Uint8Array): void {
    if (this.has(hash)) return;
    const bucket = this.#bucketOf(hash);
    const taken = this.#taken[bucket] ?? 0;
    this.#words.set(this.#asked, this.#wordAt(bucket, taken % this.#bucketHashes));
    // Stays in step with the places and small, so that it never wraps round.
    this.#taken[bucket] = taken + 1 < 2 * this.#bucketHashes ? taken + 1 : this.#bucketHashes;
  }

  #bucketOf(hash: Uint8Array): number {
    this.#askedBytes.set(hash);
    return (this.#asked[0] ?? 0) % this.#buckets;
  }

  #wordAt(bucket: number, place: number): number {
    return (bucket * this.#bucketHashes + place) * HASH_WORDS;
  }

  #isAt(bucket: number, place: number): boolean {
    const at = this.#wordAt(bucket, place);
    for (let i = 0; i < HASH_WORDS; i++) if (this.#words[at + i] !== this.#asked[i]) return false;
    return true;
  }
}

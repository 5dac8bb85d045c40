/**
 * What is known of transactions before their wave runs: their hash, and the keys under which they
 * were found rightly signed (design/architecture.md, "Threads"). Admission, or a look ahead at
 * waves that wait, has done the arithmetic; the executor need not do it again.
 *
 * It trusts whoever adds, which is this node's own admission, and nothing else. All checks of a
 * transaction follow from its wire bytes and its sender's keys (`signatureChecks`), so an entry is
 * named by the Blake3 of the very wire bytes and carries the hash of the very keys.
 * Another signature on the same transaction is another name, and a sender whose keys were changed
 * has other keys: nothing passes that was not checked as it is. What is not remembered is checked
 * where it runs, so the outcome of a wave never depends on what is in here.
 *
 * An entry is flat: name ‖ transaction hash ‖ digest of the keys, 32 bytes each.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import { blake3Batch } from '../crypto/index.ts';
import { type Hash, type TxHash, toHash, toTxHash } from '../types/index.ts';

/** A transaction all of whose signatures verified under `keys`. */
export interface RightlySigned {
  /** Wire bytes. */
  readonly bytes: Uint8Array;
  readonly hash: TxHash;
  /** Names the sender's keys that its checks were made from, as the account's record does. */
  readonly keysHash: Hash;
}

export interface VerifiedTx {
  readonly hash: TxHash;
  readonly keysHash: Hash;
}

const DIGEST_BYTES = 32;
export const VERIFIED_ENTRY_BYTES = 3 * DIGEST_BYTES;
/** As many as a mempool holds: 3 MiB and an index. */
export const MAX_VERIFIED = 32_768;
/** Where the ring begins; it doubles up to its capacity. */
const FIRST_RING_BYTES = 512 * VERIFIED_ENTRY_BYTES;
/** What of a name the index goes by: as much as a number holds exactly. */
const INDEXED_BYTES = 6;

/** The entries of `transactions`, 96 bytes each. */
export function verifiedEntries(transactions: readonly RightlySigned[]): Uint8Array {
  const names = blake3Batch(transactions.map(({ bytes }) => bytes));
  const entries = new Uint8Array(transactions.length * VERIFIED_ENTRY_BYTES);
  transactions.forEach(({ hash, keysHash }, i) => {
    const at = i * VERIFIED_ENTRY_BYTES;
    entries.set(digestAt(names, i), at);
    entries.set(hash, at + DIGEST_BYTES);
    entries.set(keysHash, at + 2 * DIGEST_BYTES);
  });
  return entries;
}

/** The `i`th of digests that lie one after the other. */
export const digestAt = (digests: Uint8Array, i: number): Uint8Array =>
  digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);

/** A bounded memory of entries; the oldest make room. */
export class VerifiedTransactions {
  readonly #capacity: number;
  #ring: Uint8Array;
  /** Place in the ring by the start of a name; of two names with one start, the later. */
  readonly #places = new Map<number, number>();
  #next = 0;

  constructor(capacity: number = MAX_VERIFIED) {
    this.#capacity = capacity;
    this.#ring = new Uint8Array(Math.min(FIRST_RING_BYTES, this.#maxBytes));
  }

  get #maxBytes(): number {
    return this.#capacity * VERIFIED_ENTRY_BYTES;
  }

  get size(): number {
    return this.#places.size;
  }

  /** @param entries as {@link verifiedEntries} makes them */
  add(entries: Uint8Array): void {
    invariant(entries.length % VERIFIED_ENTRY_BYTES === 0, 'entries are whole');
    for (let at = 0; at < entries.length; at += VERIFIED_ENTRY_BYTES) {
      const place = this.#next * VERIFIED_ENTRY_BYTES;
      if (place === this.#ring.length) this.#grow();
      const replaced = nameStart(this.#ring, place);
      if (this.#places.get(replaced) === place) this.#places.delete(replaced);
      this.#ring.set(entries.subarray(at, at + VERIFIED_ENTRY_BYTES), place);
      this.#places.set(nameStart(entries, at), place);
      this.#next = (this.#next + 1) % this.#capacity;
    }
  }

  /** What is known of each of these wire bytes, in order. */
  find(transactions: readonly Uint8Array[]): readonly (VerifiedTx | undefined)[] {
    if (this.size === 0) return transactions.map(() => undefined);
    const names = blake3Batch(transactions);
    return transactions.map((_, i) => this.#entryOf(digestAt(names, i)));
  }

  #grow(): void {
    const ring = new Uint8Array(Math.min(2 * this.#ring.length, this.#maxBytes));
    ring.set(this.#ring);
    this.#ring = ring;
  }

  #entryOf(name: Uint8Array): VerifiedTx | undefined {
    const place = this.#places.get(nameStart(name, 0));
    if (place === undefined) return undefined;
    const entry = this.#ring.slice(place, place + VERIFIED_ENTRY_BYTES);
    if (!equalBytes(digestAt(entry, 0), name)) return undefined;
    return { hash: toTxHash(digestAt(entry, 1)), keysHash: toHash(digestAt(entry, 2)) };
  }
}

function nameStart(bytes: Uint8Array, at: number): number {
  let start = 0;
  for (let i = 0; i < INDEXED_BYTES; i++) start = start * 256 + (bytes[at + i] ?? 0);
  return start;
}

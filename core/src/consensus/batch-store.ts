/**
 * Batches by name: those that vertices of the DAG refer to, and a bounded number that arrived
 * before their vertex (design/consensus.md, "Waves").
 *
 * Bytes are kept in memory until a wave has carried them; after that only the count of references
 * is, which says when the stored copy may go. A batch that does not decode, or is not as long or as
 * full as its reference says, counts as empty; it never makes a vertex invalid.
 */
import { isPydeError, toHex } from '../bytes/index.ts';
import { type BatchHash, type BatchRef, decodeBatch, MAX_BATCH_BYTES } from '../types/index.ts';
import { nameKey } from './name-key.ts';

/** Of one sender, batches that no accepted vertex refers to. */
export const MAX_LOOSE_BATCHES = 8;
export const MAX_LOOSE_BYTES = 2 * MAX_BATCH_BYTES;
/** Of one author, bytes of batches that its waiting vertices refer to. */
export const MAX_WANTED_BYTES = 4 * MAX_BATCH_BYTES;

interface HeldBatch {
  readonly hash: BatchHash;
  /** Undefined once every vertex that refers to it is settled. */
  bytes: Uint8Array | undefined;
  /** Accepted vertices that refer to it. */
  references: number;
  /** Those among them that a wave may still carry. */
  waiting: number;
}

interface LooseBatch {
  readonly key: string;
  readonly bytes: number;
}

export class BatchStore {
  readonly #held = new Map<string, HeldBatch>();
  /** By sender, in order of arrival. */
  readonly #loose = new Map<number, LooseBatch[]>();
  /** By author of the vertex that waits for them, in order of arrival. */
  readonly #wanted = new Map<number, LooseBatch[]>();

  /** Are the bytes of this batch here? */
  has(hash: BatchHash): boolean {
    return this.bytesOf(hash) !== undefined;
  }

  /**
   * Is the batch here that is referred to? Bytes of another length are not it, so that what a
   * vertex makes others fetch and keep is bounded by what it declares.
   */
  holds({ hash, bytes }: BatchRef): boolean {
    return this.bytesOf(hash)?.length === bytes;
  }

  bytesOf(hash: BatchHash): Uint8Array | undefined {
    return this.#held.get(nameKey(hash))?.bytes;
  }

  /** Its bytes are in the store, whether or not they are here. */
  isStored(hash: BatchHash): boolean {
    return (this.#held.get(nameKey(hash))?.references ?? 0) > 0;
  }

  /** How many batches have their bytes in memory. */
  get inMemory(): number {
    let count = 0;
    for (const { bytes } of this.#held.values()) if (bytes !== undefined) count++;
    return count;
  }

  /** Keeps bytes that a vertex will refer to in this same step. */
  put(hash: BatchHash, bytes: Uint8Array): void {
    const key = nameKey(hash);
    const held = this.#held.get(key);
    if (held === undefined) this.#held.set(key, { hash, bytes, references: 0, waiting: 0 });
    else held.bytes ??= bytes;
  }

  /** Keeps bytes that a member sent; the sender's oldest loose batches make room. */
  putLoose(sender: number, hash: BatchHash, bytes: Uint8Array): void {
    if (this.has(hash)) return;
    this.put(hash, bytes);
    const loose = queueOf(this.#loose, sender);
    loose.push({ key: nameKey(hash), bytes: bytes.length });
    this.#makeRoom(loose, MAX_LOOSE_BATCHES, MAX_LOOSE_BYTES);
  }

  /**
   * Keeps bytes that a waiting vertex of `author` refers to.
   * @param urgent the vertex waits for batches alone: if there is no room, older ones make it
   * @returns false when there is no room
   */
  putWanted(author: number, hash: BatchHash, bytes: Uint8Array, urgent: boolean): boolean {
    if (this.has(hash)) return true;
    const wanted = queueOf(this.#wanted, author);
    const held = wanted.reduce((sum, batch) => sum + batch.bytes, 0);
    if (!urgent && held + bytes.length > MAX_WANTED_BYTES) return false;
    this.put(hash, bytes);
    wanted.push({ key: nameKey(hash), bytes: bytes.length });
    this.#makeRoom(wanted, Number.POSITIVE_INFINITY, MAX_WANTED_BYTES);
    return true;
  }

  /**
   * Counts a reference by an accepted vertex.
   * @returns the bytes, if this is the first reference and they must be stored
   */
  refer(hash: BatchHash, waiting: boolean): Uint8Array | undefined {
    const key = nameKey(hash);
    const held = this.#held.get(key) ?? { hash, bytes: undefined, references: 0, waiting: 0 };
    this.#held.set(key, held);
    this.#settle(key);
    held.references++;
    if (waiting) held.waiting++;
    const { bytes } = held;
    if (held.waiting === 0) held.bytes = undefined;
    return held.references === 1 ? bytes : undefined;
  }

  /** The transactions of a referred batch, for the wave that carries the vertex. */
  take(ref: BatchRef): readonly Uint8Array[] {
    const bytes = this.#held.get(nameKey(ref.hash))?.bytes;
    if (bytes === undefined) {
      throw new Error(`invariant broken: batch ${toHex(ref.hash)} of an accepted vertex is held`);
    }
    this.settle(ref.hash);
    return transactionsOf(ref, bytes);
  }

  /** One vertex that refers to it was emitted, or never will be. */
  settle(hash: BatchHash): void {
    const held = this.#held.get(nameKey(hash));
    if (held === undefined) return;
    held.waiting--;
    if (held.waiting === 0) held.bytes = undefined;
  }

  /** Forgets a reference by a vertex that left the DAG. @returns true if it was the last */
  release(hash: BatchHash): boolean {
    const key = nameKey(hash);
    const held = this.#held.get(key);
    if (held === undefined) return false;
    held.references--;
    if (held.references > 0) return false;
    this.#held.delete(key);
    return true;
  }

  /** A batch that was referred to is not loose any more. */
  #settle(key: string): void {
    for (const queues of [this.#loose, this.#wanted]) {
      for (const queue of queues.values()) {
        const at = queue.findIndex((batch) => batch.key === key);
        if (at >= 0) queue.splice(at, 1);
      }
    }
  }

  #makeRoom(queue: LooseBatch[], maxBatches: number, maxBytes: number): void {
    let total = queue.reduce((sum, batch) => sum + batch.bytes, 0);
    while (queue.length > maxBatches || total > maxBytes) {
      const oldest = queue.shift();
      if (oldest === undefined) break;
      total -= oldest.bytes;
      const held = this.#held.get(oldest.key);
      if (held?.references === 0) this.#held.delete(oldest.key);
      else if (held?.waiting === 0) held.bytes = undefined;
    }
  }
}

function queueOf(queues: Map<number, LooseBatch[]>, owner: number): LooseBatch[] {
  const queue = queues.get(owner) ?? [];
  queues.set(owner, queue);
  return queue;
}

function transactionsOf(ref: BatchRef, bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length !== ref.bytes) return [];
  try {
    const { transactions } = decodeBatch(bytes);
    return transactions.length === ref.count ? transactions : [];
  } catch (error) {
    if (isPydeError(error)) return [];
    throw error;
  }
}

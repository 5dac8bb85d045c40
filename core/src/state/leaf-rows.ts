/**
 * The leaves of one update in one table of words, each row laid out as a parent keeps a leaf:
 * version ‖ Blake3 ‖ Poseidon2 ‖ key. First come the changes of the update in key order, hashed in
 * batches; then leaves of the old tree that the update moves to another place.
 */
import { compareBytes, invariant } from '../bytes/index.ts';
import { blake3Batch, blake3LeafBatch, poseidon2StateBatch } from '../crypto/index.ts';
import { TREE_KEY_BYTES } from './key.ts';
import {
  copyWords,
  ENTRY_HASH_AT,
  ENTRY_KEY_AT,
  HASH_PAIR_WORDS,
  LEAF_ENTRY_WORDS,
  type LeafRef,
  readVersion,
  writeVersion,
} from './node.ts';
import { LEAF_DOMAIN, NODE_HASH_BYTES, VALUE_DOMAIN } from './tree-hash.ts';

const ROW_BYTES = 4 * LEAF_ENTRY_WORDS;
const HASH_AT = 4 * ENTRY_HASH_AT;
const KEY_AT = 4 * ENTRY_KEY_AT;
const LEAF_MESSAGE_BYTES = TREE_KEY_BYTES + NODE_HASH_BYTES;

export interface TreeChange {
  readonly key: Uint8Array;
  /** Undefined removes the leaf. A value of no bytes is a value. */
  readonly value: Uint8Array | undefined;
}

export class LeafRows<Change extends TreeChange> {
  /** In key order; change i is row i. A removal's row has only a key. */
  readonly changes: readonly Change[];
  #words: Uint32Array;
  #bytes: Uint8Array;
  #count: number;

  /** @param changes in any order, each key at most once */
  constructor(changes: readonly Change[], version: bigint) {
    this.changes = inKeyOrder(changes);
    this.#count = changes.length;
    this.#words = new Uint32Array((changes.length + 16) * LEAF_ENTRY_WORDS);
    this.#bytes = new Uint8Array(this.#words.buffer);
    this.#fill(version);
  }

  /** The table as it is now: adding a row may move it. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** Where the entry of a row begins. */
  entryAt(row: number): number {
    return row * LEAF_ENTRY_WORDS;
  }

  nibble(row: number, depth: number): number {
    const byte = this.#bytes[row * ROW_BYTES + KEY_AT + (depth >> 1)] ?? 0;
    return (depth & 1) === 0 ? byte >> 4 : byte & 15;
  }

  /** A view; right until a row is added. */
  key(row: number): Uint8Array {
    const at = row * ROW_BYTES + KEY_AT;
    return this.#bytes.subarray(at, at + TREE_KEY_BYTES);
  }

  version(row: number): bigint {
    return readVersion(this.#words, this.entryAt(row));
  }

  /** Takes over the entry of a leaf that lies at `at`. */
  add(words: Uint32Array, at: number): number {
    const row = this.#next();
    copyWords(this.#words, this.entryAt(row), words, at, LEAF_ENTRY_WORDS);
    return row;
  }

  addLeaf({ key, version, hash }: LeafRef): number {
    const row = this.#next();
    const at = row * ROW_BYTES;
    writeVersion(this.#words, this.entryAt(row), version);
    this.#bytes.set(hash.blake3, at + HASH_AT);
    this.#bytes.set(hash.poseidon2, at + HASH_AT + NODE_HASH_BYTES);
    this.#bytes.set(key, at + KEY_AT);
    return row;
  }

  /** The leaf of a row as a copy. */
  leaf(row: number): LeafRef {
    const at = row * ROW_BYTES + HASH_AT;
    const poseidon2At = at + NODE_HASH_BYTES;
    const hash = {
      blake3: this.#bytes.slice(at, poseidon2At),
      poseidon2: this.#bytes.slice(poseidon2At, poseidon2At + NODE_HASH_BYTES),
    };
    return { kind: 'leaf', key: this.key(row).slice(), version: this.version(row), hash };
  }

  sameKey(row: number, words: Uint32Array, at: number): boolean {
    const key = this.entryAt(row) + ENTRY_KEY_AT;
    return equalWords(this.#words, key, words, at + ENTRY_KEY_AT, TREE_KEY_BYTES / 4);
  }

  sameHash(row: number, words: Uint32Array, at: number): boolean {
    const hash = this.entryAt(row) + ENTRY_HASH_AT;
    return equalWords(this.#words, hash, words, at + ENTRY_HASH_AT, HASH_PAIR_WORDS);
  }

  compareKeys(a: number, b: number): number {
    return compareBytes(this.key(a), this.key(b));
  }

  #next(): number {
    if ((this.#count + 1) * LEAF_ENTRY_WORDS > this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length);
      larger.set(this.#words);
      this.#words = larger;
      this.#bytes = new Uint8Array(larger.buffer);
    }
    return this.#count++;
  }

  #fill(version: bigint): void {
    const values: Uint8Array[] = [];
    const rows: number[] = [];
    this.changes.forEach(({ key, value }, row) => {
      this.#bytes.set(key, row * ROW_BYTES + KEY_AT);
      if (value === undefined) return;
      values.push(value);
      rows.push(row);
      writeVersion(this.#words, this.entryAt(row), version);
    });
    const blake3 = this.#leafMessages(rows, blake3Batch(values));
    const poseidon2 = this.#leafMessages(rows, poseidon2StateBatch(VALUE_DOMAIN, values));
    const messages = rows.map((_, i) =>
      poseidon2.subarray(i * LEAF_MESSAGE_BYTES, (i + 1) * LEAF_MESSAGE_BYTES),
    );
    this.#putHashes(rows, blake3LeafBatch(blake3), HASH_AT);
    const leaves = poseidon2StateBatch(LEAF_DOMAIN, messages);
    this.#putHashes(rows, leaves, HASH_AT + NODE_HASH_BYTES);
  }

  /** key ‖ value digest for each row. */
  #leafMessages(rows: readonly number[], valueDigests: Uint8Array): Uint8Array {
    const out = new Uint8Array(rows.length * LEAF_MESSAGE_BYTES);
    rows.forEach((row, i) => {
      const at = i * LEAF_MESSAGE_BYTES;
      out.set(this.key(row), at);
      const digest = valueDigests.subarray(i * NODE_HASH_BYTES, (i + 1) * NODE_HASH_BYTES);
      out.set(digest, at + TREE_KEY_BYTES);
    });
    return out;
  }

  #putHashes(rows: readonly number[], hashes: Uint8Array, at: number): void {
    rows.forEach((row, i) => {
      const hash = hashes.subarray(i * NODE_HASH_BYTES, (i + 1) * NODE_HASH_BYTES);
      this.#bytes.set(hash, row * ROW_BYTES + at);
    });
  }
}

/** Sorted by the first 48 bits as one number, which nearly always decides. */
function inKeyOrder<Change extends TreeChange>(changes: readonly Change[]): Change[] {
  const items = changes.map((change) => ({ start: keyStart(change.key), change }));
  items.sort((a, b) => a.start - b.start || compareBytes(a.change.key, b.change.key));
  for (let i = 1; i < items.length; i++) {
    const [before, item] = [items[i - 1], items[i]];
    const distinct =
      before !== undefined &&
      item !== undefined &&
      (before.start !== item.start || compareBytes(before.change.key, item.change.key) !== 0);
    invariant(distinct, 'a batch changes each key at most once');
  }
  return items.map(({ change }) => change);
}

function keyStart(key: Uint8Array): number {
  invariant(key.length === TREE_KEY_BYTES, 'a tree key has 32 bytes');
  let start = 0;
  for (let i = 0; i < 6; i++) start = start * 256 + (key[i] ?? 0);
  return start;
}

function equalWords(
  a: Uint32Array,
  aAt: number,
  b: Uint32Array,
  bAt: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

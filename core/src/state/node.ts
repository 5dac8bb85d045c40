/**
 * An internal node of the tree: radix 16, up to sixteen children and their hashes
 * (docs/protocol/encoding-state.md, "Tree records").
 *
 * Radix 16 is storage only. A node stands for four binary levels, which form a heap of slots: slot 1
 * is the node itself, slots 2s and 2s + 1 are the halves of slot s, slots 16 … 31 are the children.
 * A slot among 1 … 15 has a hash of its own unless nothing, or one leaf alone, lies below it.
 *
 * There may be millions of nodes in memory, and every wave writes thousands, so a node is one row
 * of words (`node-memory.ts`): the bytes of its record as they lie in the store, then the hashes of its slots, which are
 * derived and never stored. A node exists only where at least two leaves lie below it.
 */
import { invariant, PydeError } from '../bytes/index.ts';
import { TREE_KEY_BYTES } from './key.ts';
import { Tenant } from './node-memory.ts';
import { NODE_HASH_BYTES, type NodeHash } from './tree-hash.ts';

export const RADIX = 16;
const FIRST_CHILD_SLOT = 16;

/** Words are u32; all places below count words, from the start of the array that a node lies in. */
const WORD_BYTES = 4;
const HEADER_WORDS = 1;
const VERSION_WORDS = 2;
export const HASH_WORDS = NODE_HASH_BYTES / WORD_BYTES;
/** Blake3 ‖ Poseidon2. */
export const HASH_PAIR_WORDS = 2 * HASH_WORDS;
const INNER_ENTRY_WORDS = VERSION_WORDS + HASH_PAIR_WORDS;
const KEY_WORDS = TREE_KEY_BYTES / WORD_BYTES;
/** A leaf as its parent keeps it: version ‖ Blake3 ‖ Poseidon2 ‖ key. */
export const LEAF_ENTRY_WORDS = INNER_ENTRY_WORDS + KEY_WORDS;
/** Where the hashes begin in the entry of a child. */
export const ENTRY_HASH_AT = VERSION_WORDS;
/** Where the key begins in the entry of a leaf. */
export const ENTRY_KEY_AT = INNER_ENTRY_WORDS;

invariant(
  new Uint8Array(Uint32Array.of(1).buffer)[0] === 1,
  'records are little-endian, and so is every processor that this runs on',
);

/** A leaf: its record lies at (version, key). */
export interface LeafRef {
  readonly kind: 'leaf';
  readonly key: Uint8Array;
  readonly version: bigint;
  readonly hash: NodeHash;
}

/** An internal node that lies in the store at (version, path). */
export interface InnerRef {
  readonly kind: 'inner';
  readonly version: bigint;
  readonly hash: NodeHash;
}

/** The child nibbles below each slot, as a bit mask. */
const CHILDREN_UNDER = Uint16Array.from({ length: 32 }, (_, slot) => {
  if (slot === 0) return 0;
  const level = 31 - Math.clz32(slot);
  const first = (slot << (4 - level)) - FIRST_CHILD_SLOT;
  return ((1 << (RADIX >> level)) - 1) << first;
});

export class InnerNode extends Tenant {
  /** The version that writes this node. */
  readonly version: bigint;
  /** Bit i: child i exists. */
  readonly children: number;
  /** Bit i: child i is a leaf. */
  readonly leaves: number;
  /** Bit s: slot s has a hash of its own. */
  readonly slots: number;
  /** Bit s: the hash of slot s is yet to be computed (`node-hashing.ts`). */
  pending: number;
  /** Words of the record, after which the hashes of `slots` lie. */
  readonly #recordWords: number;

  /** A node whose entries and hashes are all yet to be filled in. */
  constructor(version: bigint, children: number, leaves: number) {
    const slots = slotsOf(children, leaves);
    const length = recordWords(children, leaves);
    super(length + HASH_PAIR_WORDS * bitCount(slots));
    this.version = version;
    this.children = children;
    this.leaves = leaves;
    this.slots = slots;
    this.pending = slots;
    this.#recordWords = length;
    this.words[this.at] = children | (leaves << RADIX);
  }

  /**
   * The node that follows `old` with another set of children: entries and hashes that no child of
   * `touched` takes part in are taken over, and `touched` are to be filled in.
   */
  static after(
    old: InnerNode,
    version: bigint,
    { children, leaves, touched }: { children: number; leaves: number; touched: number },
  ): InnerNode {
    const node = new InnerNode(version, children, leaves);
    node.#takeOver(old, touched);
    return node;
  }

  /** Where the entry of an existing child begins. */
  childAt(nibble: number): number {
    const below = (1 << nibble) - 1;
    const others = bitCount(this.children & below);
    const keys = bitCount(this.leaves & below);
    return this.at + HEADER_WORDS + INNER_ENTRY_WORDS * others + KEY_WORDS * keys;
  }

  /** Where the hashes of a slot among 1 … 31 lie, or −1 when nothing is below it. */
  hashAt(slot: number): number {
    if (((this.slots >> slot) & 1) === 1 && slot < FIRST_CHILD_SLOT) return this.ownHashAt(slot);
    const below = this.children & (CHILDREN_UNDER[slot] ?? 0);
    return below === 0 ? -1 : this.childAt(31 - Math.clz32(below)) + ENTRY_HASH_AT;
  }

  /** Where the hashes of a slot of `slots` lie. */
  ownHashAt(slot: number): number {
    const others = bitCount(this.slots & ((1 << slot) - 1));
    return this.at + this.#recordWords + HASH_PAIR_WORDS * others;
  }

  child(nibble: number): LeafRef | InnerRef | undefined {
    if (((this.children >> nibble) & 1) === 0) return undefined;
    const at = this.childAt(nibble);
    const version = this.childVersion(nibble);
    const hash = this.#hashesAt(at + ENTRY_HASH_AT);
    if (((this.leaves >> nibble) & 1) === 0) return { kind: 'inner', version, hash };
    const key = this.#bytesAt(at + ENTRY_KEY_AT, TREE_KEY_BYTES);
    return { kind: 'leaf', key, version, hash };
  }

  childVersion(nibble: number): bigint {
    return readVersion(this.words, this.childAt(nibble));
  }

  /** True when no child lies below `slot`: its hash is the empty one. */
  isEmptyUnder(slot: number): boolean {
    return (this.children & (CHILDREN_UNDER[slot] ?? 0)) === 0;
  }

  /** The nibble of the leaf that is all that lies below `slot`, or −1. */
  singleLeafUnder(slot: number): number {
    return singleLeaf(this.children & (CHILDREN_UNDER[slot] ?? 0), this.leaves);
  }

  /** Copies of both hashes of a slot that is not pending; zeros where nothing is below it. */
  slotHash(slot: number): NodeHash {
    const at = this.hashAt(slot);
    if (at >= 0) return this.#hashesAt(at);
    return { blake3: new Uint8Array(NODE_HASH_BYTES), poseidon2: new Uint8Array(NODE_HASH_BYTES) };
  }

  /** The bytes of the record: not a copy. */
  record(): Uint8Array {
    return this.#view(this.at, this.#recordWords * WORD_BYTES);
  }

  #takeOver(old: InnerNode, touched: number): void {
    const { words } = this;
    if (old.children === this.children && old.leaves === this.leaves) {
      const length = this.#recordWords + HASH_PAIR_WORDS * bitCount(this.slots);
      copyWords(words, this.at, old.words, old.at, length);
      this.pending = old.pending | slotsAbove(this.slots, touched);
      return;
    }
    for (let rest = this.children & old.children & ~touched; rest !== 0; rest &= rest - 1) {
      const nibble = 31 - Math.clz32(rest & -rest);
      const isLeaf = ((this.leaves >> nibble) & 1) === 1;
      const length = isLeaf ? LEAF_ENTRY_WORDS : INNER_ENTRY_WORDS;
      copyWords(words, this.childAt(nibble), old.words, old.childAt(nibble), length);
    }
    const kept = this.slots & old.slots & ~old.pending & ~slotsAbove(this.slots, touched);
    for (let rest = kept; rest !== 0; rest &= rest - 1) {
      const slot = 31 - Math.clz32(rest & -rest);
      copyWords(words, this.ownHashAt(slot), old.words, old.ownHashAt(slot), HASH_PAIR_WORDS);
    }
    this.pending = this.slots & ~kept;
  }

  #hashesAt(at: number): NodeHash {
    return {
      blake3: this.#bytesAt(at, NODE_HASH_BYTES),
      poseidon2: this.#bytesAt(at + HASH_WORDS, NODE_HASH_BYTES),
    };
  }

  #bytesAt(at: number, length: number): Uint8Array {
    return this.#view(at, length).slice();
  }

  #view(at: number, length: number): Uint8Array {
    return new Uint8Array(this.words.buffer, at * WORD_BYTES, length);
  }
}

/**
 * Reads a record of our own store, whose checksum held:
 * children u16 ‖ leaves u16 ‖ for each child in nibble order: version u64 ‖ Blake3 ‖ Poseidon2
 * ‖ (for a leaf) its tree key. Integers little-endian.
 * @throws PydeError `state.node-record` when it is no node all the same
 */
export function decodeInnerNode(bytes: Uint8Array, version: bigint): InnerNode {
  const children = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  const leaves = (bytes[2] ?? 0) | ((bytes[3] ?? 0) << 8);
  const wellFormed = children !== 0 && (leaves & ~children) === 0;
  if (!wellFormed || bytes.length !== recordWords(children, leaves) * WORD_BYTES) {
    throw new PydeError(
      'state.node-record',
      `a node record of ${bytes.length} bytes with children ${children} and leaves ${leaves} ` +
        'is not well-formed: the store was written by another program; start from an empty one',
      { length: bytes.length, children, leaves },
    );
  }
  const node = new InnerNode(version, children, leaves);
  node.record().set(bytes);
  return node;
}

/** Both halves of a u64 at `at`. */
export function writeVersion(words: Uint32Array, at: number, version: bigint): void {
  words[at] = Number(version & 0xffff_ffffn);
  words[at + 1] = Number(version >> 32n);
}

export function readVersion(words: Uint32Array, at: number): bigint {
  const high = words[at + 1] ?? 0;
  const low = BigInt(words[at] ?? 0);
  return high === 0 ? low : (BigInt(high) << 32n) | low;
}

/** A loop: for the few words of a hash or an entry it beats views and `set`. */
export function copyWords(
  to: Uint32Array,
  toAt: number,
  from: Uint32Array,
  fromAt: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i] ?? 0;
}

/** The nibble of the only child of `children` when it is a leaf, or −1. */
export function singleLeaf(children: number, leaves: number): number {
  const single = children !== 0 && (children & (children - 1)) === 0 && (children & leaves) !== 0;
  return single ? 31 - Math.clz32(children) : -1;
}

function recordWords(children: number, leaves: number): number {
  return HEADER_WORDS + INNER_ENTRY_WORDS * bitCount(children) + KEY_WORDS * bitCount(leaves);
}

/** The slots with a hash of their own: more than nothing or one leaf below. */
function slotsOf(children: number, leaves: number): number {
  let slots = 0;
  for (let slot = 1; slot < FIRST_CHILD_SLOT; slot++) {
    const below = children & (CHILDREN_UNDER[slot] ?? 0);
    if (below !== 0 && singleLeaf(below, leaves) < 0) slots |= 1 << slot;
  }
  return slots;
}

/** Those of `slots` with a child of `touched` below. */
function slotsAbove(slots: number, touched: number): number {
  let above = 0;
  for (let rest = slots; rest !== 0; rest &= rest - 1) {
    const slot = 31 - Math.clz32(rest & -rest);
    if ((touched & (CHILDREN_UNDER[slot] ?? 0)) !== 0) above |= 1 << slot;
  }
  return above;
}

/** How many of sixteen bits are set. */
function bitCount(bits: number): number {
  const pairs = bits - ((bits >> 1) & 0x5555);
  const nibbles = (pairs & 0x3333) + ((pairs >> 2) & 0x3333);
  const bytes = (nibbles + (nibbles >> 4)) & 0x0f0f;
  return (bytes + (bytes >> 8)) & 0x1f;
}

/**
 * An internal node of the tree as it is stored: radix 16, up to sixteen children and their hashes
 * (docs/protocol/encoding-state.md, "Node record").
 *
 * Radix 16 is storage only. A node stands for four binary levels, kept as a heap of hash slots:
 * slot 1 is the node itself, slots 2s and 2s + 1 are the halves of slot s, slots 16 … 31 are the
 * children. Slots 1 … 15 are derived, never stored, and computed when first asked for
 * (`node-hashing.ts`). A node exists only where at least two leaves lie below it.
 */
import { invariant, PydeError } from '../bytes/index.ts';
import { TREE_KEY_BYTES } from './key.ts';
import { NODE_HASH_BYTES, type NodeHash } from './tree-hash.ts';

export const RADIX = 16;
const SLOTS = 32;
const FIRST_CHILD_SLOT = 16;
/** Where the Poseidon2 hashes of the slots begin; the Blake3 hashes are before them. */
export const POSEIDON2_SLOTS_AT = SLOTS * NODE_HASH_BYTES;
const NODE_HEADER_BYTES = 4;
const CHILD_BYTES = 8 + 2 * NODE_HASH_BYTES;

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

/** What hangs below a position: nothing, a leaf, a stored node, or a node of the running update. */
export type Subtree = undefined | LeafRef | InnerRef | InnerNode;

/** The child nibbles below each slot, as a bit mask. */
const CHILDREN_UNDER: readonly number[] = Array.from({ length: SLOTS }, (_, slot) => {
  if (slot === 0) return 0;
  const level = 31 - Math.clz32(slot);
  const first = (slot << (4 - level)) - FIRST_CHILD_SLOT;
  return ((1 << (RADIX >> level)) - 1) << first;
});

export class InnerNode {
  readonly kind = 'node';
  /** The version that writes this node. */
  readonly version: bigint;
  /** Bit i: child i exists. */
  children: number;
  /** Bit i: child i is a leaf. */
  leaves: number;
  /** Bit s: the hashes of slot s are those of the children as they are now. */
  hashed: number;
  /** Blake3 hashes of slots 0 … 31, then their Poseidon2 hashes; one buffer, nodes are many. */
  readonly slots: Uint8Array;
  readonly #versions: bigint[];
  readonly #leafKeys: (Uint8Array | undefined)[];

  constructor(version: bigint, like?: InnerNode) {
    this.version = version;
    this.children = like === undefined ? 0 : like.children;
    this.leaves = like === undefined ? 0 : like.leaves;
    this.hashed = like === undefined ? 0 : like.hashed;
    this.slots = like === undefined ? new Uint8Array(2 * POSEIDON2_SLOTS_AT) : like.slots.slice();
    this.#versions = like === undefined ? new Array(RADIX).fill(0n) : like.#versions.slice();
    this.#leafKeys = like === undefined ? new Array(RADIX).fill(undefined) : like.#leafKeys.slice();
  }

  /** A copy that belongs to a newer version and may be changed. */
  cloneAt(version: bigint): InnerNode {
    return new InnerNode(version, this);
  }

  child(nibble: number): LeafRef | InnerRef | undefined {
    if (((this.children >> nibble) & 1) === 0) return undefined;
    const version = this.#versions[nibble] ?? 0n;
    const hash = this.slotHash(FIRST_CHILD_SLOT + nibble);
    const key = this.#leafKeys[nibble];
    return key === undefined
      ? { kind: 'inner', version, hash }
      : { kind: 'leaf', key, version, hash };
  }

  /** Puts a subtree at `nibble`; the hash of an `InnerNode` follows through `setChildHash`. */
  setChild(nibble: number, subtree: Subtree): void {
    const bit = 1 << nibble;
    this.children = subtree === undefined ? this.children & ~bit : this.children | bit;
    this.leaves = subtree?.kind === 'leaf' ? this.leaves | bit : this.leaves & ~bit;
    this.#versions[nibble] = subtree?.version ?? 0n;
    this.#leafKeys[nibble] = subtree?.kind === 'leaf' ? subtree.key : undefined;
    if (subtree === undefined) this.#clearChildHash(nibble);
    else if (subtree.kind !== 'node') {
      this.setChildHash(nibble, subtree.hash.blake3, subtree.hash.poseidon2);
    }
  }

  setChildHash(nibble: number, blake3: Uint8Array, poseidon2: Uint8Array): void {
    const slot = FIRST_CHILD_SLOT + nibble;
    this.slots.set(blake3, slot * NODE_HASH_BYTES);
    this.slots.set(poseidon2, POSEIDON2_SLOTS_AT + slot * NODE_HASH_BYTES);
    this.#dropHashesAbove(slot);
  }

  /** The only child when it is a leaf: such a node is replaced by the leaf. */
  onlyLeaf(): LeafRef | undefined {
    return this.singleLeafUnder(1) < 0 ? undefined : this.#leafAt(this.singleLeafUnder(1));
  }

  /** True when no child lies below `slot`: its hash is the empty one. */
  isEmptyUnder(slot: number): boolean {
    return (this.children & (CHILDREN_UNDER[slot] ?? 0)) === 0;
  }

  /** The nibble of the leaf that is all that lies below `slot`, or −1. */
  singleLeafUnder(slot: number): number {
    const below = this.children & (CHILDREN_UNDER[slot] ?? 0);
    const single = below !== 0 && (below & (below - 1)) === 0 && (below & this.leaves) !== 0;
    return single ? 31 - Math.clz32(below) : -1;
  }

  /** Views of both hashes of a slot; right only when `hashed` has the slot's bit. */
  slotHash(slot: number): NodeHash {
    const at = slot * NODE_HASH_BYTES;
    const poseidon2At = POSEIDON2_SLOTS_AT + at;
    return {
      blake3: this.slots.subarray(at, at + NODE_HASH_BYTES),
      poseidon2: this.slots.subarray(poseidon2At, poseidon2At + NODE_HASH_BYTES),
    };
  }

  /** The children as `encodeInnerNode` lays them out, after the header. */
  writeChildren(out: Uint8Array, view: DataView): void {
    let at = NODE_HEADER_BYTES;
    for (let nibble = 0; nibble < RADIX; nibble++) {
      if (((this.children >> nibble) & 1) === 0) continue;
      const slot = (FIRST_CHILD_SLOT + nibble) * NODE_HASH_BYTES;
      const { slots } = this;
      view.setBigUint64(at, this.#versions[nibble] ?? 0n, true);
      out.set(slots.subarray(slot, slot + NODE_HASH_BYTES), at + 8);
      const poseidon2At = POSEIDON2_SLOTS_AT + slot;
      out.set(slots.subarray(poseidon2At, poseidon2At + NODE_HASH_BYTES), at + 8 + NODE_HASH_BYTES);
      at += CHILD_BYTES;
      const key = this.#leafKeys[nibble];
      if (key === undefined) continue;
      out.set(key, at);
      at += TREE_KEY_BYTES;
    }
  }

  /** Fills an empty node, whose bits are set, from a record of the right length. */
  readChildren(bytes: Uint8Array, view: DataView): void {
    let at = NODE_HEADER_BYTES;
    for (let nibble = 0; nibble < RADIX; nibble++) {
      if (((this.children >> nibble) & 1) === 0) continue;
      const slot = (FIRST_CHILD_SLOT + nibble) * NODE_HASH_BYTES;
      const poseidon2From = at + 8 + NODE_HASH_BYTES;
      this.#versions[nibble] = view.getBigUint64(at, true);
      this.slots.set(bytes.subarray(at + 8, poseidon2From), slot);
      this.slots.set(bytes.subarray(poseidon2From, at + CHILD_BYTES), POSEIDON2_SLOTS_AT + slot);
      at += CHILD_BYTES;
      if (((this.leaves >> nibble) & 1) === 0) continue;
      this.#leafKeys[nibble] = bytes.slice(at, at + TREE_KEY_BYTES);
      at += TREE_KEY_BYTES;
    }
  }

  #leafAt(nibble: number): LeafRef {
    const leaf = this.child(nibble);
    invariant(leaf?.kind === 'leaf', 'a leaf bit has a leaf key');
    return leaf;
  }

  #clearChildHash(nibble: number): void {
    const slot = FIRST_CHILD_SLOT + nibble;
    const at = slot * NODE_HASH_BYTES;
    this.slots.fill(0, at, at + NODE_HASH_BYTES);
    this.slots.fill(0, POSEIDON2_SLOTS_AT + at, POSEIDON2_SLOTS_AT + at + NODE_HASH_BYTES);
    this.#dropHashesAbove(slot);
  }

  #dropHashesAbove(slot: number): void {
    for (let above = slot >> 1; above > 0; above >>= 1) this.hashed &= ~(1 << above);
  }
}

/**
 * children u16 ‖ leaves u16 ‖ for each child in nibble order: version u64 ‖ Blake3 ‖ Poseidon2
 * ‖ (for a leaf) its tree key. Integers little-endian.
 */
export function encodeInnerNode(node: InnerNode): Uint8Array {
  const out = new Uint8Array(recordBytes(node.children, node.leaves));
  const view = new DataView(out.buffer);
  view.setUint16(0, node.children, true);
  view.setUint16(2, node.leaves, true);
  node.writeChildren(out, view);
  return out;
}

/**
 * Reads a record of our own store, whose checksum held.
 * @throws PydeError `state.node-record` when it is no node all the same
 */
export function decodeInnerNode(bytes: Uint8Array, version: bigint): InnerNode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const children = bytes.length < NODE_HEADER_BYTES ? 0 : view.getUint16(0, true);
  const leaves = bytes.length < NODE_HEADER_BYTES ? 0 : view.getUint16(2, true);
  const wellFormed = children !== 0 && (leaves & ~children) === 0;
  if (!wellFormed || bytes.length !== recordBytes(children, leaves)) {
    throw new PydeError(
      'state.node-record',
      `a node record of ${bytes.length} bytes with children ${children} and leaves ${leaves} ` +
        'is not well-formed: the store was written by another program; start from an empty one',
      { length: bytes.length, children, leaves },
    );
  }
  const node = new InnerNode(version);
  node.children = children;
  node.leaves = leaves;
  node.readChildren(bytes, view);
  return node;
}

function recordBytes(children: number, leaves: number): number {
  return NODE_HEADER_BYTES + bitCount(children) * CHILD_BYTES + bitCount(leaves) * TREE_KEY_BYTES;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

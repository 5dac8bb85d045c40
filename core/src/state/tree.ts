/**
 * The Jellyfish Merkle tree: one batch of changes turns the tree of one version into the tree of
 * the next; nothing that an older version can reach is touched
 * (design/state-and-execution.md, "Jellyfish Merkle tree, two roots").
 *
 * Keys are 32-byte tree keys; what they stand for is the caller's. First the shape is rebuilt from
 * the root down, sharing every subtree without a change; then hashes are computed from the deepest
 * level up, each level of all changed nodes in one batch. Recursion ends at 64 nibbles.
 */
import { compareBytes, equalBytes, invariant } from '../bytes/index.ts';
import { InnerNode, type InnerRef, type LeafRef, RADIX, type Subtree } from './node.ts';
import { completeHashes } from './node-hashing.ts';
import {
  EMPTY_HASH,
  hashLeaf,
  hashValue,
  keyNibble,
  NODE_HASH_BYTES,
  type NodeHash,
} from './tree-hash.ts';

export const KEY_NIBBLES = 64;

/** Reads stored nodes; a node that the tree refers to and the store lacks is an error. */
export interface NodeReader {
  /**
   * A copy, to be changed and written at `copyVersion`, of the internal node of `version` at the
   * first `depth` nibbles of `key`.
   */
  copyInnerNode(version: bigint, key: Uint8Array, depth: number, copyVersion: bigint): InnerNode;
}

export interface TreeChange {
  readonly key: Uint8Array;
  /** Undefined removes the leaf. A value of no bytes is a value. */
  readonly value: Uint8Array | undefined;
}

/** The root as a later update starts from it. */
export type TreeRoot = undefined | LeafRef | InnerRef;

/** Where a node lies in the store; a leaf has depth 64. */
export interface NodeLocation {
  readonly version: bigint;
  readonly key: Uint8Array;
  readonly depth: number;
}

export interface TreeUpdate<Change extends TreeChange> {
  readonly root: TreeRoot;
  /** Internal nodes to be written, at the first `depth` nibbles of `key`. */
  readonly nodes: readonly { readonly node: InnerNode; key: Uint8Array; depth: number }[];
  /** The changes that change something, in key order. */
  readonly applied: readonly Change[];
  /** Nodes that versions before this one reach and this one does not. */
  readonly stale: readonly NodeLocation[];
}

/** Both hashes of a tree. */
export function rootHash(root: TreeRoot): NodeHash {
  return root?.hash ?? EMPTY_HASH;
}

/**
 * Applies `changes`, in any order, to the tree under `root`.
 * @param version newer than `root`; a version that is new as a whole may also be built in several
 *   steps, each writing over the nodes of the one before: `stale` means nothing then
 */
export function updateTree<Change extends TreeChange>(
  reader: NodeReader,
  root: TreeRoot,
  version: bigint,
  changes: readonly Change[],
): TreeUpdate<Change> {
  return new Update(reader, version, changes).run(root);
}

interface Item<Change> {
  readonly change: Change;
  readonly key: Uint8Array;
  /** The leaf to be; undefined for a removal. */
  readonly leaf: LeafRef | undefined;
}

/** A changed node, with the changed children whose hashes it still waits for. */
interface ChangedNode {
  readonly node: InnerNode;
  readonly key: Uint8Array;
  readonly waitsFor: { readonly nibble: number; readonly child: InnerNode }[];
}

class Update<Change extends TreeChange> {
  readonly #reader: NodeReader;
  readonly #version: bigint;
  readonly #items: readonly Item<Change>[];
  readonly #changed: ChangedNode[][] = [];
  readonly #applied: Change[] = [];
  readonly #stale: NodeLocation[] = [];

  constructor(reader: NodeReader, version: bigint, changes: readonly Change[]) {
    this.#reader = reader;
    this.#version = version;
    this.#items = sortedItems(changes, version);
  }

  run(root: TreeRoot): TreeUpdate<Change> {
    const top = this.#items.length === 0 ? root : this.#update(root, 0, 0, this.#items.length);
    this.#hash();
    const nodes = this.#changed.flatMap((level, depth) =>
      level.map(({ node, key }) => ({ node, key, depth })),
    );
    const applied = this.#applied;
    return { root: asRoot(top), nodes, applied, stale: this.#stale };
  }

  /** The subtree at `depth` after items lo … hi − 1; the same object when nothing changed. */
  #update(before: undefined | LeafRef | InnerRef, depth: number, lo: number, hi: number): Subtree {
    if (before?.kind === 'inner') return this.#updateInner(before, depth, lo, hi);
    const leaves = this.#mergeLeaf(before, lo, hi);
    return this.#build(leaves, depth, 0, leaves.length);
  }

  #updateInner(before: InnerRef, depth: number, lo: number, hi: number): Subtree {
    const { key } = this.#item(lo);
    const node = this.#reader.copyInnerNode(before.version, key, depth, this.#version);
    const changed: ChangedNode = { node, key, waitsFor: [] };
    let isChanged = false;
    for (let from = lo; from < hi; ) {
      const nibble = keyNibble(this.#item(from).key, depth);
      let to = from + 1;
      while (to < hi && keyNibble(this.#item(to).key, depth) === nibble) to++;
      const childBefore = node.child(nibble);
      const child = this.#update(childBefore, depth + 1, from, to);
      if (child !== childBefore) {
        isChanged = true;
        placeChild(changed, nibble, child);
      }
      from = to;
    }
    if (!isChanged) return before;
    this.#markStale(before.version, key, depth);
    if (node.children === 0) return undefined;
    return node.onlyLeaf() ?? this.#keep(changed, depth);
  }

  /** The leaves of a subtree that was empty or one leaf, in key order. */
  #mergeLeaf(before: LeafRef | undefined, lo: number, hi: number): LeafRef[] {
    const leaves: LeafRef[] = [];
    let existing = before;
    for (let i = lo; i < hi; i++) {
      const { change, key, leaf } = this.#item(i);
      const order = existing === undefined ? 1 : compareBytes(existing.key, key);
      if (existing !== undefined && order <= 0) {
        const untouched = order < 0 || (leaf !== undefined && equalHash(existing.hash, leaf.hash));
        if (untouched) leaves.push(existing);
        else this.#markStale(existing.version, key, KEY_NIBBLES);
        existing = undefined;
        if (order === 0 && untouched) continue;
      }
      if (leaf !== undefined) leaves.push(leaf);
      if (leaf !== undefined || order === 0) this.#applied.push(change);
    }
    if (existing !== undefined) leaves.push(existing);
    return leaves;
  }

  #build(leaves: readonly LeafRef[], depth: number, lo: number, hi: number): Subtree {
    const first = leaves[lo];
    if (first === undefined || hi - lo <= 1) return hi > lo ? first : undefined;
    const changed = { node: new InnerNode(this.#version), key: first.key, waitsFor: [] };
    for (let from = lo, nibble = 0; nibble < RADIX && from < hi; nibble++) {
      let to = from;
      while (to < hi && nibbleOf(leaves[to], depth) === nibble) to++;
      if (to > from) placeChild(changed, nibble, this.#build(leaves, depth + 1, from, to));
      from = to;
    }
    return this.#keep(changed, depth);
  }

  #keep(changed: ChangedNode, depth: number): InnerNode {
    let level = this.#changed[depth];
    while (level === undefined) {
      this.#changed.push([]);
      level = this.#changed[depth];
    }
    level.push(changed);
    return changed.node;
  }

  #markStale(version: bigint, key: Uint8Array, depth: number): void {
    this.#stale.push({ version, key, depth });
  }

  #hash(): void {
    for (const level of this.#changed.toReversed()) {
      for (const { node, waitsFor } of level) {
        for (const { nibble, child } of waitsFor) {
          const { blake3, poseidon2 } = child.slotHash(1);
          node.setChildHash(nibble, blake3, poseidon2);
        }
      }
      completeHashes(level.map(({ node }) => node));
    }
  }

  #item(i: number): Item<Change> {
    const item = this.#items[i];
    invariant(item !== undefined, 'item ranges lie inside the items');
    return item;
  }
}

function placeChild(parent: ChangedNode, nibble: number, child: Subtree): void {
  parent.node.setChild(nibble, child);
  if (child?.kind === 'node') parent.waitsFor.push({ nibble, child });
}

function asRoot(top: Subtree): TreeRoot {
  if (top?.kind !== 'node') return top;
  const { blake3, poseidon2 } = top.slotHash(1);
  const hash = { blake3: blake3.slice(), poseidon2: poseidon2.slice() };
  return { kind: 'inner', version: top.version, hash };
}

function sortedItems<Change extends TreeChange>(
  changes: readonly Change[],
  version: bigint,
): Item<Change>[] {
  const items = changes.map((change): Item<Change> => {
    const { key, value } = change;
    invariant(key.length === NODE_HASH_BYTES, 'a tree key has 32 bytes');
    if (value === undefined) return { change, key, leaf: undefined };
    const hash = hashLeaf(key, hashValue(value));
    return { change, key, leaf: { kind: 'leaf', key, version, hash } };
  });
  items.sort((a, b) => compareBytes(a.key, b.key));
  for (let i = 1; i < items.length; i++) {
    const [before, item] = [items[i - 1], items[i]];
    const distinct =
      before !== undefined && item !== undefined && !equalBytes(before.key, item.key);
    invariant(distinct, 'a batch changes each key at most once');
  }
  return items;
}

function nibbleOf(leaf: LeafRef | undefined, depth: number): number {
  return leaf === undefined ? -1 : keyNibble(leaf.key, depth);
}

function equalHash(a: NodeHash, b: NodeHash): boolean {
  return equalBytes(a.blake3, b.blake3) && equalBytes(a.poseidon2, b.poseidon2);
}

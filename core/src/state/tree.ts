/**
 * The Jellyfish Merkle tree: one batch of changes turns the tree of one version into the tree of
 * the next; nothing that an older version can reach is touched
 * (design/state-and-execution.md, "Jellyfish Merkle tree, two roots").
 *
 * Keys are 32-byte tree keys; what they stand for is the caller's. First the shape is rebuilt from
 * the root down, sharing every subtree without a change; then hashes are computed from the deepest
 * level up, each level of all changed nodes in one batch. Recursion ends at 64 nibbles.
 */
import { invariant } from '../bytes/index.ts';
import { LeafRows, type TreeChange } from './leaf-rows.ts';
import {
  copyWords,
  ENTRY_HASH_AT,
  HASH_PAIR_WORDS,
  InnerNode,
  type InnerRef,
  LEAF_ENTRY_WORDS,
  type LeafRef,
  readVersion,
  singleLeaf,
  writeVersion,
} from './node.ts';
import { completeHashes } from './node-hashing.ts';
import { StaleList } from './stale-list.ts';
import { EMPTY_HASH, type NodeHash } from './tree-hash.ts';

export type { TreeChange } from './leaf-rows.ts';

export const KEY_NIBBLES = 64;

/** Reads stored nodes; a node that the tree refers to and the store lacks is an error. */
export interface NodeReader {
  /** The internal node of `version` at the first `depth` nibbles of `key`; not to be changed. */
  innerNode(version: bigint, key: Uint8Array, depth: number): InnerNode;
}

/** The root as a later update starts from it. */
export type TreeRoot = undefined | LeafRef | InnerRef;

/** An internal node to be written, at the first `depth` nibbles of `key`. */
export interface WrittenNode {
  readonly node: InnerNode;
  readonly key: Uint8Array;
  readonly depth: number;
}

export interface TreeUpdate<Change extends TreeChange> {
  readonly root: TreeRoot;
  readonly nodes: readonly WrittenNode[];
  /** The changes that change something, in key order. */
  readonly applied: readonly Change[];
  /** Nodes that versions before this one reach and this one does not. */
  readonly stale: StaleList;
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

/** A node of this update, and where in its parent's words its hashes go. */
interface ChangedNode extends WrittenNode {
  parent: Uint32Array | undefined;
  parentAt: number;
}

/** What became of a subtree: a node of this update, the row of a leaf, SAME or EMPTY. */
type Outcome = ChangedNode | number;
const SAME = -1;
const EMPTY = -2;
const NO_LEAF = -1;

class Update<Change extends TreeChange> {
  readonly #reader: NodeReader;
  readonly #version: bigint;
  readonly #rows: LeafRows<Change>;
  /** By depth. */
  readonly #changed: ChangedNode[][] = [];
  readonly #applied: Change[] = [];
  readonly #stale = new StaleList();
  /** By depth and nibble: of the node in work at each depth. */
  readonly #outcomes: Outcome[][] = [];

  constructor(reader: NodeReader, version: bigint, changes: readonly Change[]) {
    this.#reader = reader;
    this.#version = version;
    this.#rows = new LeafRows(changes, version);
  }

  run(root: TreeRoot): TreeUpdate<Change> {
    const outcome = this.#updateRoot(root, this.#rows.changes.length);
    this.#hash();
    const nodes = this.#changed.flat();
    const [applied, stale] = [this.#applied, this.#stale];
    return { root: this.#rootAfter(root, outcome), nodes, applied, stale };
  }

  #updateRoot(root: TreeRoot, count: number): Outcome {
    if (count === 0) return SAME;
    if (root?.kind === 'inner') return this.#updateInner(root.version, 0, 0, count);
    return this.#merge(root === undefined ? NO_LEAF : this.#rows.addLeaf(root), 0, 0, count);
  }

  /** The stored node of `version` at `depth` after changes lo … hi − 1. */
  #updateInner(version: bigint, depth: number, lo: number, hi: number): Outcome {
    const rows = this.#rows;
    const old = this.#reader.innerNode(version, rows.key(lo), depth);
    const outcomes = this.#outcomesAt(depth);
    let { children, leaves } = old;
    let touched = 0;
    for (let from = lo; from < hi; ) {
      const nibble = rows.nibble(from, depth);
      let to = from + 1;
      while (to < hi && rows.nibble(to, depth) === nibble) to++;
      const outcome = this.#updateChild(old, nibble, depth + 1, from, to);
      from = to;
      if (outcome === SAME) continue;
      const bit = 1 << nibble;
      outcomes[nibble] = outcome;
      touched |= bit;
      children = outcome === EMPTY ? children & ~bit : children | bit;
      leaves = isLeafRow(outcome) ? leaves | bit : leaves & ~bit;
    }
    if (touched === 0) return SAME;
    this.#stale.add(version, rows.key(lo), depth);
    if (children === 0) return EMPTY;
    const single = singleLeaf(children, leaves);
    if (single >= 0) {
      const isTouched = ((touched >> single) & 1) === 1;
      return isTouched ? (outcomes[single] ?? SAME) : rows.add(old.words, old.childAt(single));
    }
    const node = InnerNode.after(old, this.#version, { children, leaves, touched });
    return this.#keep(node, outcomes, touched & children, depth, lo);
  }

  #updateChild(old: InnerNode, nibble: number, depth: number, lo: number, hi: number): Outcome {
    const bit = 1 << nibble;
    if ((old.children & bit) === 0) return this.#merge(NO_LEAF, depth, lo, hi);
    if ((old.leaves & bit) === 0) {
      return this.#updateInner(old.childVersion(nibble), depth, lo, hi);
    }
    const at = old.childAt(nibble);
    if (hi - lo === 1 && this.#rows.sameKey(lo, old.words, at)) {
      return this.#replaceLeaf(old, at, lo);
    }
    return this.#merge(this.#rows.add(old.words, at), depth, lo, hi);
  }

  /** What most changes do: a leaf for the leaf of the same key. */
  #replaceLeaf({ words }: InnerNode, at: number, row: number): Outcome {
    const change = this.#change(row);
    if (change.value !== undefined && this.#rows.sameHash(row, words, at)) return SAME;
    this.#applied.push(change);
    this.#stale.add(readVersion(words, at), this.#rows.key(row), KEY_NIBBLES);
    return change.value === undefined ? EMPTY : row;
  }

  /** A subtree that was empty, or the leaf of row `before`, after changes lo … hi − 1. */
  #merge(before: number, depth: number, lo: number, hi: number): Outcome {
    const rows = this.#rows;
    const merged: number[] = [];
    let existing = before;
    for (let i = lo; i < hi; i++) {
      const change = this.#change(i);
      const order = existing === NO_LEAF ? 1 : rows.compareKeys(existing, i);
      if (order <= 0) {
        const isKept = order < 0 || this.#isSameLeaf(existing, i);
        if (isKept) merged.push(existing);
        else this.#stale.add(rows.version(existing), rows.key(i), KEY_NIBBLES);
        existing = NO_LEAF;
        if (order === 0 && isKept) continue;
      }
      if (change.value !== undefined) merged.push(i);
      if (change.value !== undefined || order === 0) this.#applied.push(change);
    }
    if (existing !== NO_LEAF) merged.push(existing);
    if (merged.length === 0) return before === NO_LEAF ? SAME : EMPTY;
    if (merged.length === 1 && merged[0] === before) return SAME;
    return this.#build(merged, depth, 0, merged.length);
  }

  /** The tree at `depth` over rows[lo … hi − 1], at least one, in key order. */
  #build(merged: readonly number[], depth: number, lo: number, hi: number): Outcome {
    const rows = this.#rows;
    const first = merged[lo] ?? 0;
    if (hi - lo === 1) return first;
    const outcomes = this.#outcomesAt(depth);
    let children = 0;
    let leaves = 0;
    for (let from = lo; from < hi; ) {
      const nibble = rows.nibble(merged[from] ?? 0, depth);
      let to = from + 1;
      while (to < hi && rows.nibble(merged[to] ?? 0, depth) === nibble) to++;
      const outcome = this.#build(merged, depth + 1, from, to);
      outcomes[nibble] = outcome;
      children |= 1 << nibble;
      if (isLeafRow(outcome)) leaves |= 1 << nibble;
      from = to;
    }
    const node = new InnerNode(this.#version, children, leaves);
    return this.#keep(node, outcomes, children, depth, first);
  }

  /** Fills in the entries of the children of `placed`; the hashes of nodes among them follow. */
  #keep(
    node: InnerNode,
    outcomes: readonly Outcome[],
    placed: number,
    depth: number,
    row: number,
  ): ChangedNode {
    const { words } = node;
    for (let rest = placed; rest !== 0; rest &= rest - 1) {
      const nibble = 31 - Math.clz32(rest & -rest);
      const at = node.childAt(nibble);
      const outcome = outcomes[nibble] ?? EMPTY;
      if (typeof outcome === 'number') {
        copyWords(words, at, this.#rows.words, this.#rows.entryAt(outcome), LEAF_ENTRY_WORDS);
      } else {
        writeVersion(words, at, this.#version);
        outcome.parent = words;
        outcome.parentAt = at + ENTRY_HASH_AT;
      }
    }
    const key = this.#rows.key(row);
    const changed: ChangedNode = { node, key, depth, parent: undefined, parentAt: 0 };
    this.#levelAt(depth).push(changed);
    return changed;
  }

  /** From the deepest level up: the hashes of a level are entries of the one above. */
  #hash(): void {
    for (const level of this.#changed.toReversed()) {
      completeHashes(level.map(({ node }) => node));
      for (const { node, parent, parentAt } of level) {
        if (parent === undefined) continue;
        copyWords(parent, parentAt, node.words, node.ownHashAt(1), HASH_PAIR_WORDS);
      }
    }
  }

  #rootAfter(before: TreeRoot, outcome: Outcome): TreeRoot {
    if (outcome === SAME) return before;
    if (outcome === EMPTY) return undefined;
    if (typeof outcome === 'number') return this.#rows.leaf(outcome);
    return { kind: 'inner', version: this.#version, hash: outcome.node.slotHash(1) };
  }

  #isSameLeaf(existing: number, row: number): boolean {
    if (this.#change(row).value === undefined) return false;
    return this.#rows.sameHash(row, this.#rows.words, this.#rows.entryAt(existing));
  }

  #change(row: number): Change {
    const change = this.#rows.changes[row];
    invariant(change !== undefined, 'row ranges lie inside the changes');
    return change;
  }

  #levelAt(depth: number): ChangedNode[] {
    while (this.#changed.length <= depth) this.#changed.push([]);
    return this.#changed[depth] ?? [];
  }

  #outcomesAt(depth: number): Outcome[] {
    while (this.#outcomes.length <= depth) this.#outcomes.push(new Array(16).fill(EMPTY));
    return this.#outcomes[depth] ?? [];
  }
}

function isLeafRow(outcome: Outcome): boolean {
  return typeof outcome === 'number' && outcome >= 0;
}

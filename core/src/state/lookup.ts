/** Reading one version of the tree: the leaf of a key, the proof of a key, all leaves in order. */
import { equalBytes, invariant } from '../bytes/index.ts';
import { type LeafRef, RADIX } from './node.ts';
import { completeHashes } from './node-hashing.ts';
import type { NodeStore } from './node-store.ts';
import type { StateProof } from './proof.ts';
import { KEY_NIBBLES, type TreeRoot } from './tree.ts';
import { hashValue, keyBit, keyNibble, type NodeHash } from './tree-hash.ts';

/** The leaf of `key`, if the tree under `root` has one. */
export function findLeaf(nodes: NodeStore, root: TreeRoot, key: Uint8Array): LeafRef | undefined {
  let at = root;
  for (let depth = 0; at?.kind === 'inner'; depth++) {
    at = nodes.innerNode(at.version, key, depth).child(keyNibble(key, depth));
  }
  return at !== undefined && equalBytes(at.key, key) ? at : undefined;
}

/** The proof of what the tree under `root` holds at `key`. */
export function proveKey(nodes: NodeStore, root: TreeRoot, key: Uint8Array): StateProof {
  const siblings: NodeHash[] = [];
  let at = root;
  for (let depth = 0; at?.kind === 'inner'; depth++) {
    at = descendNode(nodes, at.version, key, depth, siblings);
  }
  if (at === undefined) return { end: { kind: 'empty' }, siblings };
  if (equalBytes(at.key, key)) return { end: { kind: 'present' }, siblings };
  const valueHash = hashValue(nodes.leaf(at.version, at.key).value);
  return { end: { kind: 'other-leaf', key: at.key, valueHash }, siblings };
}

/** The four binary levels of one node: stops where one leaf, or nothing, is left. */
function descendNode(
  nodes: NodeStore,
  version: bigint,
  key: Uint8Array,
  depth: number,
  siblings: NodeHash[],
): TreeRoot {
  const node = nodes.innerNode(version, key, depth);
  completeHashes([node]);
  let slot = 1;
  for (let bit = 4 * depth; bit < 4 * depth + 4; bit++) {
    if (node.isEmptyUnder(slot)) return undefined;
    const leaf = node.singleLeafUnder(slot);
    if (leaf >= 0) return node.child(leaf);
    slot = 2 * slot + keyBit(key, bit);
    siblings.push(node.slotHash(slot ^ 1));
  }
  return node.child(slot - RADIX);
}

/** Every leaf under `root` in order of tree keys; at most 64 nodes are held at a time. */
export function* leavesInOrder(nodes: NodeStore, root: TreeRoot): Generator<LeafRef> {
  if (root?.kind === 'leaf') yield root;
  if (root?.kind !== 'inner') return;
  const path = new Uint8Array(KEY_NIBBLES / 2);
  const stack = [{ node: nodes.innerNode(root.version, path, 0), next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next === RADIX) {
      stack.pop();
      continue;
    }
    const depth = stack.length - 1;
    const nibble = top.next++;
    const child = top.node.child(nibble);
    if (child?.kind === 'leaf') yield child;
    if (child?.kind !== 'inner') continue;
    invariant(depth + 1 < KEY_NIBBLES, 'no internal node lies below the last nibble');
    setNibble(path, depth, nibble);
    stack.push({ node: nodes.innerNode(child.version, path, depth + 1), next: 0 });
  }
}

function setNibble(path: Uint8Array, depth: number, nibble: number): void {
  const byte = path[depth >> 1] ?? 0;
  path[depth >> 1] = (depth & 1) === 0 ? (nibble << 4) | (byte & 15) : (byte & 0xf0) | nibble;
}

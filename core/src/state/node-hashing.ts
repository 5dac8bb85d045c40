/**
 * The four binary levels inside each stored node, both hash families, computed level by level over
 * many nodes at once: one call of each batch kernel a level, whatever the number of nodes.
 */
import { invariant } from '../bytes/index.ts';
import { blake3InnerBatch, poseidon2CompressBatch } from '../crypto/index.ts';
import { type InnerNode, POSEIDON2_SLOTS_AT } from './node.ts';
import { NODE_HASH_BYTES } from './tree-hash.ts';

const PAIR_BYTES = 2 * NODE_HASH_BYTES;
/** Nodes a batch: at most 4,096 pairs, 256 KiB, go to a kernel in one call. */
const NODES_PER_BATCH = 512;
/** First and last slot of each level, deepest first. */
const LEVELS: readonly (readonly [first: number, last: number])[] = [
  [8, 15],
  [4, 7],
  [2, 3],
  [1, 1],
];

/**
 * Makes the hashes of slots 1 … 15 of every node those of its children. The hashes of all children
 * must be set. Slots that are up to date are left alone, so a changed child costs four hashes.
 */
export function completeHashes(nodes: readonly InnerNode[]): void {
  for (let first = 0; first < nodes.length; first += NODES_PER_BATCH) {
    const batch = nodes.slice(first, first + NODES_PER_BATCH);
    for (const [firstSlot, lastSlot] of LEVELS) completeLevel(batch, firstSlot, lastSlot);
  }
}

function completeLevel(nodes: readonly InnerNode[], firstSlot: number, lastSlot: number): void {
  const width = lastSlot - firstSlot + 1;
  const blake3Pairs = new Uint8Array(nodes.length * width * PAIR_BYTES);
  const poseidon2Pairs = new Uint8Array(nodes.length * width * PAIR_BYTES);
  const targets: { readonly node: InnerNode; readonly slot: number }[] = [];
  for (const node of nodes) {
    for (let slot = firstSlot; slot <= lastSlot; slot++) {
      if (((node.hashed >> slot) & 1) === 1) continue;
      if (!settleWithoutHashing(node, slot)) {
        // The two halves of slot s, 2s and 2s + 1, lie side by side.
        const from = slot * PAIR_BYTES;
        const at = targets.length * PAIR_BYTES;
        blake3Pairs.set(node.slots.subarray(from, from + PAIR_BYTES), at);
        const poseidon2From = POSEIDON2_SLOTS_AT + from;
        poseidon2Pairs.set(node.slots.subarray(poseidon2From, poseidon2From + PAIR_BYTES), at);
        targets.push({ node, slot });
      }
      node.hashed |= 1 << slot;
    }
  }
  if (targets.length === 0) return;
  const used = targets.length * PAIR_BYTES;
  const blake3 = blake3InnerBatch(blake3Pairs.subarray(0, used));
  const poseidon2 = poseidon2CompressBatch(poseidon2Pairs.subarray(0, used));
  invariant(blake3.length === used / 2 && poseidon2.length === used / 2, 'a hash for every pair');
  targets.forEach(({ node, slot }, i) => {
    const hash = i * NODE_HASH_BYTES;
    const at = slot * NODE_HASH_BYTES;
    node.slots.set(blake3.subarray(hash, hash + NODE_HASH_BYTES), at);
    node.slots.set(poseidon2.subarray(hash, hash + NODE_HASH_BYTES), POSEIDON2_SLOTS_AT + at);
  });
}

/** Empty halves hash to zeros and a leaf alone stands for its subtree; false for anything else. */
function settleWithoutHashing(node: InnerNode, slot: number): boolean {
  const at = slot * NODE_HASH_BYTES;
  if (node.isEmptyUnder(slot)) {
    node.slots.fill(0, at, at + NODE_HASH_BYTES);
    node.slots.fill(0, POSEIDON2_SLOTS_AT + at, POSEIDON2_SLOTS_AT + at + NODE_HASH_BYTES);
    return true;
  }
  const nibble = node.singleLeafUnder(slot);
  if (nibble < 0) return false;
  const from = (16 + nibble) * NODE_HASH_BYTES;
  const poseidon2From = POSEIDON2_SLOTS_AT + from;
  node.slots.copyWithin(at, from, from + NODE_HASH_BYTES);
  node.slots.copyWithin(POSEIDON2_SLOTS_AT + at, poseidon2From, poseidon2From + NODE_HASH_BYTES);
  return true;
}

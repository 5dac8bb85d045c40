/**
 * Both roots of the state, computed again from the flat table alone, by the definition of the root
 * and nothing of the stored tree (design/state-and-execution.md, "Root"). It is how a store is shown
 * to be whole: nodes, values and the signed roots were written by different code.
 */
import { compareBytes } from '../bytes/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import type { StateRoot } from '../types/index.ts';
import { toHash } from '../types/index.ts';
import { treeKeyOfBytes } from './key.ts';
import { TABLE, Table } from './table.ts';
import { EMPTY_HASH, hashInner, hashLeaf, hashValue, keyBit, type NodeHash } from './tree-hash.ts';

interface Leaf {
  readonly key: Uint8Array;
  readonly hash: NodeHash;
}

export interface RecomputedRoot {
  readonly root: StateRoot;
  readonly entries: number;
}

/**
 * Reads every entry of the flat table, about 200 bytes of memory an entry.
 * @param onProgress called with the count so far, every 10,000 entries
 * @throws PydeError `state.checksum` at the first damaged record
 */
export async function recomputeRoot(
  store: KeyValueStore,
  onProgress: (entries: number) => void = () => {},
): Promise<RecomputedRoot> {
  const leaves: Leaf[] = [];
  for await (const [stateKey, value] of new Table(store, TABLE.state).range()) {
    const key = treeKeyOfBytes(stateKey);
    leaves.push({ key, hash: hashLeaf(key, hashValue(value)) });
    if (leaves.length % 10_000 === 0) onProgress(leaves.length);
  }
  leaves.sort((a, b) => compareBytes(a.key, b.key));
  const { blake3, poseidon2 } = rootOf(leaves, 0, leaves.length, 0);
  return {
    root: { blake3: toHash(blake3), poseidon2: toHash(poseidon2) },
    entries: leaves.length,
  };
}

/** Of leaves[from, until), which share their first `depth` bits; recursion ends at bit 256. */
function rootOf(leaves: readonly Leaf[], from: number, until: number, depth: number): NodeHash {
  const first = leaves[from];
  if (first === undefined || from === until) return EMPTY_HASH;
  if (until - from === 1) return first.hash;
  let low = from;
  let high = until;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const leaf = leaves[middle];
    if (leaf !== undefined && keyBit(leaf.key, depth) === 0) low = middle + 1;
    else high = middle;
  }
  return hashInner(rootOf(leaves, from, low, depth + 1), rootOf(leaves, low, until, depth + 1));
}

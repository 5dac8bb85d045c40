/**
 * The binary Merkle tree over an ordered list, which `tx_root` and `events_root` are
 * (design/consensus.md, "Finality"): leaf H(0x00 ‖ item), inner H(0x01 ‖ left ‖ right), an odd node
 * is carried up unchanged, the empty list is 32 zero bytes; H is Blake3.
 *
 * A proof names index and count, which fix where siblings are: nothing is left for a prover to
 * choose but the sibling hashes. The root does not commit to the count; the wave record does.
 */
import { equalBytes, invariant, PydeError } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Hash, toHash, ZERO_HASH } from '../types/index.ts';

const LEAF = Uint8Array.of(0x00);
const INNER = Uint8Array.of(0x01);

export interface MerkleListProof {
  /** Place of the item, from 0. */
  readonly index: number;
  /** Items in the list; the caller holds it against the record's count. */
  readonly count: number;
  /** From the leaf up; levels on which the node is carried up have none. */
  readonly siblings: readonly Hash[];
}

export type MerkleListErrorCode = 'merkle-list.index';

export function merkleListRoot(leaves: readonly Uint8Array[]): Hash {
  let level = leaves.map(hashLeaf);
  while (level.length > 1) level = parents(level);
  return level[0] ?? ZERO_HASH;
}

/** @throws PydeError `merkle-list.index` when the list has no item `index` */
export function merkleListProof(leaves: readonly Uint8Array[], index: number): MerkleListProof {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new PydeError(
      'merkle-list.index',
      `there is no item ${index} in a list of ${leaves.length}`,
      { index, count: leaves.length },
    );
  }
  const siblings: Hash[] = [];
  let level = leaves.map(hashLeaf);
  for (let at = index; level.length > 1; at >>= 1) {
    const sibling = level[at ^ 1];
    if (sibling !== undefined) siblings.push(sibling);
    level = parents(level);
  }
  return { index, count: leaves.length, siblings };
}

/** True when `leaf` is the item at `proof.index` of a list of `proof.count` items under `root`. */
export function verifyMerkleListProof(
  root: Uint8Array,
  leaf: Uint8Array,
  proof: MerkleListProof,
): boolean {
  const { index, count, siblings } = proof;
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(index)) return false;
  if (index < 0 || index >= count || count > 0xffff_ffff) return false;
  let node = hashLeaf(leaf);
  let used = 0;
  for (let at = index, width = count; width > 1; at = Math.floor(at / 2)) {
    const left = at % 2 === 0;
    if (!(left && at === width - 1)) {
      const sibling = siblings[used++];
      if (sibling === undefined) return false;
      node = left ? hashInner(node, sibling) : hashInner(sibling, node);
    }
    width = Math.ceil(width / 2);
  }
  return used === siblings.length && equalBytes(node, root);
}

function parents(level: readonly Hash[]): Hash[] {
  const above: Hash[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const left = level[at];
    const right = level[at + 1];
    invariant(left !== undefined, 'a level has no holes');
    above.push(right === undefined ? left : hashInner(left, right));
  }
  return above;
}

const hashLeaf = (item: Uint8Array): Hash => toHash(blake3(LEAF, item));

const hashInner = (left: Uint8Array, right: Uint8Array): Hash => toHash(blake3(INNER, left, right));

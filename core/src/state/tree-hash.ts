/**
 * The two hash families of the state tree (design/state-and-execution.md, "Root").
 *
 * The root is a function of the set of entries alone: root(∅) is empty, root({leaf}) is that leaf,
 * anything else is inner(root of the keys whose bit d is 0, root of those whose bit d is 1) for
 * d = 0 … 255 from the most significant bit. Every node has a Blake3 and a Poseidon2 hash.
 */
import { concatBytes } from '../bytes/index.ts';
import { blake3, poseidon2Compress, poseidon2State } from '../crypto/index.ts';

export const NODE_HASH_BYTES = 32;

/** Both hashes of one node, or of one value. */
export interface NodeHash {
  readonly blake3: Uint8Array;
  /** Four canonical field elements, u64 little-endian. */
  readonly poseidon2: Uint8Array;
}

/** The empty tree: 32 zero bytes, and four zero elements. */
export const EMPTY_HASH: NodeHash = {
  blake3: new Uint8Array(NODE_HASH_BYTES),
  poseidon2: new Uint8Array(NODE_HASH_BYTES),
};

const LEAF_TAG = Uint8Array.of(0x00);
const INNER_TAG = Uint8Array.of(0x01);
export const VALUE_DOMAIN = 1;
export const LEAF_DOMAIN = 2;

export function hashValue(value: Uint8Array): NodeHash {
  return { blake3: blake3(value), poseidon2: poseidon2State(VALUE_DOMAIN, value) };
}

/** The leaf for the 32-byte tree key `key` whose value hashes to `valueHash`. */
export function hashLeaf(key: Uint8Array, valueHash: NodeHash): NodeHash {
  return {
    blake3: blake3(LEAF_TAG, key, valueHash.blake3),
    poseidon2: poseidon2State(LEAF_DOMAIN, concatBytes(key, valueHash.poseidon2)),
  };
}

export function hashInner(left: NodeHash, right: NodeHash): NodeHash {
  return {
    blake3: blake3(INNER_TAG, left.blake3, right.blake3),
    poseidon2: poseidon2Compress(left.poseidon2, right.poseidon2),
  };
}

/** Bit `depth` of a tree key, from the most significant bit. */
export function keyBit(key: Uint8Array, depth: number): 0 | 1 {
  return (((key[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) === 1 ? 1 : 0;
}

/** Nibble `depth` of a tree key, from the most significant one. */
export function keyNibble(key: Uint8Array, depth: number): number {
  const byte = key[depth >> 1] ?? 0;
  return (depth & 1) === 0 ? byte >> 4 : byte & 15;
}

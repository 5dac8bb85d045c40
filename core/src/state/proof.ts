/**
 * Proofs that the state holds a value, or holds none, under a key
 * (design/state-and-execution.md, "Root"; docs/protocol/encoding-state.md, "Proof").
 *
 * A proof is the list of binary siblings from the root down to where the key's path ends: at the
 * key's own leaf, at an empty subtree, or at a different leaf that shares all path bits so far.
 * Verification needs a root that is already trusted, and no store. Both hash families are checked
 * and nothing in a proof is trusted; whoever can break one family alone proves nothing.
 */
import { type BorshReader, decodeExactly, encode, equalBytes, PydeError } from '../bytes/index.ts';
import { isCanonicalPoseidon2 } from '../crypto/index.ts';
import type { StateRoot } from '../types/index.ts';
import { type StateKey, TREE_KEY_BYTES, treeKey } from './key.ts';
import {
  EMPTY_HASH,
  hashInner,
  hashLeaf,
  hashValue,
  keyBit,
  NODE_HASH_BYTES,
  type NodeHash,
} from './tree-hash.ts';

export const MAX_PROOF_SIBLINGS = 256;
/** Tag, other leaf, count and 256 siblings. */
export const MAX_PROOF_BYTES = 1 + 3 * 32 + 4 + MAX_PROOF_SIBLINGS * 2 * NODE_HASH_BYTES;

export type StateProofErrorCode =
  | 'state.proof-encoding'
  | 'state.proof-element'
  | 'state.proof-kind'
  | 'state.proof-leaf'
  | 'state.proof-root';

/** Where the path of the key ends. */
export type ProofEnd =
  | { readonly kind: 'present' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'other-leaf'; readonly key: Uint8Array; readonly valueHash: NodeHash };

export interface StateProof {
  readonly end: ProofEnd;
  /** siblings[d] stands beside bit d of the tree key. */
  readonly siblings: readonly NodeHash[];
}

export interface StateClaim {
  /** A root from a verified certificate, or from a genesis that is trusted. */
  readonly root: StateRoot;
  readonly key: StateKey;
  /** What is claimed to be under `key`; undefined claims that there is nothing. */
  readonly value: Uint8Array | undefined;
  readonly proof: StateProof;
}

/**
 * Returns when `proof` shows the claim to hold under both roots.
 * @throws PydeError `state.proof-…` saying why it does not
 */
export function verifyStateProof({ root, key, value, proof }: StateClaim): void {
  verifyTreeProof(root, treeKey(key), value, proof);
}

/** `verifyStateProof` for a tree key. */
export function verifyTreeProof(
  root: NodeHash,
  key: Uint8Array,
  value: Uint8Array | undefined,
  { end, siblings }: StateProof,
): void {
  if ((end.kind === 'present') !== (value !== undefined)) {
    const claimed = value === undefined ? 'absent' : 'present';
    throw new PydeError(
      'state.proof-kind',
      `the proof ends at ${end.kind} where the value is claimed to be ${claimed}`,
      { end: end.kind, claimed },
    );
  }
  let hash = endHash(key, value, end, siblings.length);
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth] ?? EMPTY_HASH;
    hash = keyBit(key, depth) === 0 ? hashInner(hash, sibling) : hashInner(sibling, hash);
  }
  for (const family of ['blake3', 'poseidon2'] as const) {
    if (equalBytes(hash[family], root[family])) continue;
    throw new PydeError(
      'state.proof-root',
      `the proof leads to another ${family} root than the one that is trusted: ` +
        'the value or the proof is not of this state',
      { family },
    );
  }
}

/** 0 present | 1 empty | 2 other leaf: key, Blake3 and Poseidon2 of its value; then siblings. */
export function encodeStateProof({ end, siblings }: StateProof): Uint8Array {
  return encode((writer) => {
    if (end.kind === 'other-leaf') {
      writer.u8(2).fixed(end.key).fixed(end.valueHash.blake3).fixed(end.valueHash.poseidon2);
    } else writer.u8(end.kind === 'present' ? 0 : 1);
    writer.vec(siblings, (w, { blake3, poseidon2 }) => w.fixed(blake3).fixed(poseidon2));
  });
}

/**
 * Reads a proof from anyone: at most 256 siblings, canonical Poseidon2 elements, no other bytes.
 * @throws PydeError `state.proof-encoding`, `state.proof-element`, `borsh.…`
 */
export function decodeStateProof(bytes: Uint8Array): StateProof {
  if (bytes.length > MAX_PROOF_BYTES) {
    throw new PydeError(
      'state.proof-encoding',
      `a state proof has at most ${MAX_PROOF_BYTES} bytes, got ${bytes.length}`,
      { length: bytes.length, max: MAX_PROOF_BYTES },
    );
  }
  return decodeExactly(bytes, (reader) => ({
    end: readEnd(reader),
    siblings: reader.vec(MAX_PROOF_SIBLINGS, 2 * NODE_HASH_BYTES, readHash),
  }));
}

function endHash(
  key: Uint8Array,
  value: Uint8Array | undefined,
  end: ProofEnd,
  depth: number,
): NodeHash {
  if (value !== undefined) return hashLeaf(key, hashValue(value));
  if (end.kind !== 'other-leaf') return EMPTY_HASH;
  if (equalBytes(end.key, key)) {
    throw new PydeError('state.proof-leaf', 'the proof of absence ends at the leaf of the key');
  }
  for (let bit = 0; bit < depth; bit++) {
    if (keyBit(end.key, bit) === keyBit(key, bit)) continue;
    throw new PydeError(
      'state.proof-leaf',
      `the leaf that the proof of absence ends at leaves the path of the key at bit ${bit}`,
      { bit },
    );
  }
  return hashLeaf(end.key, end.valueHash);
}

function readEnd(reader: BorshReader): ProofEnd {
  switch (reader.tag(3, 'end of a state proof')) {
    case 0:
      return { kind: 'present' };
    case 1:
      return { kind: 'empty' };
    default: {
      const key = reader.fixed(TREE_KEY_BYTES);
      return { kind: 'other-leaf', key, valueHash: readHash(reader) };
    }
  }
}

function readHash(reader: BorshReader): NodeHash {
  const blake3 = reader.fixed(NODE_HASH_BYTES);
  const poseidon2 = reader.fixed(NODE_HASH_BYTES);
  if (!isCanonicalPoseidon2(poseidon2)) {
    throw new PydeError(
      'state.proof-element',
      `the Poseidon2 digest that ends at byte ${reader.offset} has an element above the field`,
      { offset: reader.offset },
    );
  }
  return { blake3, poseidon2 };
}

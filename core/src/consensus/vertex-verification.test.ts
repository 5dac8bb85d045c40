import { describe, expect, it } from 'vitest';
import { falconVerifyBatch } from '../crypto/index.ts';
import {
  MAX_BATCH_BYTES,
  toBatchHash,
  toEpoch,
  toMemberIndex,
  toRound,
  type UnsignedVertex,
  vertexHash,
} from '../types/index.ts';
import { CHAIN_ID, GENESIS_MS, nameOf, signVertex, testCommittee, testSigner } from './testing.ts';
import { verifyVertex } from './vertex-verification.ts';

const committee = testCommittee(4);
const parent = (seat: number, label = `${seat}`) => ({
  author: toMemberIndex(seat),
  name: nameOf(label),
});
const weak = (seat: number, round: number) => ({ ...parent(seat), round: toRound(round) });
const batch = (bytes: number) => ({ hash: toBatchHash(nameOf('batch')), bytes, count: 1 });

const valid: UnsignedVertex = {
  chainId: CHAIN_ID,
  epoch: toEpoch(0),
  round: toRound(60),
  author: toMemberIndex(2),
  timestampMs: GENESIS_MS,
  parents: [parent(0), parent(1), parent(3)],
  weakParents: [weak(0, 58), weak(2, 10)],
  batches: [batch(MAX_BATCH_BYTES - 1), batch(1)],
  attestations: [],
};

/** The code with which a vertex, rightly signed by seat 2, is refused. */
function verdict(changes: Partial<UnsignedVertex>, signer = testSigner(2)): string {
  const vertex = signVertex({ ...valid, ...changes }, signer);
  try {
    verifyVertex(vertex, vertexHash(vertex), {
      chainId: CHAIN_ID,
      committee,
      verify: falconVerifyBatch,
    });
    return 'valid';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'defect';
  }
}

describe('a vertex', () => {
  it('is valid at every bound', () => {
    expect(verdict({})).toBe('valid');
    expect(verdict({ parents: [0, 1, 2, 3].map((seat) => parent(seat)) })).toBe('valid');
    expect(verdict({ round: toRound(1), weakParents: [] })).toBe('valid');
    expect(verdict({ round: toRound(3), weakParents: [weak(0, 1)] })).toBe('valid');
    // Its own parent is a rule of production, not of validity; so is the clock.
    expect(verdict({ timestampMs: 1n << 62n })).toBe('valid');
  });

  const refused: readonly (readonly [string, string, Partial<UnsignedVertex>])[] = [
    ['of another chain', 'consensus.chain-id', { chainId: CHAIN_ID + 1n }],
    ['of another epoch', 'consensus.epoch', { epoch: toEpoch(1) }],
    ['of no member', 'consensus.author', { author: toMemberIndex(4) }],
    ['of round 0', 'consensus.round', { round: toRound(0) }],
    [
      'with a parent of no member',
      'consensus.parent-author',
      { parents: [parent(0), parent(1), parent(4)] },
    ],
    [
      'with parents out of order',
      'consensus.parent-order',
      { parents: [parent(1), parent(0), parent(3)] },
    ],
    [
      'with two parents of one author',
      'consensus.parent-order',
      { parents: [parent(0), parent(1), parent(1, 'x'), parent(3)] },
    ],
    ['with q - 1 parents', 'consensus.parent-quorum', { parents: [parent(0), parent(3)] }],
    [
      'with a weak parent of no member',
      'consensus.weak-parent-author',
      { weakParents: [weak(4, 58)] },
    ],
    [
      'with two weak parents of one author',
      'consensus.weak-parent-author',
      { weakParents: [weak(1, 58), weak(1, 57)] },
    ],
    [
      'with a weak parent one round down',
      'consensus.weak-parent-round',
      { weakParents: [weak(1, 59)] },
    ],
    [
      'with a weak parent 51 rounds down',
      'consensus.weak-parent-round',
      { weakParents: [weak(1, 9)] },
    ],
    [
      'with a weak parent of round 0',
      'consensus.weak-parent-round',
      { round: toRound(5), weakParents: [weak(1, 0)] },
    ],
    [
      'with more than 4 MiB of batches',
      'consensus.batch-bytes',
      { batches: [batch(MAX_BATCH_BYTES), batch(1)] },
    ],
  ];
  it.each(refused)('%s is refused', (_, code, changes) => {
    expect(verdict(changes)).toBe(code);
  });

  it('signed by another member is refused', () => {
    expect(verdict({}, testSigner(1))).toBe('consensus.signature');
  });

  it('changed after it was signed is refused', () => {
    const vertex = { ...signVertex(valid, testSigner(2)), timestampMs: GENESIS_MS + 1n };
    expect(() =>
      verifyVertex(vertex, vertexHash(vertex), {
        chainId: CHAIN_ID,
        committee,
        verify: falconVerifyBatch,
      }),
    ).toThrow(expect.objectContaining({ code: 'consensus.signature' }));
  });
});

/** Anchors: A1, B2, C3, D4, A5 …; the quorum is 3. */
import { describe, expect, it } from 'vitest';
import { falconVerify, falconVerifyBatch } from '../crypto/index.ts';
import { toMemberIndex, toRound } from '../types/index.ts';
import { leadersAreSettled, lowerMedian, makeVertex, parentsFor } from './proposer.ts';
import { TextDag } from './testing/dag-text.ts';
import { CHAIN_ID, GENESIS_MS, testCommittee, testSigner } from './testing.ts';
import { verifyVertex } from './vertex-verification.ts';

const FULL = 'A B C D';
const settled = (text: TextDag, round: number): boolean =>
  leadersAreSettled(text.dag, text.quorum, round, parentsFor(text.dag, round));

describe('parents', () => {
  it('are the first accepted vertex of every author, by author', () => {
    const text = new TextDag(4, ["D B' B A"]);
    expect(parentsFor(text.dag, 2).map((v) => text.label(v))).toEqual(['A1', "B'1", 'D1']);
    expect(parentsFor(text.dag, 5)).toEqual([]);
  });
});

describe('the wait for leaders', () => {
  it('is over when the anchor is held and has q votes among the parents', () => {
    expect(settled(new TextDag(4, [FULL]), 2)).toBe(true);
    expect(settled(new TextDag(4, ['B C D']), 2)).toBe(false);
    // B2 is held and A1 has the votes of A2, B2, C2.
    expect(settled(new TextDag(4, [FULL, 'A B C D(BCD)']), 3)).toBe(true);
    expect(settled(new TextDag(4, [FULL, 'A B C(BCD) D(BCD)']), 3)).toBe(false);
  });

  it('is over when the parents skip the slot', () => {
    expect(settled(new TextDag(4, [FULL, 'A(BCD) B(BCD) C(BCD) D']), 3)).toBe(true);
    expect(settled(new TextDag(4, ['B C D', 'A(BCD) B(BCD) C(BCD)']), 3)).toBe(true);
  });

  it('counts the parents that would be taken, not a second vertex of an equivocating voter', () => {
    // D first votes against A1, then for it: only its first vertex would be a parent.
    const text = new TextDag(4, [FULL, "A(ABC) B(ABC) C(BCD) D(BCD) D'(ABD)"]);
    expect(settled(text, 3)).toBe(false);
  });

  it('is over for the anchor, not for the votes, when its author was silent for eleven rounds', () => {
    const without = (rounds: number): TextDag =>
      new TextDag(
        4,
        Array.from({ length: rounds }, () => 'B C D'),
      );
    // A is the anchor of rounds 1, 5, 9, 13.
    expect(settled(without(9), 10)).toBe(false);
    expect(settled(without(13), 14)).toBe(true);
  });
});

describe('an own vertex', () => {
  const committee = testCommittee(4);
  const make = (text: TextDag, unixMs: bigint) =>
    makeVertex(
      {
        chainId: CHAIN_ID,
        committee,
        author: toMemberIndex(1),
        round: toRound(2),
        parents: parentsFor(text.dag, 2),
        weakParents: [],
        batches: [],
        attestations: [],
        unixMs,
      },
      testSigner(1),
    );

  it('is valid for everybody', () => {
    const { vertex, name } = make(new TextDag(4, [FULL]), GENESIS_MS);
    verifyVertex(vertex, name, { chainId: CHAIN_ID, committee, verify: falconVerifyBatch });
    const key = committee.members[1]?.publicKey ?? new Uint8Array();
    expect(falconVerify(key, name, vertex.signature)).toBe(true);
  });

  it('is stamped with the local clock, or the lower median of its parents if that is later', () => {
    const stamps: Record<string, bigint> = { A1: 50n, B1: 10n, C1: 30n, D1: 40n };
    const text = new TextDag(4, [FULL], (label) => stamps[label] ?? 0n);
    expect(make(text, 29n).vertex.timestampMs).toBe(30n);
    expect(make(text, 31n).vertex.timestampMs).toBe(31n);
  });
});

describe('the lower median', () => {
  it('is the middle, or the lower of two', () => {
    expect([[5n], [9n, 1n], [3n, 1n, 2n], [4n, 3n, 2n, 1n]].map(lowerMedian)).toEqual([
      5n,
      1n,
      2n,
      2n,
    ]);
  });
});

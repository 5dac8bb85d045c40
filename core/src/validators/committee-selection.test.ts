import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex, u64LittleEndian } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { publicKeyOf } from '../tx/testing.ts';
import {
  MAX_COMMITTEE_SIZE,
  toEpoch,
  toHash,
  toValidatorIndex,
  type ValidatorIndex,
} from '../types/index.ts';
import { committeeHash, selectCommittee } from './index.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const beaconOf = (seed: number) => toHash(blake3(ascii(`beacon ${seed}`)));
const registry = (size: number): ValidatorIndex[] =>
  Array.from({ length: size }, (_, i) => toValidatorIndex(i));

/** Known answers, so that a change of the rule is seen. */
const SEATS_OF_SEVEN = [
  [2, 6, 3, 4, 0, 1, 5],
  [5, 2, 4, 6, 3, 1, 0],
];

describe('the draw of a committee', () => {
  it('takes for each seat one of those who remain, in their order, by hash of beacon and seat', () => {
    const beacon = beaconOf(1);
    const remaining = [4, 8, 15, 16, 23, 42];
    const expected: number[] = [];
    for (let seat = 0; remaining.length > 0; seat++) {
      const digest = blake3(ascii('pyde/committee/1'), beacon, u64LittleEndian(BigInt(seat)));
      const drawn = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0, true);
      expected.push(...remaining.splice(Number(drawn % BigInt(remaining.length)), 1));
    }
    expect(selectCommittee(beacon, [4, 8, 15, 16, 23, 42].map(toValidatorIndex))).toEqual(expected);
  });

  it('gives these seats for these beacons', () => {
    expect(selectCommittee(beaconOf(1), registry(7))).toEqual(SEATS_OF_SEVEN[0]);
    expect(selectCommittee(beaconOf(2), registry(7))).toEqual(SEATS_OF_SEVEN[1]);
    expect(selectCommittee(beaconOf(1), registry(1))).toEqual([0]);
  });

  it('is without replacement, and of all who are eligible while they fit', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uniqueArray(fc.nat(0xffff), { maxLength: 300 }), (seed, indexes) => {
        const eligible = indexes.map(toValidatorIndex);
        const seats = selectCommittee(beaconOf(seed), eligible);
        expect(seats).toHaveLength(Math.min(eligible.length, MAX_COMMITTEE_SIZE));
        expect(new Set(seats).size).toBe(seats.length);
        for (const seat of seats) expect(eligible).toContain(seat);
        // Fewer seats are the first ones of more.
        expect(selectCommittee(beaconOf(seed), eligible, 4)).toEqual(seats.slice(0, 4));
      }),
      { numRuns: 60 },
    );
  });

  it('gives every seat to everybody about as often', () => {
    const first = new Map<number, number>();
    for (let seed = 0; seed < 700; seed++) {
      const [seat = -1] = selectCommittee(beaconOf(seed), registry(7));
      first.set(seat, (first.get(seat) ?? 0) + 1);
    }
    for (let i = 0; i < 7; i++) expect(first.get(i)).toBeGreaterThan(60);
  });
});

describe('the hash of a committee', () => {
  const members = [3, 0, 2].map((i) => ({ index: toValidatorIndex(i), publicKey: publicKeyOf(i) }));

  it('covers epoch, number, order, index and key of every member', () => {
    const listed = members.map(({ index, publicKey }) =>
      concatBytes(Uint8Array.of(index, 0), publicKey),
    );
    const preimage = concatBytes(u64LittleEndian(9n), Uint8Array.of(3, 0, 0, 0), ...listed);
    expect(toHex(committeeHash(toEpoch(9), members))).toBe(
      toHex(blake3(ascii('pyde/committee-hash/1'), preimage)),
    );
    const [a, b, c] = members;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three members');
    const others = [
      committeeHash(toEpoch(10), members),
      committeeHash(toEpoch(9), [b, a, c]),
      committeeHash(toEpoch(9), [a, b]),
      committeeHash(toEpoch(9), [a, b, { ...c, index: toValidatorIndex(4) }]),
      committeeHash(toEpoch(9), [a, b, { ...c, publicKey: publicKeyOf(5) }]),
    ].map(toHex);
    expect(new Set([toHex(committeeHash(toEpoch(9), members)), ...others]).size).toBe(6);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/wire-vectors.json' with { type: 'json' };
import { concatBytes, fromHex, toHex, u64LittleEndian } from '../bytes/index.ts';
import {
  isCanonicalPoseidon2,
  poseidon2,
  poseidon2Compress,
  poseidon2CompressBatch,
  poseidon2State,
  poseidon2StateBatch,
} from './index.ts';
import {
  inversePermute,
  permute,
  poseidon2CompressReference,
  poseidon2Reference,
  poseidon2StateReference,
  stateBeforeFirstSbox,
} from './testing/poseidon2-reference.ts';

const FIELD_ORDER = 0xffff_ffff_0000_0001n;
const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 167 + (i >> 8) * 29 + 13) & 255);

/** Digests with elements where carries and borrows happen. */
const element = fc.oneof(
  fc.constantFrom(0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, FIELD_ORDER - 1n, 0xffff_ffff_0000_0000n),
  fc.bigInt(0n, FIELD_ORDER - 1n),
);
const digest = fc
  .array(element, { minLength: 4, maxLength: 4 })
  .map((elements) => concatBytes(...elements.map(u64LittleEndian)));

describe('wire hash', () => {
  it.each(vectors.poseidon2)('of $in is the known digest', (vector) => {
    expect(toHex(poseidon2(fromHex(vector.in, { maxBytes: 4096 })))).toBe(vector.out);
  });

  it('agrees with the paper up to five blocks', () => {
    for (let length = 0; length <= 140; length++) {
      const bytes = bytesOf(length);
      expect(toHex(poseidon2(bytes)), `${length} bytes`).toBe(toHex(poseidon2Reference(bytes)));
    }
  });

  it('agrees with the paper on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), (bytes) => {
        expect(poseidon2(bytes)).toEqual(poseidon2Reference(bytes));
      }),
      { numRuns: 30 },
    );
  });

  it('agrees with the paper on both sides of a window', () => {
    for (const length of [65_519, 65_520, 65_521]) {
      const bytes = bytesOf(length);
      expect(toHex(poseidon2(bytes)), `${length} bytes`).toBe(toHex(poseidon2Reference(bytes)));
    }
  }, 20_000);

  it('does not see what the last call left behind', () => {
    const short = poseidon2(bytesOf(30));
    poseidon2(new Uint8Array(200).fill(255));
    expect(poseidon2(bytesOf(30))).toEqual(short);
  });
});

describe('state hash', () => {
  it('agrees with the paper up to five blocks in both domains', () => {
    for (let length = 0; length <= 140; length++) {
      for (const domain of [1, 2] as const) {
        const bytes = bytesOf(length);
        expect(poseidon2State(domain, bytes)).toEqual(poseidon2StateReference(domain, bytes));
      }
    }
  });

  it('agrees with the paper on both sides of a window', () => {
    for (const length of [65_519, 65_520, 65_521]) {
      const bytes = bytesOf(length);
      expect(poseidon2State(1, bytes)).toEqual(poseidon2StateReference(1, bytes));
    }
  }, 20_000);

  it('of a batch is that of each message, whatever their lengths and number', () => {
    const messages = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 120 }),
        fc.constantFrom(1763, 1764, 1791, 1792, 1820, 70_000),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(messages, fc.constantFrom<1 | 2>(1, 2), (lengths, domain) => {
        const all = lengths.map((length, i) => bytesOf(length + i).subarray(i));
        const expected = concatBytes(...all.map((bytes) => poseidon2State(domain, bytes)));
        expect(poseidon2StateBatch(domain, all)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('of more messages than fit at once is that of each', () => {
    for (const length of [20, 64, 100]) {
      const all = Array.from({ length: 2051 }, (_, i) => bytesOf(length + i).subarray(i));
      const digests = poseidon2StateBatch(2, all);
      for (const [i, bytes] of all.entries()) {
        const digest = digests.subarray(32 * i, 32 * i + 32);
        if (toHex(digest) !== toHex(poseidon2State(2, bytes))) expect(digest).toBe(`message ${i}`);
      }
    }
  });

  it('tells domains, trailing zeros and the wire hash apart', () => {
    const bytes = bytesOf(27);
    const longer = concatBytes(bytes, new Uint8Array(1));
    const digests = [
      poseidon2State(1, bytes),
      poseidon2State(2, bytes),
      poseidon2State(1, longer),
      poseidon2(bytes),
    ];
    expect(new Set(digests.map(toHex)).size).toBe(digests.length);
  });
});

describe('pair compression', () => {
  it('agrees with the paper, one by one and in a batch of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(digest, digest), { maxLength: 8 }), (pairs) => {
        const expected = pairs.map(([left, right]) => poseidon2CompressReference(left, right));
        const batch = poseidon2CompressBatch(concatBytes(...pairs.flat()));
        expect(batch).toEqual(concatBytes(...expected));
        expect(pairs.map(([left, right]) => poseidon2Compress(left, right))).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('of more pairs than fit at once is that of the parts', () => {
    const pairs = bytesOf(64 * 2050).map((byte, i) => (i % 8 === 7 ? byte & 127 : byte));
    const digests = poseidon2CompressBatch(pairs);
    for (const i of [0, 1, 2, 1022, 1023, 1024, 2045, 2046, 2047, 2048, 2049]) {
      const at = 64 * i;
      expect(digests.subarray(32 * i, 32 * i + 32)).toEqual(
        poseidon2Compress(pairs.subarray(at, at + 32), pairs.subarray(at + 32, at + 64)),
      );
    }
  });

  it('agrees with the paper where carries and borrows of the field meet', () => {
    // A multiple of 2^32 squares to a low half of zero, below what is taken from it.
    const edge = fc.oneof(
      element,
      fc.bigInt(1n, 0xffff_fffen).map((high) => high << 32n),
      fc.bigInt(0n, 0xffff_ffffn),
    );
    const edges = fc.array(edge, { minLength: 8, maxLength: 8 });
    const state = fc.oneof(edges.map(stateBeforeFirstSbox), edges.map(inversePermute));
    fc.assert(
      fc.property(fc.array(state, { minLength: 3, maxLength: 4 }), (states) => {
        const pairs = states.map((lanes) => concatBytes(...lanes.map(u64LittleEndian)));
        const expected = pairs.map((pair) =>
          poseidon2CompressReference(pair.subarray(0, 32), pair.subarray(32)),
        );
        expect(poseidon2CompressBatch(concatBytes(...pairs))).toEqual(concatBytes(...expected));
      }),
      { numRuns: 60 },
    );
  });

  it('gives canonical digests', () => {
    fc.assert(
      fc.property(digest, digest, (left, right) => {
        expect(isCanonicalPoseidon2(poseidon2Compress(left, right))).toBe(true);
      }),
    );
  });

  it('refuses digests of another length', () => {
    expect(() => poseidon2Compress(new Uint8Array(31), new Uint8Array(32))).toThrow('31 bytes');
  });
});

describe('the reference', () => {
  it('undoes its permutation', () => {
    const state = [1n, 2n, 3n, FIELD_ORDER - 1n, 5n, 0n, 7n, 8n];
    expect(inversePermute(permute(state))).toEqual(state);
    expect(permute(inversePermute(state))).toEqual(state);
  });
});

describe('isCanonicalPoseidon2', () => {
  it('is true below p in each element and false from p on', () => {
    for (let i = 0; i < 4; i++) {
      const elements = [0n, 0n, 0n, 0n];
      elements[i] = FIELD_ORDER - 1n;
      expect(isCanonicalPoseidon2(concatBytes(...elements.map(u64LittleEndian)))).toBe(true);
      elements[i] = FIELD_ORDER;
      expect(isCanonicalPoseidon2(concatBytes(...elements.map(u64LittleEndian)))).toBe(false);
      elements[i] = 0xffff_ffff_ffff_ffffn;
      expect(isCanonicalPoseidon2(concatBytes(...elements.map(u64LittleEndian)))).toBe(false);
    }
  });

  it('is false for another length', () => {
    expect(isCanonicalPoseidon2(new Uint8Array(31))).toBe(false);
    expect(isCanonicalPoseidon2(new Uint8Array(33))).toBe(false);
  });
});

import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/blake3.json' with { type: 'json' };
import { concatBytes, toHex } from '../bytes/index.ts';
import { blake3, blake3Batch, blake3Batch64, blake3InnerBatch, blake3LeafBatch } from './index.ts';

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

describe('blake3', () => {
  it.each(vectors.cases)('gives the official digest of $length bytes', ({ length, hash }) => {
    expect(toHex(blake3(counting(length)))).toBe(hash);
  });

  it('agrees with noble on every side of a block, chunk, group of chunks and window', () => {
    const edges = [64, 1024, 4096, 5120, 65536, 66560, 131072, 196608];
    for (const length of edges.flatMap((edge) => [edge - 1, edge, edge + 1])) {
      const bytes = counting(length);
      expect(toHex(blake3(bytes)), `${length} bytes`).toBe(toHex(nobleBlake3(bytes)));
    }
  });

  it('hashes the concatenation of its parts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.nat(70_000).map(counting)), {
          maxLength: 5,
        }),
        (parts) => {
          expect(toHex(blake3(...parts))).toBe(toHex(nobleBlake3(concatBytes(...parts))));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives digests that the next call leaves alone', () => {
    const first = blake3(counting(3));
    const before = toHex(first);
    blake3(counting(4));
    expect(toHex(first)).toBe(before);
  });
});

describe('batches for the tree', () => {
  it.each([
    ['inner nodes', blake3InnerBatch, [1]],
    ['leaves', blake3LeafBatch, [0]],
    ['plain inputs', blake3Batch64, []],
  ] as const)('hash %s as one by one', (_, batch, prefix) => {
    for (const count of [0, 1, 2, 3, 4, 5, 1023, 1024, 1025, 2050]) {
      const inputs = counting(64 * count + 3).subarray(3);
      const digests = batch(inputs);
      expect(digests.length).toBe(32 * count);
      for (let i = 0; i < count; i++) {
        const one = blake3(Uint8Array.from(prefix), inputs.subarray(64 * i, 64 * i + 64));
        expect(digests.subarray(32 * i, 32 * i + 32)).toEqual(one);
      }
    }
  });

  it('hash messages of any lengths and number as one by one', () => {
    const edges = fc.constantFrom(0, 63, 64, 65, 128, 960, 961, 1023, 1024, 1025, 3000, 70_000);
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 260 }), edges), { maxLength: 40 });
    fc.assert(
      fc.property(lengths, (chosen) => {
        const all = chosen.map((length, i) => counting(length + i).subarray(i));
        expect(blake3Batch(all)).toEqual(concatBytes(...all.map((bytes) => blake3(bytes))));
      }),
      { numRuns: 60 },
    );
    for (const length of [0, 75, 1000]) {
      const all = Array.from({ length: 1100 }, (_, i) =>
        counting(length + (i % 3)).subarray(i % 3),
      );
      const digests = blake3Batch(all);
      for (const [i, bytes] of all.entries()) {
        const digest = digests.subarray(32 * i, 32 * i + 32);
        if (toHex(digest) !== toHex(blake3(bytes))) expect(digest).toBe(`message ${i}`);
      }
    }
  });

  it('refuse half an input', () => {
    expect(() => blake3InnerBatch(new Uint8Array(96))).toThrow('whole inputs');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { toHash } from '../types/index.ts';
import { merkleListProof, merkleListRoot, verifyMerkleListProof } from './index.ts';

const item = (i: number) => Uint8Array.of(i, i >> 8);
const items = (count: number) => Array.from({ length: count }, (_, i) => item(i));
const leaf = (i: number) => blake3(Uint8Array.of(0), item(i));
const inner = (l: Uint8Array, r: Uint8Array) => blake3(Uint8Array.of(1), concatBytes(l, r));

describe('the Merkle tree over a list', () => {
  it('has 32 zero bytes for the empty list and the leaf for one item', () => {
    expect(merkleListRoot([])).toEqual(new Uint8Array(32));
    expect(merkleListRoot(items(1))).toEqual(leaf(0));
  });

  it('carries an odd node up unchanged', () => {
    expect(merkleListRoot(items(3))).toEqual(inner(inner(leaf(0), leaf(1)), leaf(2)));
    const five = inner(inner(inner(leaf(0), leaf(1)), inner(leaf(2), leaf(3))), leaf(4));
    expect(merkleListRoot(items(5))).toEqual(five);
  });

  it('proves every item of every length up to 40, at its place only', () => {
    for (let count = 1; count <= 40; count++) {
      const root = merkleListRoot(items(count));
      for (let index = 0; index < count; index++) {
        const proof = merkleListProof(items(count), index);
        expect(verifyMerkleListProof(root, item(index), proof)).toBe(true);
        const other = (index + 1) % count;
        if (other !== index) {
          expect(verifyMerkleListProof(root, item(other), proof)).toBe(false);
          expect(verifyMerkleListProof(root, item(index), { ...proof, index: other })).toBe(false);
        }
      }
    }
  });

  it('refuses a proof that was changed', () => {
    const change = fc.record({
      count: fc.integer({ min: 1, max: 60 }),
      at: fc.nat(),
      sibling: fc.nat(),
      byte: fc.nat(31),
      flip: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(change, ({ count, at, sibling, byte, flip }) => {
        const list = items(count);
        const index = at % count;
        const proof = merkleListProof(list, index);
        const root = merkleListRoot(list);
        const longer = { ...proof, siblings: [...proof.siblings, merkleListRoot(items(1))] };
        expect(verifyMerkleListProof(root, item(index), longer)).toBe(false);
        if (proof.siblings.length === 0) return;
        const shorter = { ...proof, siblings: proof.siblings.slice(1) };
        expect(verifyMerkleListProof(root, item(index), shorter)).toBe(false);
        const siblings = proof.siblings.map((one) => one.slice());
        const changed = siblings[sibling % siblings.length];
        if (changed !== undefined) changed[byte] = (changed[byte] ?? 0) ^ flip;
        const forged = { ...proof, siblings: siblings.map(toHash) };
        expect(verifyMerkleListProof(root, item(index), forged)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses an index that the list does not have', () => {
    expect(() => merkleListProof(items(3), 3)).toThrow('no item 3');
    expect(() => merkleListProof([], 0)).toThrow('no item 0');
    const proof = merkleListProof(items(3), 2);
    for (const index of [-1, 3, 0.5, Number.NaN]) {
      expect(verifyMerkleListProof(merkleListRoot(items(3)), item(2), { ...proof, index })).toBe(
        false,
      );
    }
  });
});

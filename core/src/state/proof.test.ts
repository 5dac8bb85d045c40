import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, PydeError } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import {
  decodeStateProof,
  encodeStateProof,
  MAX_PROOF_BYTES,
  type StateProof,
  verifyTreeProof,
} from './proof.ts';
import { RawTree } from './testing.ts';
import { EMPTY_HASH, hashValue, type NodeHash } from './tree-hash.ts';

const COUNT = 200;
const keyOf = (i: number) => blake3(Uint8Array.of(i, i >> 8));
const contentOf = (i: number) => Uint8Array.of(i, 1, 2, 3);

const tree = new RawTree();
/** One proof of every kind of end, with what it proves. */
let proven: { key: Uint8Array; value: Uint8Array | undefined; proof: StateProof }[] = [];

beforeAll(async () => {
  await tree.apply(
    Array.from({ length: COUNT }, (_, i) => ({ key: keyOf(i), value: contentOf(i) })),
  );
  const absent = Array.from({ length: 100 }, (_, i) => COUNT + i).map((i) => ({
    key: keyOf(i),
    value: undefined,
    proof: tree.prove(keyOf(i), 0),
  }));
  const ends = (kind: string) => absent.filter(({ proof }) => proof.end.kind === kind).slice(0, 2);
  const present = [3, 77].map((i) => ({
    key: keyOf(i),
    value: contentOf(i),
    proof: tree.prove(keyOf(i), 0),
  }));
  proven = [...present, ...ends('empty'), ...ends('other-leaf')];
  expect(proven).toHaveLength(6);
});

/** The refusal of `proof`, which must be a `PydeError`; undefined when it verifies. */
function refusal(
  key: Uint8Array,
  value: Uint8Array | undefined,
  read: () => StateProof,
  root: NodeHash = tree.hash,
): string | undefined {
  try {
    verifyTreeProof(root, key, value, read());
    return undefined;
  } catch (error) {
    if (error instanceof PydeError) return error.code;
    throw error;
  }
}

function flip(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  const flipped = bytes.slice();
  flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
  return flipped;
}

describe('a state proof', () => {
  it('survives its encoding and verifies', () => {
    for (const { key, value, proof } of proven) {
      const bytes = encodeStateProof(proof);
      expect(encodeStateProof(decodeStateProof(bytes))).toEqual(bytes);
      expect(refusal(key, value, () => decodeStateProof(bytes))).toBeUndefined();
    }
  });

  it('is refused with any byte flipped, cut off or added', () => {
    for (const { key, value, proof } of proven) {
      const bytes = encodeStateProof(proof);
      for (let at = 0; at < bytes.length; at++) {
        const flipped = flip(bytes, at, at % 8);
        expect(
          refusal(key, value, () => decodeStateProof(flipped)),
          `byte ${at}`,
        ).toBeDefined();
        const cut = bytes.subarray(0, at);
        expect(refusal(key, value, () => decodeStateProof(cut))).toMatch(/^borsh\./);
      }
      const longer = concatBytes(bytes, Uint8Array.of(0));
      expect(refusal(key, value, () => decodeStateProof(longer))).toBe('borsh.trailing-bytes');
    }
  });

  it('is refused for another value, another key and another root of either family', () => {
    const other = Uint8Array.of(9);
    for (const { key, value, proof } of proven) {
      if (value !== undefined) {
        expect(refusal(key, other, () => proof)).toBe('state.proof-root');
        expect(refusal(key, new Uint8Array(0), () => proof)).toBe('state.proof-root');
      }
      expect(refusal(flip(key, 0, 7), value, () => proof)).toMatch(/^state\.proof-/);
      const { blake3, poseidon2 } = tree.hash;
      for (const root of [
        { blake3: flip(blake3, 5), poseidon2 },
        { blake3, poseidon2: flip(poseidon2, 5) },
      ]) {
        expect(refusal(key, value, () => proof, root)).toBe('state.proof-root');
      }
    }
  });

  it('is refused with siblings swapped, dropped, doubled or added', () => {
    for (const { key, value, proof } of proven) {
      const { end, siblings } = proof;
      const variants: NodeHash[][] = [
        [...siblings, EMPTY_HASH],
        [EMPTY_HASH, ...siblings],
      ];
      siblings.forEach((sibling, d) => {
        variants.push(siblings.toSpliced(d, 1), siblings.toSpliced(d, 0, sibling));
        const next = siblings[d + 1];
        if (next !== undefined) variants.push(siblings.toSpliced(d, 2, next, sibling));
      });
      for (const siblings of variants) {
        expect(refusal(key, value, () => ({ end, siblings }))).toMatch(/^state\.proof-/);
      }
    }
  });

  it('of presence never proves absence, and the other way round', () => {
    for (const { key, value, proof } of proven) {
      if (value !== undefined) {
        const ends: StateProof['end'][] = [
          { kind: 'empty' },
          { kind: 'other-leaf', key, valueHash: hashValue(value) },
          { kind: 'other-leaf', key: keyOf(0), valueHash: hashValue(contentOf(0)) },
        ];
        expect(refusal(key, undefined, () => proof)).toBe('state.proof-kind');
        for (const end of ends) {
          expect(refusal(key, undefined, () => ({ ...proof, end }))).toMatch(/^state\.proof-/);
        }
      } else {
        expect(refusal(key, Uint8Array.of(1), () => proof)).toBe('state.proof-kind');
        const present: StateProof = { ...proof, end: { kind: 'present' } };
        expect(refusal(key, Uint8Array.of(1), () => present)).toBe('state.proof-root');
        expect(refusal(key, undefined, () => present)).toBe('state.proof-kind');
      }
    }
  });

  it('of absence is refused when its leaf is off the path of the key', () => {
    const away = keyOf(3);
    const { siblings } = tree.prove(away, 0);
    const end = { kind: 'other-leaf', key: away, valueHash: hashValue(contentOf(3)) } as const;
    expect(refusal(flip(away, 0, 7), undefined, () => ({ end, siblings }))).toBe(
      'state.proof-leaf',
    );
  });

  it('is refused with a Poseidon2 element that is not canonical', () => {
    const p = 0xffff_ffff_0000_0001n;
    for (const { key, value, proof } of proven) {
      const bytes = encodeStateProof(proof);
      const view = new DataView(bytes.buffer);
      const last = bytes.length - 8;
      view.setBigUint64(last, p, true);
      expect(refusal(key, value, () => decodeStateProof(bytes))).toBe('state.proof-element');
    }
    const empty = encodeStateProof({ end: { kind: 'present' }, siblings: [EMPTY_HASH] });
    new DataView(empty.buffer).setBigUint64(empty.length - 32, p, true);
    expect(() => decodeStateProof(empty)).toThrow(/above the field/);
  });

  it('has at most 256 siblings', () => {
    const end = { kind: 'empty' } as const;
    const siblings = Array.from({ length: 256 }, () => EMPTY_HASH);
    expect(decodeStateProof(encodeStateProof({ end, siblings })).siblings).toHaveLength(256);
    const more = encodeStateProof({ end, siblings: [...siblings, EMPTY_HASH] });
    expect(() => decodeStateProof(more)).toThrow(/count 257/);
    expect(() => decodeStateProof(new Uint8Array(MAX_PROOF_BYTES + 1))).toThrow(/at most/);
  });

  it('decodes from any bytes at all to a proof or to a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const code = refusal(keyOf(1), undefined, () => decodeStateProof(bytes));
        expect(code).toBeDefined();
      }),
    );
  });
});

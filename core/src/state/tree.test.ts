import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { verifyTreeProof } from './proof.ts';
import { ByteMap, naiveRoot, RawTree } from './testing.ts';
import type { TreeChange } from './tree.ts';
import { EMPTY_HASH, type NodeHash } from './tree-hash.ts';

/** A pool of keys that share prefixes of any length, so that every shape of tree comes up. */
const keyPool = fc
  .array(
    fc.record({
      base: fc.constantFrom(0x00, 0x5a, 0xff),
      shared: fc.integer({ min: 0, max: 255 }),
      rest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    }),
    { minLength: 2, maxLength: 24 },
  )
  .map((specs) => {
    const keys = specs.map(({ base, shared, rest }) => {
      const key = rest.slice();
      for (let bit = 0; bit < shared; bit++) {
        const mask = 0x80 >> (bit % 8);
        const at = Math.floor(bit / 8);
        key[at] = ((key[at] ?? 0) & ~mask) | (base & mask);
      }
      return key;
    });
    return [...new Map(keys.map((key) => [toHex(key), key])).values()];
  });

const value = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined, freq: 3 });

const scenario = keyPool.chain((keys) =>
  fc.record({
    keys: fc.constant(keys),
    batches: fc.array(fc.dictionary(indexOf(keys), value, { noNullPrototype: true }), {
      minLength: 1,
      maxLength: 6,
    }),
  }),
);

function indexOf(keys: readonly Uint8Array[]) {
  return fc.integer({ min: 0, max: keys.length - 1 }).map(String);
}

function changesOf(keys: readonly Uint8Array[], batch: Record<string, Uint8Array | undefined>) {
  return Object.entries(batch).flatMap(([index, value]): TreeChange[] => {
    const key = keys[Number(index)];
    return key === undefined ? [] : [{ key, value }];
  });
}

const bytesOf = (hash: NodeHash) => [toHex(hash.blake3), toHex(hash.poseidon2)];

function key(start: readonly number[], fill = 0): Uint8Array {
  const bytes = new Uint8Array(32).fill(fill);
  bytes.set(start);
  return bytes;
}

describe('the tree', () => {
  it.each([
    ['nothing', undefined],
    ['some nodes', 6],
    ['every node', 10_000],
  ])(
    'has the roots of the definition and proves every version, with %s cached',
    async (_, cached) => {
      await fc.assert(
        fc.asyncProperty(scenario, async ({ keys, batches }) => {
          const tree = new RawTree(cached);
          const models: ByteMap[] = [];
          const roots: NodeHash[] = [];
          for (const batch of batches) {
            const changes = changesOf(keys, batch);
            await tree.apply(changes);
            const model = (models.at(-1)?.copy() ?? new ByteMap()).apply(changes);
            models.push(model);
            roots.push(naiveRoot(model.entries()));
            expect(bytesOf(tree.hash)).toEqual(bytesOf(naiveRoot(model.entries())));
          }
          models.forEach((model, version) => {
            const root = roots[version] ?? EMPTY_HASH;
            for (const probe of [...keys, key([]), key([], 0xff), key([0x5a], 0x5a)]) {
              verifyTreeProof(root, probe, model.get(probe), tree.prove(probe, version));
            }
          });
        }),
        { numRuns: 60 },
      );
    },
  );

  it('does not depend on the order of changes or on how they are split into batches', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.integer(), async ({ keys, batches }, seed) => {
        const split = new RawTree();
        const last = new ByteMap();
        for (const batch of batches) {
          await split.apply(changesOf(keys, batch));
          last.apply(changesOf(keys, batch));
        }
        const whole = new RawTree();
        const entries = last.entries().map(([key, value]) => ({ key, value }));
        const turn = entries.length === 0 ? 0 : Math.abs(seed) % entries.length;
        await whole.apply([...entries.slice(turn), ...entries.slice(0, turn)].toReversed());
        expect(bytesOf(whole.hash)).toEqual(bytesOf(split.hash));
      }),
      { numRuns: 40 },
    );
  });

  it('is empty again when everything is removed', async () => {
    const keys = [key([0x12, 0x34]), key([0x12, 0x35]), key([0x80]), key([0x12, 0x34], 1)];
    const tree = new RawTree();
    await tree.apply(keys.map((key) => ({ key, value: Uint8Array.of(7) })));
    await tree.apply(keys.map((key) => ({ key, value: undefined })));
    expect(bytesOf(tree.hash)).toEqual(bytesOf(EMPTY_HASH));
    expect(tree.prove(key([]), 1)).toEqual({ end: { kind: 'empty' }, siblings: [] });
  });

  it('holds two keys that differ in their last bit, with 256 siblings', async () => {
    const [left, right] = [key([], 0xff), key([], 0xff)];
    left[31] = 0xfe;
    const tree = new RawTree();
    const changes = [left, right].map((key) => ({ key, value: key }));
    await tree.apply(changes);
    const root = naiveRoot(new ByteMap().apply(changes).entries());
    expect(bytesOf(tree.hash)).toEqual(bytesOf(root));
    expect(tree.prove(left, 0).siblings).toHaveLength(256);
    verifyTreeProof(root, left, left, tree.prove(left, 0));
    await tree.apply([{ key: left, value: undefined }]);
    expect(tree.prove(right, 1).siblings).toHaveLength(0);
    verifyTreeProof(tree.hash, right, right, tree.prove(right, 1));
    verifyTreeProof(tree.hash, left, undefined, tree.prove(left, 1));
  });

  it('writes nothing for changes that change nothing', async () => {
    const keys = Array.from({ length: 50 }, (_, i) => key([i * 5, i], i));
    const tree = new RawTree();
    await tree.apply(keys.map((key) => ({ key, value: key })));
    const same = keys.map((key) => ({ key, value: key.slice() }));
    const absent = [{ key: key([0xee, 0xee]), value: undefined }];
    expect(await tree.apply([...same, ...absent])).toBe(0);
    expect(tree.roots[1]).toBe(tree.roots[0]);
  });

  it('tells a value of no bytes from no value', async () => {
    const tree = new RawTree();
    await tree.apply([{ key: key([1]), value: new Uint8Array(0) }]);
    expect(bytesOf(tree.hash)).toEqual(bytesOf(naiveRoot([[key([1]), new Uint8Array(0)]])));
    verifyTreeProof(tree.hash, key([1]), new Uint8Array(0), tree.prove(key([1]), 0));
  });

  it('takes each key once in a batch', async () => {
    const twice = [Uint8Array.of(1), Uint8Array.of(2)].map((value) => ({ key: key([1]), value }));
    await expect(new RawTree().apply(twice)).rejects.toThrow('at most once');
  });
});

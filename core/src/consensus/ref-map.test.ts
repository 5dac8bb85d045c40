import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMemberIndex, toRound, toVertexHash, type WeakParentRef } from '../types/index.ts';
import { RefMap } from './ref-map.ts';

const refs = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 3 }), fc.maxSafeNat()),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 2 }),
  )
  .map(
    ([round, author, name]): WeakParentRef => ({
      round: toRound(round),
      author: toMemberIndex(author),
      name: toVertexHash(new Uint8Array(32).fill(name)),
    }),
  );
const keyOf = ({ round, author, name }: WeakParentRef): string => `${round} ${author} ${name[0]}`;

describe('a map from references', () => {
  it('tells references apart by round, author and name, as a map from text would', () => {
    const steps = fc.array(fc.tuple(refs, fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (steps) => {
        const map = new RefMap<number>();
        const model = new Map<string, number>();
        steps.forEach(([ref, puts], i) => {
          const key = keyOf(ref);
          if (!puts) {
            map.delete(ref);
            model.delete(key);
          } else if (!model.has(key)) {
            map.set(ref, i);
            model.set(key, i);
          }
          for (const [any] of steps) expect(map.get(any)).toBe(model.get(keyOf(any)));
        });
      }),
    );
  });
});

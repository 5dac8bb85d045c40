import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Prng } from './prng.ts';

describe('Prng', () => {
  it('is xoshiro128**: the first outputs of the state 1, 2, 3, 4', () => {
    const prng = new Prng([1, 2, 3, 4]);
    const outputs = Array.from({ length: 10 }, () => prng.next());
    expect(outputs).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]);
  });

  it('repeats with its seed, and keeps streams and seeds apart', () => {
    const first = (seed: number, stream: number): number[] => {
      const prng = Prng.seeded(seed, stream);
      return Array.from({ length: 4 }, () => prng.next());
    };
    expect(first(7, 1)).toEqual(first(7, 1));
    const starts = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      for (let stream = 0; stream < 5; stream++) starts.add(first(seed, stream).join());
    }
    expect(starts.size).toBe(1_000);
    expect(first(2 ** 40 + 7, 1)).not.toEqual(first(7, 1));
  });

  it('keeps to the bounds it is given', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 20 }), fc.nat(1000), (seed, n, low) => {
        const prng = Prng.seeded(seed, 0);
        for (let i = 0; i < 20; i++) {
          const below = prng.below(n);
          const between = prng.between(low, low + n);
          if (below < 0 || below >= n || between < low || between > low + n) return false;
        }
        return true;
      }),
    );
  });

  it('says yes as often as asked', () => {
    const prng = Prng.seeded(3, 0);
    let yes = 0;
    for (let i = 0; i < 100_000; i++) if (prng.chance(300_000)) yes++;
    expect(yes).toBeGreaterThan(29_000);
    expect(yes).toBeLessThan(31_000);
    expect(prng.chance(0)).toBe(false);
    expect(prng.chance(1_000_000)).toBe(true);
  });

  it('fills byte strings of every length', () => {
    for (const length of [0, 1, 3, 4, 5, 32]) {
      expect(Prng.seeded(1, 0).bytes(length)).toHaveLength(length);
    }
    const bytes = Prng.seeded(1, 0).bytes(4_096);
    expect(new Set(bytes).size).toBe(256);
  });
});

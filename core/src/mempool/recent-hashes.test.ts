import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blake3 } from '../crypto/index.ts';
import { RecentHashes } from './recent-hashes.ts';

const hashOf = (i: number): Uint8Array => blake3(Uint8Array.of(i & 255, (i >> 8) & 255, i >> 16));

describe('RecentHashes', () => {
  it('remembers the newest hashes whatever they are, and none that it was not given', () => {
    // Few different first bytes, so that buckets overflow.
    const hash = fc
      .tuple(fc.nat(3), fc.nat(40))
      .map(([first, last]) => new Uint8Array(32).fill(first, 0, 4).fill(last, 31));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.array(hash), (capacity, hashes) => {
        const recent = new RecentHashes(capacity);
        const added: string[] = [];
        for (const one of hashes) {
          const known = recent.has(one);
          if (known) expect(added).toContain(one.join());
          recent.add(one);
          if (!known) added.push(one.join());
          expect(recent.has(one)).toBe(true);
          const newest = added.slice(-Math.min(capacity, 16));
          for (const each of newest) {
            expect(recent.has(Uint8Array.from(each.split(',').map(Number)))).toBe(true);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('forgets the oldest of a bucket first', () => {
    const recent = new RecentHashes(3);
    for (const i of [0, 1, 2, 1, 3]) recent.add(hashOf(i));
    expect([0, 1, 2, 3].map((i) => recent.has(hashOf(i)))).toEqual([false, true, true, true]);
  });

  it('holds nearly as many hashes as its capacity says, in memory that never grows', () => {
    const capacity = 4096;
    const recent = new RecentHashes(capacity);
    const { bytes } = recent;
    expect(bytes).toBeLessThanOrEqual(capacity * 33);
    for (let i = 0; i < 3 * capacity; i++) recent.add(hashOf(i));
    expect(recent.bytes).toBe(bytes);
    const kept = (from: number, to: number) => {
      let count = 0;
      for (let i = from; i < to; i++) if (recent.has(hashOf(i))) count++;
      return count / (to - from);
    };
    expect(kept(2.5 * capacity, 3 * capacity)).toBeGreaterThan(0.98);
    expect(kept(2 * capacity, 3 * capacity)).toBeGreaterThan(0.85);
    expect(kept(0, capacity)).toBeLessThan(0.01);
  });
});

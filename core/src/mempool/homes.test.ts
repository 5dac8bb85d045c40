import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { u64LittleEndian } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { toAddress, toEpoch } from '../types/index.ts';
import { HeldForHome, homeOf, MAX_BEHIND_MS, TAKE_OVER_MS } from './homes.ts';

const address = (i: number) => toAddress(blake3(u64LittleEndian(BigInt(i))));

describe('the home of a sender', () => {
  it('is a seat of the committee, fixed by sender and epoch alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 1, max: 128 }),
        (i, epoch, size) => {
          const home = homeOf(address(i), toEpoch(epoch), size);
          expect(home).toBeGreaterThanOrEqual(0);
          expect(home).toBeLessThan(size);
          expect(homeOf(address(i), toEpoch(epoch), size)).toBe(home);
        },
      ),
    );
  });

  it('moves with the epoch, and spreads over all seats', () => {
    const homes = Array.from({ length: 400 }, (_, i) => homeOf(address(i), toEpoch(0), 4));
    for (const seat of [0, 1, 2, 3]) {
      const count = homes.filter((home) => home === seat).length;
      expect(count).toBeGreaterThan(60);
      expect(count).toBeLessThan(140);
    }
    const moved = homes.filter((home, i) => homeOf(address(i), toEpoch(1), 4) !== home);
    expect(moved.length).toBeGreaterThan(200);
  });

  it('reads the first eight bytes of the digest as a little-endian number', () => {
    const from = address(5);
    const digest = blake3(from, u64LittleEndian(3n));
    const low = new DataView(digest.buffer, digest.byteOffset, 8).getBigUint64(0, true);
    expect(homeOf(from, toEpoch(3), 7)).toBe(Number(low % 7n));
  });
});

describe('transactions held for their home', () => {
  it('come due in the order in which they were held, each once, within the limit', () => {
    const held = new HeldForHome<{ name: string }>();
    expect(held.nextDueMs).toBeUndefined();
    held.hold({ name: 'a' }, 10);
    held.hold({ name: 'b' }, 10);
    held.hold({ name: 'c' }, 500);
    expect(held.nextDueMs).toBe(10 + TAKE_OVER_MS);
    expect(held.takeDue(9 + TAKE_OVER_MS, 10)).toEqual([]);
    expect(held.takeDue(10 + TAKE_OVER_MS, 1).map(({ entry }) => entry.name)).toEqual(['a']);
    held.delete('b');
    expect(held.takeDue(10 + TAKE_OVER_MS, 10)).toEqual([]);
    expect([held.has('c'), held.size]).toEqual([true, 1]);
    expect(held.takeDue(10_000, 10).map(({ entry }) => entry.name)).toEqual(['c']);
    expect(held.nextDueMs).toBeUndefined();
  });

  it('wait longer while waves run behind, and never for ever', () => {
    const held = new HeldForHome<{ name: string }>();
    held.hold({ name: 'a' }, 10);
    held.runsBehind(700);
    expect(held.nextDueMs).toBe(710 + TAKE_OVER_MS);
    expect(held.takeDue(709 + TAKE_OVER_MS, 10)).toEqual([]);
    // A clock that is wrong by days makes no difference of days.
    held.runsBehind(10 ** 9);
    expect(held.nextDueMs).toBe(10 + TAKE_OVER_MS + MAX_BEHIND_MS);
    held.runsBehind(-5);
    expect(held.takeDue(10 + TAKE_OVER_MS, 10).map(({ entry }) => entry.name)).toEqual(['a']);
  });
});

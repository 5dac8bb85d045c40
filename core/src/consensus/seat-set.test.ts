import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeatSet } from './seat-set.ts';

const seats = fc.uniqueArray(fc.integer({ min: 0, max: 127 }));

function setOf(members: readonly number[]): SeatSet {
  const set = new SeatSet();
  for (const seat of members) set.add(seat);
  return set;
}

describe('a set of seats', () => {
  it('holds what was added and not removed', () => {
    fc.assert(
      fc.property(seats, seats, (added, removed) => {
        const set = setOf(added);
        for (const seat of removed) set.remove(seat);
        const left = added.filter((seat) => !removed.includes(seat)).sort((a, b) => a - b);
        expect(set.list()).toEqual(left);
        for (let seat = 0; seat < 128; seat++) {
          expect(set.has(seat)).toBe(left.includes(seat));
          expect(set.isOnly(seat)).toBe(left.length === 1 && left[0] === seat);
        }
        expect(set.isEmpty).toBe(left.length === 0);
      }),
    );
  });

  it('is joined, compared, counted and listed like any set', () => {
    fc.assert(
      fc.property(seats, seats, (a, b) => {
        const [one, other] = [setOf(a), setOf(b)];
        expect(one.hasAll(other)).toBe(b.every((seat) => a.includes(seat)));
        expect(one.common(other)).toBe(a.filter((seat) => b.includes(seat)).length);
        const without = a.filter((seat) => !b.includes(seat)).sort((x, y) => x - y);
        expect(one.list(other)).toEqual(without);
        one.addAll(other);
        expect(one.list()).toEqual([...new Set([...a, ...b])].sort((x, y) => x - y));
      }),
    );
  });
});

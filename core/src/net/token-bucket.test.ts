import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

describe('a token bucket', () => {
  it('starts full, empties, and regains by time', () => {
    const bucket = new TokenBucket({ capacity: 3, perSecond: 2 }, 1_000);
    expect([1, 2, 3, 4].map(() => bucket.take(1, 1_000))).toEqual([true, true, true, false]);
    expect(bucket.waitMs(1, 1_000)).toBe(500);
    expect(bucket.take(1, 1_499)).toBe(false);
    expect(bucket.take(1, 1_500)).toBe(true);
    expect(bucket.available(60_000)).toBe(3);
  });

  it('takes all or nothing', () => {
    const bucket = new TokenBucket({ capacity: 5, perSecond: 1 }, 0);
    expect(bucket.take(6, 0)).toBe(false);
    expect(bucket.waitMs(6, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(bucket.take(5, 0)).toBe(true);
  });

  it('takes no notice of a clock that goes back', () => {
    const bucket = new TokenBucket({ capacity: 1, perSecond: 1 }, 10_000);
    bucket.take(1, 10_000);
    expect(bucket.take(1, 5_000)).toBe(false);
    expect(bucket.take(1, 10_999)).toBe(false);
    expect(bucket.take(1, 11_000)).toBe(true);
  });

  it('waits for what is owed', () => {
    const bucket = new TokenBucket({ capacity: 10, perSecond: 10 }, 0);
    bucket.owe(30, 0);
    expect(bucket.available(0)).toBe(-20);
    expect(bucket.waitMs(1, 0)).toBe(2_100);
    expect(bucket.take(1, 2_099)).toBe(false);
    expect(bucket.take(1, 2_100)).toBe(true);
  });

  it('gives over any time no more than its burst and its rate, however often it is asked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { maxLength: 200 }),
        (capacity, perSecond, steps) => {
          const bucket = new TokenBucket({ capacity, perSecond }, 0);
          let nowMs = 0;
          let taken = 0;
          for (const step of steps) {
            nowMs += step;
            while (bucket.take(1, nowMs)) taken++;
            expect(taken).toBeLessThanOrEqual(capacity + Math.floor((nowMs * perSecond) / 1_000));
          }
        },
      ),
    );
  });

  it('loses nothing to rounding: a thousand looks are as good as none', () => {
    const looked = new TokenBucket({ capacity: 1_000, perSecond: 3 }, 0);
    const alone = new TokenBucket({ capacity: 1_000, perSecond: 3 }, 0);
    looked.take(1_000, 0);
    alone.take(1_000, 0);
    for (let ms = 0.1; ms < 10_000; ms += 0.7) looked.available(ms);
    expect(looked.available(10_000)).toBe(alone.available(10_000));
    expect(alone.available(10_000)).toBe(30);
  });

  it('is exact after years', () => {
    const bucket = new TokenBucket({ capacity: 2 ** 40, perSecond: 2 ** 40 }, 0);
    bucket.take(2 ** 40, 0);
    expect(bucket.available(2 ** 45)).toBe(2 ** 40);
  });
});

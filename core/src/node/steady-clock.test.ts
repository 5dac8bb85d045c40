import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DOUBT_MS, LARGEST_STEP_MS, SteadyClock } from './steady-clock.ts';

const START_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

/** A clock whose wall is off by `offMs` at `atMs` after the start, with waves 200 ms behind. */
function look(clock: SteadyClock, atMs: number, offMs = 0, waveAtMs = atMs - 200): number {
  const now = { monotonicMs: atMs, unixMs: START_MS + atMs + offMs };
  return clock.believed(now, BigInt(START_MS + waveAtMs)).unixMs - START_MS - atMs;
}

describe('SteadyClock', () => {
  it('believes a clock that runs, and one that is set by a little', () => {
    const clock = new SteadyClock();
    expect(look(clock, 0)).toBe(0);
    expect(look(clock, 50, 3)).toBe(3);
    expect(look(clock, 100, -LARGEST_STEP_MS + 3)).toBe(-LARGEST_STEP_MS + 3);
  });

  it('goes on by itself when the clock jumps, ahead or back, until it is set right', () => {
    for (const offMs of [2 * HOUR_MS, -2 * HOUR_MS]) {
      const clock = new SteadyClock();
      look(clock, 0);
      for (let atMs = 20; atMs < 6_000; atMs += 20) expect(look(clock, atMs, offMs)).toBe(0);
      expect(clock.isDoubted).toBe(true);
      expect(look(clock, 6_020)).toBe(0);
      expect(clock.isDoubted).toBe(false);
    }
  });

  it('takes a clock that is set right as soon as waves say so', () => {
    const clock = new SteadyClock();
    expect(look(clock, 0, HOUR_MS)).toBe(HOUR_MS);
    expect(look(clock, 20, HOUR_MS)).toBe(HOUR_MS);
    expect(look(clock, 40, 0)).toBe(0);
    // Slept for an hour, and found waves of the hour when it came back.
    expect(look(clock, 60, HOUR_MS, -200)).toBe(0);
    expect(look(clock, 80, HOUR_MS, HOUR_MS - 100)).toBe(HOUR_MS);
  });

  it('gives in after ten minutes without waves that say otherwise', () => {
    const clock = new SteadyClock();
    look(clock, 0);
    expect(look(clock, 1_000, HOUR_MS)).toBe(0);
    expect(look(clock, 1_000 + DOUBT_MS - 1, HOUR_MS)).toBe(0);
    expect(look(clock, 1_000 + DOUBT_MS, HOUR_MS)).toBe(HOUR_MS);
    expect(look(clock, 1_020 + DOUBT_MS, HOUR_MS)).toBe(HOUR_MS);
  });

  it('believes a wall clock that stands still, as a seeded devnet has it', () => {
    const clock = new SteadyClock();
    for (let atMs = 0; atMs < 60_000; atMs += 250) {
      expect(look(clock, atMs, -atMs, 5) + atMs).toBe(0);
    }
  });

  it('never believes anything but the clock or its own reckoning', () => {
    const step = fc.record({
      passedMs: fc.integer({ min: 0, max: 5_000 }),
      offMs: fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = new SteadyClock();
        let atMs = 0;
        let last = look(clock, atMs);
        for (const { passedMs, offMs } of steps) {
          atMs += passedMs;
          const believed = look(clock, atMs, offMs);
          expect([offMs, last]).toContain(believed);
          last = believed;
        }
      }),
    );
  });
});

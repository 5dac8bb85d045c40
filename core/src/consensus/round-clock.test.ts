import { describe, expect, it } from 'vitest';
import { RoundClock } from './round-clock.ts';

function clockWithRounds(...durationsMs: number[]): RoundClock {
  const clock = new RoundClock(1_000);
  let nowMs = 1_000;
  for (const durationMs of durationsMs) {
    nowMs += durationMs;
    clock.produced(nowMs);
  }
  return clock;
}

describe('the leader timeout', () => {
  it('is at least 250 ms', () => {
    expect(clockWithRounds().leaderTimeoutMs(0)).toBe(250);
    expect(clockWithRounds(20, 20, 20).leaderTimeoutMs(0)).toBe(250);
  });

  it('is four median rounds, of the newest twenty', () => {
    expect(clockWithRounds(100, 5_000, 100).leaderTimeoutMs(0)).toBe(400);
    const slowThenFast = [...Array<number>(20).fill(900), ...Array<number>(20).fill(100)];
    expect(clockWithRounds(...slowThenFast).leaderTimeoutMs(0)).toBe(400);
  });

  it('doubles for each slot that was not decided directly, up to 4 s', () => {
    const clock = clockWithRounds();
    const timeouts = [-3, 0, 1, 2, 3, 4, 5, 1_000].map((run) => clock.leaderTimeoutMs(run));
    expect(timeouts).toEqual([250, 250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    expect(clockWithRounds(500).leaderTimeoutMs(1)).toBe(4_000);
  });

  it('counts from the last own vertex', () => {
    expect(clockWithRounds(30, 12).lastMs).toBe(1_042);
  });
});

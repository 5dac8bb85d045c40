import { describe, expect, it } from 'vitest';
import { Samples } from './samples.ts';

describe('Samples', () => {
  it('has no percentiles without samples', () => {
    expect(new Samples().percentilesMs()).toBeUndefined();
  });

  it('gives the middle and the 99th of a hundred', () => {
    const samples = new Samples();
    for (let i = 100; i > 0; i--) samples.add(i * 1_000);
    expect(samples.percentilesMs()).toEqual({ p50: 51, p99: 100 });
  });

  it('thins out evenly when there are too many', () => {
    const samples = new Samples();
    for (let i = 0; i < 1_000_000; i++) samples.add(i);
    const { p50, p99 } = samples.percentilesMs() ?? { p50: 0, p99: 0 };
    expect(samples.count).toBe(1_000_000);
    expect(p50).toBeGreaterThan(490);
    expect(p50).toBeLessThan(510);
    expect(p99).toBeGreaterThan(985);
  });
});

/** Whole nodes that come back with a stale store, an empty one, or in the middle of coming back. */
import { describe, expect, it } from 'vitest';
import { testKey } from '../crypto/testing.ts';
import { faultKinds, type SimOptions, simOptions } from './options.ts';
import type { SimReport } from './report.ts';
import { Simulation } from './simulation.ts';

async function run(given: Partial<SimOptions>): Promise<SimReport> {
  const all = { validators: 4, signatures: 'keyed', ...given } as const;
  const simulation = await Simulation.open(simOptions(all), {
    keys: (count) => Array.from({ length: count }, (_, i) => testKey(i)),
  });
  return simulation.run();
}

describe('members that come back', () => {
  it.each([
    { faults: 'wipe', seed: 2, seconds: 8 },
    { faults: 'stale', seed: 2, seconds: 10 },
    { faults: 'crash,stale,wipe', seed: 2, seconds: 8 },
    { faults: 'wipe,stale', seed: 21, seconds: 8, epochDurationMs: 4_000 },
  ])('do so by waves, over $faults: %o', async ({ faults, ...given }) => {
    const report = await run({ ...given, faults: faultKinds(faults) });
    expect(report.violations).toEqual([]);
    expect(report.crashes).toBeGreaterThan(0);
    expect(report.executed + report.dropped).toBe(report.transactions);
  });
});

import { describe, expect, it } from 'vitest';
import { testKey } from '../crypto/testing.ts';
import { faultKinds, type SimOptions, simOptions } from './options.ts';
import type { SimReport } from './report.ts';
import { Simulation } from './simulation.ts';

async function run(given: Partial<SimOptions>): Promise<SimReport> {
  const simulation = await Simulation.open(simOptions(given), {
    keys: (count) => Array.from({ length: count }, (_, i) => testKey(i)),
  });
  return simulation.run();
}

describe('Simulation', () => {
  it.each([1, 4, 7])(
    'of %i members without faults comes to rest and leaves nobody waiting',
    async (n) => {
      const report = await run({ validators: n, seconds: 2 });
      expect(report.violations).toEqual([]);
      expect(report.signatures).toBe('real');
      expect(report.waves).toBeGreaterThan(50);
      expect(report.executed).toBe(report.transactions);
      expect(report.transactions).toBeGreaterThan(30);
      expect(report.finalityLatencyMs?.p50).toBeLessThan(200);
    },
  );

  it('gives one digest for one seed, and another for another', async () => {
    const given = { validators: 4, seconds: 1, signatures: 'keyed' } as const;
    const first = await run(given);
    expect(await run(given)).toEqual(first);
    expect((await run({ ...given, seed: 2 })).digest).not.toBe(first.digest);
  });

  it('of many shares work that is the same for all, says so, and comes to the same', async () => {
    const given = { validators: 20, latency: 'wan', seconds: 1 } as const;
    const report = await run(given);
    expect(report).toMatchObject({ signatures: 'keyed', sharedWork: true, arrivalTickMs: 10 });
    expect(report.violations).toEqual([]);
    expect(report.executed).toBe(report.transactions);
    const apart = await run({ ...given, sharesWork: false });
    expect(apart).toEqual({ ...report, sharedWork: false });
  });

  it('withstands faults of many, whose messages arrive at ticks', async () => {
    const faults = faultKinds('all');
    const report = await run({ validators: 20, latency: 'wan', seconds: 2, faults, byzantine: 6 });
    expect(report.violations).toEqual([]);
    expect(report.waves).toBeGreaterThan(0);
  });

  it('commits within 4.2 delays and certifies within 8', async () => {
    const given = {
      validators: 7,
      seconds: 4,
      latency: 'constant:50',
      signatures: 'keyed',
    } as const;
    const report = await run(given);
    expect(report.violations).toEqual([]);
    expect(report.commitLatencyMs?.p50).toBeLessThanOrEqual(4.2 * 50);
    expect(report.finalityLatencyMs?.p50).toBeLessThanOrEqual(8 * 50);
  });

  it.each(['duplication', 'reorder', 'slow', 'skew', 'disk'])('withstands %s', async (fault) => {
    const faults = faultKinds(fault);
    const report = await run({ validators: 4, seconds: 3, faults, signatures: 'keyed' });
    expect(report.violations).toEqual([]);
    expect(report.executed + report.dropped).toBe(report.transactions);
  });

  it('needs keys for real signatures', async () => {
    await expect(Simulation.open(simOptions({}))).rejects.toThrow(/need \d+ FALCON keys/);
  });
});

describe('simOptions', () => {
  it('refuses what makes no sense, and says what does', () => {
    expect(() => simOptions({ validators: 0 })).toThrow(/validators: a whole number from 1 to 128/);
    expect(() => simOptions({ validators: 129 })).toThrow(/from 1 to 128/);
    expect(() => simOptions({ seconds: 0 })).toThrow(/seconds/);
    expect(() => simOptions({ tps: 1.5 })).toThrow(/tps/);
    expect(() => simOptions({ byzantine: 2 })).toThrow(/byzantine: a whole number up to 1, of 4/);
    expect(simOptions({ byzantine: 2, beyondTolerance: true }).byzantine).toBe(2);
    expect(() => faultKinds('loss,rain')).toThrow(/there is no fault rain/);
  });

  it('signs with FALCON up to 16 members', () => {
    expect(simOptions({ validators: 16 }).signatures).toBe('real');
    expect(simOptions({ validators: 17 }).signatures).toBe('keyed');
  });
});

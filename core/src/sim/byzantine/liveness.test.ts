/**
 * Commits go on whatever at most f members and a network within its bound do (design/consensus.md,
 * "Required tests", 3).
 */
import { describe, expect, it } from 'vitest';
import { maxFaulty } from '../../finality/index.ts';
import { type SimOptions, simOptions } from '../options.ts';
import type { SimReport } from '../report.ts';
import { Simulation } from '../simulation.ts';

const LEAST_COMMITS = 55;

async function run(given: Partial<SimOptions> & { validators: number }): Promise<SimReport> {
  const simulation = await Simulation.open(
    simOptions({
      seconds: 8,
      tps: 0,
      idleRoundMs: 20,
      signatures: 'keyed',
      byzantine: maxFaulty(given.validators),
      delayBoundMs: 50,
      ...given,
    }),
  );
  return simulation.run();
}

const commitsPer100Rounds = ({ waves, rounds }: SimReport): number => (100 * waves) / rounds;

describe('commits go on', () => {
  it.each([4, 7, 10])('of %i members, with f that starve anchors of votes', async (validators) => {
    const report = await run({ validators, behaviours: ['vote-starve'], delivery: 'starve' });
    expect(report.violations).toEqual([]);
    expect(report.rounds).toBeGreaterThan(25);
    expect(report.evidence).toBeGreaterThan(0);
    expect(commitsPer100Rounds(report)).toBeGreaterThanOrEqual(LEAST_COMMITS);
  });

  it.each([4, 7, 10])('of %i members, with f that vote twice', async (validators) => {
    const behaviours = ['equivocating-voter'] as const;
    const report = await run({ validators, behaviours, delivery: 'starve', seconds: 4 });
    expect(report.violations).toEqual([]);
    expect(report.rounds).toBeGreaterThan(25);
    expect(report.evidence).toBeGreaterThan(0);
    expect(commitsPer100Rounds(report)).toBeGreaterThanOrEqual(LEAST_COMMITS);
  });

  it.each([4, 7])(
    'of %i members, when one after another is kept many rounds behind',
    async (validators) => {
      const behaviours = ['vote-for-none'] as const;
      const delayBoundMs = 200;
      const report = await run({ validators, behaviours, delivery: 'jump', delayBoundMs });
      expect(report.violations).toEqual([]);
      expect(report.rounds).toBeGreaterThan(25);
      expect(commitsPer100Rounds(report)).toBeGreaterThanOrEqual(LEAST_COMMITS);
    },
  );
});

/** Whatever a faulty member does, honest ones agree, go on, keep their bounds and accuse only it. */
import { describe, expect, it } from 'vitest';
import { toEpoch, toMemberIndex } from '../../types/index.ts';
import { type SimOptions, simOptions } from '../options.ts';
import type { SimReport } from '../report.ts';
import type { Disguise } from '../sim-node.ts';
import { Simulation } from '../simulation.ts';
import { BEHAVIOURS, behaviourNames } from './catalogue.ts';
import { drawFaulty } from './disguises.ts';

async function run(
  given: Partial<SimOptions>,
  disguises: ReadonlyMap<number, Disguise> = new Map(),
): Promise<SimReport> {
  const options = simOptions({ validators: 4, seconds: 2, signatures: 'keyed', ...given });
  const simulation = await Simulation.open(options, { disguises });
  return simulation.run();
}

describe('one of four', () => {
  it.each(BEHAVIOURS)('%s', async (behaviour) => {
    const report = await run({ byzantine: 1, behaviours: [behaviour] });
    expect(report.violations).toEqual([]);
    expect(report.faulty.map(({ behaviours }) => behaviours)).toEqual([[behaviour]]);
    expect(report.executed + report.dropped).toBe(report.transactions);
    expect(report.executed).toBeGreaterThan(30);
  });

  it.each(['equivocate', 'equivocating-voter', 'bad-attestations'] as const)(
    'that plays %s leaves evidence with honest members',
    async (behaviour) => {
      const report = await run({ byzantine: 1, behaviours: [behaviour], seed: 2 });
      expect(report.violations).toEqual([]);
      expect(report.evidence).toBeGreaterThan(0);
    },
  );

  it('plays the same in every run of a seed', async () => {
    const given = { byzantine: 1, seconds: 1, seed: 5 };
    expect(await run(given)).toEqual(await run(given));
  });
});

describe('the evidence check', () => {
  const tampered = (change: (kind: string) => boolean): ReadonlyMap<number, Disguise> =>
    new Map(
      [0, 1, 2, 3].map((index) => [
        index,
        {
          honest: true,
          wrap: ({ machine }) => ({
            step: (event, now) => machine.step(event, now).filter(({ kind }) => change(kind)),
          }),
        },
      ]),
    );

  it('notices contradictions that nobody reports', async () => {
    const options = { byzantine: 1, behaviours: ['equivocating-voter'], seconds: 1 } as const;
    const faulty = drawFaulty(simOptions(options))[0]?.index ?? 0;
    const silent = new Map(tampered((kind) => kind !== 'equivocation'));
    silent.delete(faulty);
    const report = await run(options, silent);
    expect(report.violations.map(({ code }) => code)).toEqual(['evidence']);
    expect(report.violations[0]?.message).toContain('nobody has evidence');
  });

  it('notices that an honest member is accused', async () => {
    const bytes = new Uint8Array(0);
    const place = { kind: 'vertex', epoch: toEpoch(0), author: toMemberIndex(2), at: 5n } as const;
    const slanderer: Disguise = {
      honest: true,
      wrap: ({ machine }) => ({
        step: (event, now) => [
          ...machine.step(event, now),
          { kind: 'equivocation', evidence: { ...place, first: bytes, second: bytes } },
        ],
      }),
    };
    const report = await run({ seconds: 1 }, new Map([[1, slanderer]]));
    expect(report.violations.map(({ code }) => code)).toEqual(['evidence']);
    expect(report.violations[0]?.message).toContain('accuses honest member 2');
  });
});

describe('drawing faulty members', () => {
  const options = { validators: 10, seed: 1, byzantine: 3, behaviours: [] };

  it('takes so many, each once, with one or two behaviours', () => {
    for (let seed = 0; seed < 50; seed++) {
      const drawn = drawFaulty({ ...options, seed });
      expect(new Set(drawn.map(({ index }) => index)).size).toBe(3);
      for (const { index, behaviours } of drawn) {
        expect(index).toBeLessThan(10);
        expect([1, 2]).toContain(behaviours.length);
      }
    }
  });

  it('comes to every behaviour and every member', () => {
    const drawn = Array.from({ length: 200 }, (_, seed) => drawFaulty({ ...options, seed })).flat();
    expect(new Set(drawn.flatMap(({ behaviours }) => behaviours)).size).toBe(BEHAVIOURS.length);
    expect(new Set(drawn.map(({ index }) => index)).size).toBe(10);
  });

  it('knows behaviours by name', () => {
    expect(behaviourNames('lies,flood')).toEqual(['lies', 'flood']);
    expect(() => behaviourNames('lies,charm')).toThrow(/there is no behaviour charm/);
  });
});

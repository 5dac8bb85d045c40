/** docs/protocol/fees.md, recomputed. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toQuanta } from '../types/index.ts';
import { chargedBaseFee, nextScaledBaseFee, scaleBaseFee, splitFee } from './index.ts';

const page = readFileSync(new URL('../../../docs/protocol/fees.md', import.meta.url), 'utf8');
const TARGET = 200_000_000n;
const HUNDRED = scaleBaseFee(toQuanta(100n));

/** Rows of numbers of the table whose first column has this heading. */
function rowsUnder(heading: string): bigint[][] {
  const table = page.split(`| ${heading} |`)[1]?.split('\n\n')[0] ?? '';
  return [...table.matchAll(/^\|((?: \d+ \|)+)$/gm)].map((row) =>
    (row[1] ?? '').split('|').slice(0, -1).map(BigInt),
  );
}

const next = (scaled: bigint, gasUsed: bigint, elapsedMs: bigint): bigint =>
  nextScaledBaseFee(scaled, { gasUsed, elapsedMs, gasTargetPerSecond: TARGET });

describe('the worked examples of the fees page', () => {
  it('of the base fee hold', () => {
    const rows = rowsUnder('base_fee_scaled');
    expect(rows.length).toBe(11);
    for (const [scaled = 0n, gasUsed = 0n, elapsed = 0n, after, charged] of rows) {
      const computed = next(scaled, gasUsed, elapsed);
      expect([scaled, gasUsed, elapsed, computed, chargedBaseFee(computed)]).toEqual([
        scaled,
        gasUsed,
        elapsed,
        after,
        charged,
      ]);
    }
  });

  it('of the split hold', () => {
    const rows = rowsUnder('fee');
    expect(rows.length).toBe(4);
    for (const [fee = 0n, burned, rewardPool, treasury] of rows) {
      expect(splitFee(fee, { burnPercent: 70, rewardPoolPercent: 20 })).toEqual({
        burned,
        rewardPool,
        treasury,
      });
    }
  });
});

describe('the base fee', () => {
  const gas = fc.bigInt({ min: 0n, max: 10n ** 12n });
  const elapsed = fc.bigInt({ min: 1n, max: 10n ** 7n });
  const scaled = fc.bigInt({ min: 1n << 32n, max: ((1n << 64n) - 1n) << 32n });

  it('moves by at most an eighth a wave, towards its load, within its bounds', () => {
    fc.assert(
      fc.property(scaled, gas, elapsed, (fee, used, ms) => {
        const after = next(fee, used, ms);
        const share = ms < 1000n ? ms : 1000n;
        const most = (fee * share) / 8000n;
        expect(after - fee <= most && fee - after <= most).toBe(true);
        if (used * 1000n > TARGET * ms) expect(after >= fee).toBe(true);
        else expect(after <= fee).toBe(true);
        expect(after >= 1n << 32n && after < 1n << 96n).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('stays under a load at the target, however long the waves are', () => {
    for (const ms of [1n, 7n, 60n, 1000n, 5000n, 86_400_000n]) {
      expect(next(HUNDRED, (TARGET * ms) / 1000n, ms)).toBe(HUNDRED);
    }
  });

  it('takes about as long under full load in short waves as in long ones', () => {
    let short = HUNDRED;
    for (let wave = 0; wave < 50; wave++) short = next(short, TARGET, 20n);
    const long = next(HUNDRED, 2n * TARGET, 1000n);
    // 50 waves of 20 ms compound: e^(1/8) against 1 + 1/8.
    expect(short > long && short * 1000n < long * 1008n).toBe(true);
  });

  it('is charged rounded up, and never less than one quantum', () => {
    expect(chargedBaseFee(0n)).toBe(1n);
    expect(chargedBaseFee(1n << 32n)).toBe(1n);
    expect(chargedBaseFee((1n << 32n) + 1n)).toBe(2n);
    expect(chargedBaseFee(HUNDRED)).toBe(100n);
    expect(chargedBaseFee(((1n << 64n) - 1n) << 32n)).toBe((1n << 64n) - 1n);
  });

  it('has a bound, so that fee × gas limit is below 2^128', () => {
    const top = ((1n << 64n) - 1n) << 32n;
    expect(next(top, 10n ** 12n, 1000n)).toBe(top);
  });
});

describe('the split of a fee', () => {
  it('loses nothing', () => {
    const percent = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 120n }), percent, percent, (fee, a, b) => {
        const shares = { burnPercent: a, rewardPoolPercent: Math.min(b, 100 - a) };
        const { burned, rewardPool, treasury } = splitFee(fee, shares);
        expect(burned + rewardPool + treasury).toBe(fee);
        expect(treasury >= 0n).toBe(true);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EpochPhase, epochPhase } from './index.ts';

const span = { startMs: 1_000n, durationMs: 500 };

/** The phases of waves with these timestamps, the first one after the wave that began the epoch. */
function phasesOf(stamps: readonly bigint[], settledFrom = 0n): EpochPhase[] {
  let priorTimestampMs = span.startMs;
  return stamps.map((timestampMs) => {
    const phase = epochPhase(span, { timestampMs, priorTimestampMs }, timestampMs >= settledFrom);
    priorTimestampMs = timestampMs;
    return phase;
  });
}

describe('the phase of a wave', () => {
  it('is open before the end, last at the first stamp at or after it, then closing', () => {
    expect(phasesOf([1_001n, 1_499n, 1_500n, 1_501n])).toEqual(['open', 'open', 'last', 'closing']);
    expect(phasesOf([1_001n, 9_000n, 9_001n])).toEqual(['open', 'last', 'closing']);
    // A first wave that comes too late is the last one, and still orders transactions.
    expect(phasesOf([2_000n, 2_001n])).toEqual(['last', 'closing']);
  });

  it('is tail for as long as something is not settled, and never closing before one tail wave', () => {
    expect(phasesOf([1_500n, 1_501n, 1_502n, 1_503n], 1_503n)).toEqual([
      'last',
      'tail',
      'tail',
      'closing',
    ]);
  });

  it('never goes back, whatever the stamps: one last wave, then tail waves, then the closing one', () => {
    const steps = fc.array(fc.bigInt({ min: 1n, max: 300n }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(steps, fc.bigInt({ min: 0n, max: 3_000n }), (gaps, settledFrom) => {
        let at = span.startMs;
        const stamps = gaps.map((gap) => {
          at += gap;
          return at;
        });
        const phases = phasesOf(stamps, settledFrom);
        const closing = phases.indexOf('closing');
        const text = phases.slice(0, closing < 0 ? undefined : closing + 1).join(' ');
        expect(text).toMatch(/^(open ?)*(last( tail)*( closing)?)?$/);
      }),
    );
  });
});

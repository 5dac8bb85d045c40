import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closingWaves, MAX_WAVES_A_QUESTION } from './closing-waves.ts';

/** Epochs of these numbers of waves, from wave 0 on; the wave after them is of the next epoch. */
const chainOf = (lengths: readonly number[]) => {
  const epochs = [...lengths.flatMap((waves, epoch) => new Array<number>(waves).fill(epoch))];
  const last = { wave: BigInt(epochs.length), epoch: lengths.length };
  return { epochs: [...epochs, lengths.length], last };
};

describe('the search for the waves that close epochs', () => {
  it('finds every one, wherever it begins', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.nat(), async (waves, somewhere) => {
        const { epochs, last } = chainOf(waves);
        const from = somewhere % waves.length;
        const closing = waves.map((_, epoch) => BigInt(epochs.lastIndexOf(epoch)));
        // From the wave that closed the epoch before, as a head knows it.
        const first = { wave: from === 0 ? 0n : (closing[from - 1] ?? 0n), epoch: from };
        const found = await closingWaves(first, last, waves.length - from, async (asked) => {
          expect(asked.length).toBeLessThanOrEqual(MAX_WAVES_A_QUESTION);
          return asked.map((wave) => epochs[Number(wave)] ?? -1);
        });
        expect(found).toEqual(closing.slice(from));
      }),
    );
  });

  it('takes few questions for three weeks of waves', async () => {
    const perEpoch = 300_000;
    let questions = 0;
    const found = await closingWaves(
      { wave: 0n, epoch: 0 },
      { wave: BigInt(168 * perEpoch), epoch: 168 },
      64,
      async (asked) => {
        questions++;
        return asked.map((wave) => Math.floor(Number(wave) / perEpoch));
      },
    );
    expect(found).toEqual(Array.from({ length: 64 }, (_, i) => BigInt((i + 1) * perEpoch - 1)));
    expect(questions).toBeLessThan(25);
  });

  it('ends with some wave of the range when answers do not fit together', async () => {
    const answers = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(answers, fc.integer({ min: 70, max: 10_000 }), async (lies, waves) => {
        let told = 0;
        const first = { wave: 5n, epoch: 3 };
        const last = { wave: 5n + BigInt(waves), epoch: 99 };
        const found = await closingWaves(first, last, 64, async (asked) =>
          asked.map((wave) => {
            expect(wave > first.wave && wave < last.wave).toBe(true);
            return lies[told++ % lies.length] ?? 0;
          }),
        );
        expect(found).toHaveLength(64);
        expect(found.every((wave) => wave >= first.wave && wave < last.wave)).toBe(true);
        expect(told).toBeLessThan(100_000);
      }),
    );
  });

  it('refuses a range that cannot hold so many epochs', async () => {
    const never = async () => {
      throw new Error('nothing is to be asked');
    };
    const first = { wave: 7n, epoch: 2 };
    await expect(closingWaves(first, { wave: 9n, epoch: 9 }, 3, never)).rejects.toThrow(/cannot/);
    await expect(closingWaves(first, { wave: 99n, epoch: 4 }, 3, never)).rejects.toThrow(/cannot/);
  });
});

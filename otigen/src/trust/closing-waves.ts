/**
 * Where epochs end: the waves of a chain are in the order of their epochs, so that whoever can ask for
 * the epoch of a wave finds the last wave of each by halving. The answers are only a guide: a wrong one
 * leads to a wave whose certificate closes nothing, which is found out there.
 */
import { PydeError } from '@pyde/core/bytes';

export interface WaveOfEpoch {
  readonly wave: bigint;
  readonly epoch: number;
}

/** What one question is about. */
export const MAX_WAVES_A_QUESTION = 100;

/** An epoch's end: the wave at `low` is of it or of one before, the wave at `high` of a later one. */
interface Span {
  readonly epoch: number;
  low: bigint;
  high: bigint;
}

/**
 * @param first a wave of the first epoch or the one that closed the epoch before it; not asked for
 * @param last a wave of the epoch after the last one whose end is wanted, or of a later one
 * @param count of epochs from the first one on, whose ends are wanted
 * @param epochsOf answers for at most {@link MAX_WAVES_A_QUESTION} waves, in their order
 * @returns the last wave of each epoch, ascending
 * @throws PydeError `answer` when there can be no such waves; what `epochsOf` throws
 */
export async function closingWaves(
  first: WaveOfEpoch,
  last: WaveOfEpoch,
  count: number,
  epochsOf: (waves: readonly bigint[]) => Promise<readonly number[]>,
): Promise<readonly bigint[]> {
  if (first.epoch + count > last.epoch || last.wave - first.wave < BigInt(count)) {
    throw new PydeError(
      'answer',
      `waves ${first.wave} to ${last.wave} cannot hold the ends of ${count} epochs from ` +
        `${first.epoch} on`,
    );
  }
  const spans: Span[] = Array.from({ length: count }, (_, i) => ({
    epoch: first.epoch + i,
    low: first.wave,
    high: last.wave,
  }));
  for (;;) {
    const waves = probes(spans.filter(isOpen));
    if (waves.length === 0) return spans.map(({ low }) => low);
    const epochs = await epochsOf(waves);
    for (const [i, wave] of waves.entries()) narrow(spans, wave, epochs[i] ?? 0);
  }
}

const isOpen = ({ low, high }: Span): boolean => high - low > 1n;

/** Within every span that is open at least one wave, so that each round shrinks all of them. */
function probes(open: readonly Span[]): readonly bigint[] {
  const different = new Map(open.map((span) => [`${span.low} ${span.high}`, span]));
  const some = [...different.values()].slice(0, MAX_WAVES_A_QUESTION);
  const each = BigInt(Math.max(1, Math.floor(MAX_WAVES_A_QUESTION / Math.max(1, some.length))));
  const waves = new Set<bigint>();
  for (const { low, high } of some) {
    const inside = high - low - 1n;
    const parts = (inside < each ? inside : each) + 1n;
    for (let i = 1n; i < parts; i++) waves.add(low + ((high - low) * i) / parts);
  }
  return [...waves];
}

/** Answers need not fit together: a span only ever becomes smaller. */
function narrow(spans: readonly Span[], wave: bigint, epoch: number): void {
  for (const span of spans) {
    if (wave <= span.low || wave >= span.high) continue;
    if (epoch <= span.epoch) span.low = wave;
    else span.high = wave;
  }
}

/**
 * What a wave is within its epoch (design/consensus.md, "Epochs"). The rule asks for nothing but
 * two timestamps, so that whoever has the wave before comes to the same answer: consensus when it
 * orders the wave, execution when it runs it, a node that starts again from its newest record.
 */

/**
 * - open: an ordinary wave;
 * - last: the first one at or after the end; its transactions are the last ones of the epoch;
 * - tail: after it; batches in it are ignored;
 * - closing: the first tail wave with everything settled. No wave of the epoch follows.
 */
export type EpochPhase = 'open' | 'last' | 'tail' | 'closing';

export interface EpochSpan {
  /** Timestamp of the wave that closed the epoch before; of genesis in epoch 0. */
  readonly startMs: bigint;
  readonly durationMs: number;
}

export interface WaveTime {
  readonly timestampMs: bigint;
  /** Of the wave before, which may be the one that closed the epoch before. */
  readonly priorTimestampMs: bigint;
}

export const epochEndMs = ({ startMs, durationMs }: EpochSpan): bigint =>
  startMs + BigInt(durationMs);

/** @param isSettled nothing that the epoch has to see through is open any more */
export function epochPhase(span: EpochSpan, wave: WaveTime, isSettled: boolean): EpochPhase {
  const endMs = epochEndMs(span);
  if (wave.timestampMs < endMs) return 'open';
  if (wave.priorTimestampMs < endMs) return 'last';
  return isSettled ? 'closing' : 'tail';
}

/**
 * A closing wave waits for the reveals of sealed transactions and for the dealt beacon
 * (design/consensus.md, "Epochs"). This chain has neither, so that nothing can be open.
 */
export const isEpochSettled = (): boolean => true;

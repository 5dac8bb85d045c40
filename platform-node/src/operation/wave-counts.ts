/** What waves and certificates of this run add up to. */
import type { HardFinalityCert, WaveCommitRecord } from '@pyde/core/types';

export class WaveCounts {
  waves = 0;
  transactions = 0;
  gasUsed = 0;
  skippedAnchors = 0;
  equivocations = 0;
  /** Timestamp of the newest wave whose certificate came; before the first one, when the node started. */
  certifiedMs: bigint;

  constructor(startMs: number) {
    this.certifiedMs = BigInt(Math.floor(startMs));
  }

  wave({ txCount, gasUsed, anchorRound, priorAnchorRound }: WaveCommitRecord): void {
    this.waves++;
    this.transactions += txCount;
    this.gasUsed += Number(gasUsed);
    // Every round has an anchor; rounds of another epoch begin anew with a prior one of 0.
    this.skippedAnchors += Math.max(0, anchorRound - priorAnchorRound - 1);
  }

  certified({ record: { timestampMs } }: HardFinalityCert): void {
    if (timestampMs > this.certifiedMs) this.certifiedMs = timestampMs;
  }
}

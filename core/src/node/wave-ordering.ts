/**
 * Waves that others executed, as they are handed to the executor: what phase of its epoch each was
 * follows from its timestamp, that of the wave before, and the start of the epoch, which is that of
 * the wave that closed the one before (docs/protocol/consensus.md, "Epochs").
 */
import type { CommittedWave } from '../consensus/index.ts';
import type { SyncedWave } from '../sync/index.ts';
import { epochPhase, isEpochSettled } from '../validators/index.ts';

export class WaveOrdering {
  readonly #durationMs: number;
  #startMs: bigint;

  /** @param startMs of the epoch that the next wave is of */
  constructor(durationMs: number, startMs: bigint) {
    this.#durationMs = durationMs;
    this.#startMs = startMs;
  }

  /** Goes back, after waves that were ordered and not executed. */
  restart(startMs: bigint): void {
    this.#startMs = startMs;
  }

  /** Waves in their order, one at a time. */
  ordered({ record, digest, priorTimestampMs, transactions }: SyncedWave): CommittedWave {
    const { timestampMs } = record;
    const span = { startMs: this.#startMs, durationMs: this.#durationMs };
    const phase = epochPhase(span, { timestampMs, priorTimestampMs }, isEpochSettled());
    if (record.nextBeacon !== undefined) this.#startMs = timestampMs;
    const { chainId, epoch, waveId, anchorRound, priorAnchorRound, anchorHash } = record;
    return {
      ...{ chainId, epoch, waveId, anchorRound, priorAnchorRound, anchorHash },
      ...{ timestampMs, priorTimestampMs, phase, transactions, expectedDigest: digest },
    };
  }
}

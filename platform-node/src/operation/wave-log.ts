/**
 * One line a wave at info, written when its certificate is there, so that it holds both how long
 * execution took and how long finality. A node that is catching up writes one line a second.
 */
import { toHex } from '@pyde/core/bytes';
import type { Clock, Logger } from '@pyde/core/platform';
import type { HardFinalityCert, WaveCommitRecord } from '@pyde/core/types';

/** Lines that wait for a certificate; the oldest is written without. */
const MAX_WAITING = 32;
const SUMMARY_MS = 1_000;
/** Of a root, in hex digits. */
const SHORT_DIGITS = 8;

interface Line {
  readonly record: WaveCommitRecord;
  readonly executedMs: number;
}

export class WaveLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #waiting: Line[] = [];
  #summary: { from: bigint; transactions: number; sinceMs: number } | undefined;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** @param isFollowing it was ordered here, just now */
  executed(record: WaveCommitRecord, isFollowing: boolean): void {
    if (!isFollowing) {
      this.flush();
      this.#summarise(record);
      return;
    }
    this.#summary = undefined;
    this.#waiting.push({ record, executedMs: this.#sinceAnchor(record) });
    const oldest = this.#waiting.length > MAX_WAITING ? this.#waiting.shift() : undefined;
    if (oldest !== undefined) this.#write(oldest, null);
  }

  /** A certificate holds for all waves before it. */
  certified({ record: { waveId } }: HardFinalityCert): void {
    for (;;) {
      const [line] = this.#waiting;
      if (line === undefined || line.record.waveId > waveId) return;
      this.#waiting.shift();
      this.#write(line, this.#sinceAnchor(line.record));
    }
  }

  /** Writes what waits. */
  flush(): void {
    for (const line of this.#waiting.splice(0)) this.#write(line, null);
  }

  #write({ record, executedMs }: Line, certifiedMs: number | null): void {
    this.#logger.info('wave', {
      wave: record.waveId,
      epoch: record.epoch,
      round: record.anchorRound,
      transactions: record.txCount,
      gas: record.gasUsed,
      executed_ms: executedMs,
      certified_ms: certifiedMs,
      blake3: short(record.stateRoot.blake3),
      poseidon2: short(record.stateRoot.poseidon2),
    });
  }

  #summarise({ waveId, epoch, txCount }: WaveCommitRecord): void {
    const now = this.#clock.now().monotonicMs;
    this.#summary ??= { from: waveId, transactions: 0, sinceMs: now };
    this.#summary.transactions += txCount;
    if (now - this.#summary.sinceMs < SUMMARY_MS) return;
    const { from, transactions } = this.#summary;
    this.#logger.info('catching up', { from, to: waveId, epoch, transactions });
    this.#summary = undefined;
  }

  #sinceAnchor({ timestampMs }: WaveCommitRecord): number {
    return this.#clock.now().unixMs - Number(timestampMs);
  }
}

const short = (root: Uint8Array): string => toHex(root).slice(2, 2 + SHORT_DIGITS);

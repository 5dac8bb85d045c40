/**
 * How long a transaction and a wave take, stage by stage, as one histogram. What a node that is
 * catching up takes says nothing about the chain and is left out.
 */
import type { Clock } from '@pyde/core/platform';
import type { HardFinalityCert, TxHash, WaveCommitRecord } from '@pyde/core/types';
import { Histogram, type Registry } from 'prom-client';
import type { RuntimeStage, RuntimeWatch } from '../runtime/runtime-watch.ts';
import type { OperationSource } from './source.ts';

/** In the order of a transaction's way, then of a wave's, then the work underneath. */
export const STAGES = [
  'submit-to-admitted',
  'admitted-to-executed',
  'anchor-to-executed',
  'executed-to-certified',
  'anchor-to-certified',
  'execution',
  'store-write',
  'signature-check',
] as const;
export type Stage = (typeof STAGES)[number];

const BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
/** Transactions followed at a time; the others are as fast. */
const MAX_FOLLOWED = 64;
const MAX_FOLLOWED_MS = 60_000;
/** Waves that wait for their certificate. */
const MAX_UNCERTIFIED = 1_024;

interface Followed {
  readonly hash: TxHash;
  readonly admittedMs: number;
}

export class StageTimes implements Omit<RuntimeWatch, 'equivocation'> {
  readonly #clock: Clock;
  readonly #observe: (stage: Stage, seconds: number) => void;
  #followed: Followed[] = [];
  /** Executed waves without a certificate. */
  readonly #uncertified = new Map<
    bigint,
    { readonly timestampMs: bigint; readonly atMs: number }
  >();

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    const histogram = new Histogram({
      name: 'pyde_stage_duration_seconds',
      help: 'Time that a stage takes; see docs/operators/monitoring.md for the stages',
      labelNames: ['stage'],
      buckets: BUCKETS_SECONDS,
      registers: [registry],
    });
    const children = new Map(STAGES.map((stage) => [stage, histogram.labels(stage)]));
    // A stage that nothing went through yet is there, with zeros.
    for (const stage of STAGES) histogram.zero({ stage });
    this.#observe = (stage, seconds) => children.get(stage)?.observe(Math.max(0, seconds));
  }

  took(stage: RuntimeStage, ms: number): void {
    this.#observe(stage, ms / 1_000);
  }

  admitted(hash: TxHash, ms: number): void {
    this.#observe('submit-to-admitted', ms / 1_000);
    if (this.#followed.length >= MAX_FOLLOWED) return;
    this.#followed.push({ hash, admittedMs: this.#clock.now().monotonicMs });
  }

  executed(record: WaveCommitRecord, status: OperationSource['transactionStatus']): void {
    const { monotonicMs, unixMs } = this.#clock.now();
    const { waveId, timestampMs, txCount } = record;
    this.#observe('anchor-to-executed', (unixMs - Number(timestampMs)) / 1_000);
    this.#uncertified.set(waveId, { timestampMs, atMs: monotonicMs });
    if (this.#uncertified.size > MAX_UNCERTIFIED) {
      const [oldest] = this.#uncertified.keys();
      if (oldest !== undefined) this.#uncertified.delete(oldest);
    }
    if (txCount > 0) this.#settle(monotonicMs, status);
  }

  /** A certificate holds for all waves before it. */
  certified({ record }: HardFinalityCert): void {
    const { monotonicMs, unixMs } = this.#clock.now();
    for (const [waveId, { timestampMs, atMs }] of this.#uncertified) {
      if (waveId > record.waveId) break;
      this.#uncertified.delete(waveId);
      this.#observe('executed-to-certified', (monotonicMs - atMs) / 1_000);
      this.#observe('anchor-to-certified', (unixMs - Number(timestampMs)) / 1_000);
    }
  }

  /** The node was left behind: what it waited for took as long as it was away. */
  forget(): void {
    this.#followed = [];
    this.#uncertified.clear();
  }

  #settle(nowMs: number, status: OperationSource['transactionStatus']): void {
    const left: Followed[] = [];
    for (const followed of this.#followed) {
      const state = status(followed.hash)?.state;
      const tookMs = nowMs - followed.admittedMs;
      if (state === undefined) this.#observe('admitted-to-executed', tookMs / 1_000);
      else if (state === 'pending' && tookMs < MAX_FOLLOWED_MS) left.push(followed);
    }
    this.#followed = left;
  }
}

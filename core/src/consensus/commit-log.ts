/**
 * What this member has committed (design/consensus.md, "Anchors and the commit rule", "Waves"): the
 * walk up from the oldest undecided slot, the waves it hands out, and which of them wait to be
 * executed. A function of the DAG alone; no clock enters.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import type { MemberIndex, VertexHash, WaveCommitRecord } from '../types/index.ts';
import { judgeSlots } from './base-committer.ts';
import type { BatchStore } from './batch-store.ts';
import type { Dag } from './dag.ts';
import type { CommittedWave, WaveBuilder } from './wave-builder.ts';

/** More waves waiting for execution: no batches, rounds paced by the leader timeout. */
export const MAX_WAITING_WAVES = 32;
/** More waves waiting for execution: no vertices at all. */
export const MAX_STALLED_WAVES = 512;
/** More undecided rounds: as with too many waiting waves. */
export const MAX_UNDECIDED_ROUNDS = 30;

interface WaitingWave {
  readonly waveId: bigint;
  readonly anchorHash: VertexHash;
}

export class CommitLog {
  readonly #dag: Dag;
  readonly #batches: BatchStore;
  readonly #waves: WaveBuilder;
  readonly #quorum: number;
  readonly #self: MemberIndex | undefined;
  /** Transactions of own batches that no wave can take any more. */
  #returned: Uint8Array[] = [];
  /** Committed and not executed, oldest first. */
  readonly #waiting: WaitingWave[] = [];
  #executedAnchorRound: number;
  /** The lowest round whose slot is not decided. */
  #nextSlot: number;
  #lastDirectSlot: number;
  #settledRound: number;
  #lostRound = 0;
  /** A vertex came in since slots were judged. */
  #grown = true;

  /**
   * @param waves goes on after the newest executed wave
   * @param self whose batches come back when no wave takes them
   */
  constructor(
    dag: Dag,
    batches: BatchStore,
    waves: WaveBuilder,
    quorum: number,
    self: MemberIndex | undefined,
  ) {
    this.#self = self;
    this.#dag = dag;
    this.#batches = batches;
    this.#waves = waves;
    this.#quorum = quorum;
    const { anchorRound } = waves.head;
    this.#executedAnchorRound = anchorRound;
    this.#nextSlot = anchorRound + 1;
    this.#lastDirectSlot = anchorRound;
    this.#settledRound = waves.gcRound;
  }

  /** Vertices at or below it are in no later wave. */
  get gcRound(): number {
    return this.#waves.gcRound;
  }

  /** Vertices at or below it count as emitted, whether or not a wave took them. */
  get settledRound(): number {
    return this.#settledRound;
  }

  get waitingWaves(): number {
    return this.#waiting.length;
  }

  /** The anchor round of the newest executed wave. */
  get executedAnchorRound(): number {
    return this.#executedAnchorRound;
  }

  /** The newest slot decided directly; of those below some may not have been. */
  get lastDirectSlot(): number {
    return this.#lastDirectSlot;
  }

  /** The newest round whose own vertex fell below the GC round without a wave; 0 for none. */
  get lostRound(): number {
    return this.#lostRound;
  }

  /** Execution or the commit rule lags: rounds bring no batches and go slowly. */
  get isCongested(): boolean {
    const undecided = this.#dag.highestRound - this.#nextSlot + 1;
    return this.#waiting.length > MAX_WAITING_WAVES || undecided > MAX_UNDECIDED_ROUNDS;
  }

  /** Execution has stopped: memory is bounded only if nothing more is committed. */
  get isStalled(): boolean {
    return this.#waiting.length >= MAX_STALLED_WAVES;
  }

  /** The last transactions of the epoch are ordered: batches wait for the next one. */
  get isEnding(): boolean {
    return this.#waves.isEnding;
  }

  /** The epoch's closing wave is committed; anchors after it are no waves. */
  get isClosed(): boolean {
    return this.#waves.isClosed;
  }

  /** A vertex was accepted: slots are to be judged again. */
  grew(): void {
    this.#grown = true;
  }

  /** The waves that can be committed now, in order. */
  decide(): CommittedWave[] {
    if (!this.#grown) return [];
    this.#grown = false;
    const verdicts = judgeSlots(this.#dag, this.#quorum, this.#nextSlot);
    verdicts.forEach((verdict, i) => {
      if (verdict.kind !== 'undecided' && verdict.direct) {
        this.#lastDirectSlot = Math.max(this.#lastDirectSlot, this.#nextSlot + i);
      }
    });
    const committed: CommittedWave[] = [];
    for (const verdict of verdicts) {
      if (verdict.kind === 'undecided') break;
      this.#nextSlot++;
      if (verdict.kind === 'skip' || this.#waves.isClosed) continue;
      const wave = this.#waves.build(this.#dag, this.#batches, verdict.anchor);
      this.#waiting.push({ waveId: wave.waveId, anchorHash: wave.anchorHash });
      committed.push(wave);
      this.#settleBelow(this.#waves.gcRound);
    }
    return committed;
  }

  /** Transactions of own batches that fell below the GC round, since this was asked last. */
  takeReturned(): readonly Uint8Array[] {
    const returned = this.#returned;
    this.#returned = [];
    return returned;
  }

  /** The oldest waiting wave was executed. */
  executed(record: WaveCommitRecord): void {
    const wave = this.#waiting.shift();
    invariant(
      wave?.waveId === record.waveId && equalBytes(wave.anchorHash, record.anchorHash),
      `wave ${record.waveId} is the oldest that waits for execution`,
    );
    this.#executedAnchorRound = record.anchorRound;
  }

  /** What no wave took before the GC round passed it is in none. */
  #settleBelow(gcRound: number): void {
    for (; this.#settledRound < gcRound; this.#settledRound++) {
      for (const vertex of this.#dag.round(this.#settledRound + 1)?.vertices() ?? []) {
        if (vertex.emitted) continue;
        this.#dag.markEmitted(vertex);
        if (vertex.author === this.#self) this.#lostRound = vertex.round;
        for (const ref of vertex.batches) {
          if (vertex.author !== this.#self) this.#batches.settle(ref.hash);
          else this.#returned.push(...this.#batches.take(ref));
        }
      }
    }
  }
}

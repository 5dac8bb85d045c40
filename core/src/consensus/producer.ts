/**
 * When a member makes its next vertex (design/consensus.md, "Production"): one a round, never
 * jumping over a round inside the GC window. It waits for a quorum of the round before, for the
 * minimum delay and for the leaders or their timeout; a member that is behind waits for the quorum
 * alone. What goes into the vertex is `proposer.ts`'s.
 */
import { maxFaulty } from '../finality/index.ts';
import type { GenesisParameters, MemberIndex } from '../types/index.ts';
import type { CommitLog } from './commit-log.ts';
import type { Dag, DagVertex } from './dag.ts';
import type { OwnAttestations } from './own-attestations.ts';
import { leadersAreSettled, parentsFor } from './proposer.ts';
import { RoundClock } from './round-clock.ts';

/**
 * A round that only attests comes so long after the last own vertex: work that follows soon takes
 * the attestation with it, and one write to the disk serves both.
 */
export const ATTESTING_ROUND_MS = 10;

export interface ProducerOptions {
  readonly size: number;
  readonly quorum: number;
  readonly parameters: GenesisParameters;
  /** The round of the newest vertex that this member made; 0 for none. */
  readonly ownRound: number;
  readonly self: MemberIndex;
}

export class Producer {
  readonly #options: ProducerOptions;
  readonly #dag: Dag;
  readonly #log: CommitLog;
  readonly #attestations: OwnAttestations;
  readonly #clock: RoundClock;
  #ownRound: number;
  /** Transactions wait to be put into a batch. */
  workPending = false;
  /** What the wait for the leaders of a round was last judged on, and whether it is over. */
  #judged = { round: 0, isUnheard: false, parents: 0, isSettled: false };
  /** The round of the last own vertex without own parent. */
  #startedAnew = 0;

  /** @param startMs counts as the time of the last own vertex */
  constructor(
    options: ProducerOptions,
    dag: Dag,
    log: CommitLog,
    attestations: OwnAttestations,
    startMs: number,
  ) {
    this.#options = options;
    this.#dag = dag;
    this.#log = log;
    this.#attestations = attestations;
    this.#ownRound = options.ownRound;
    this.#clock = new RoundClock(startMs);
  }

  get ownRound(): number {
    return this.#ownRound;
  }

  /** A member whose next round is at or below the GC round goes on above it, without own parent. */
  get nextRound(): number {
    return Math.max(this.#ownRound, this.#log.gcRound) + 1;
  }

  get leaderTimeoutMs(): number {
    return this.#clock.leaderTimeoutMs(this.nextRound - 3 - this.#log.lastDirectSlot);
  }

  /** When the next own vertex is due; undefined while only an event can bring it nearer. */
  nextVertexMs(nowMs: number): number | undefined {
    const { size, quorum, parameters } = this.#options;
    if (this.#log.isStalled) return undefined;
    const round = this.nextRound;
    if (this.#dag.authors(round - 1) < quorum) return undefined;
    const isBehind = size > 1 && this.#dag.authors(round) >= quorum;
    if (isBehind) return nowMs;
    let waitMs = size === 1 ? 0 : parameters.minRoundDelayMs;
    if (this.#log.isCongested) waitMs = Math.max(waitMs, this.leaderTimeoutMs);
    else if (!this.#isWorking) waitMs = Math.max(waitMs, this.#restMs);
    if (!this.#leadersAreSettled(round)) waitMs = Math.max(waitMs, this.leaderTimeoutMs);
    return this.#clock.lastMs + waitMs;
  }

  /**
   * What the vertex of `round` takes as parents. When own vertices fell out of waves and others may
   * not have them, nor therefore anything made on top of them, it takes the others' alone, once for
   * each GC window: as above the GC round, a member goes on without own parent.
   */
  parents(round: number): DagVertex[] {
    const parents = parentsFor(this.#dag, round);
    if (!this.#isUnheard) return parents;
    const others = parents.filter(({ author }) => author !== this.#options.self);
    return others.length < this.#options.quorum ? parents : others;
  }

  /** Nothing is made below `round` (recovery). */
  resumeAt(round: number): void {
    this.#ownRound = Math.max(this.#ownRound, round - 1);
  }

  /** The vertex of `round` was made. @param hasOwnParent whether its author's is among its parents */
  produced(round: number, hasOwnParent: boolean, nowMs: number): void {
    if (!hasOwnParent) this.#startedAnew = round;
    this.#ownRound = round;
    this.#clock.produced(nowMs);
  }

  /**
   * Something that was made since the member started anew fell out of waves, and nothing newer is
   * known to others.
   */
  get #isUnheard(): boolean {
    const { lostRound } = this.#log;
    return lostRound > 0 && lostRound >= this.#startedAnew && !this.#isReferredTo;
  }

  /** Do f + 1 others, one of them honest, build on an own vertex above the GC round? */
  get #isReferredTo(): boolean {
    const { self, size } = this.#options;
    const authors = new Set<MemberIndex>();
    for (let round = this.#ownRound + 1; round > this.#log.gcRound + 1; round--) {
      for (const { author, firstParents } of this.#dag.round(round)?.vertices() ?? []) {
        if (author !== self && firstParents.has(self)) authors.add(author);
      }
      if (authors.size > maxFaulty(size)) return true;
    }
    return false;
  }

  /** A transaction is pending or on its way through the slots, or the epoch is to be closed. */
  get #isWorking(): boolean {
    if (this.#log.isClosed) return false;
    return this.#log.isEnding || this.workPending || this.#dag.hasPayloadWaiting();
  }

  /** The pace of rounds without work: slow, unless someone waits for a wave's certificate. */
  get #restMs(): number {
    const { idleRoundMs } = this.#options.parameters;
    return this.#attestations.urgent ? Math.min(idleRoundMs, ATTESTING_ROUND_MS) : idleRoundMs;
  }

  /**
   * What settles the leaders of a round stays true when more parents come, and only a parent can
   * bring it about: a new vertex of the slot below them has none of their votes.
   */
  #leadersAreSettled(round: number): boolean {
    const judged = this.#judged;
    const { quorum } = this.#options;
    const isUnheard = this.#isUnheard;
    const parents = this.#dag.authors(round - 1);
    const isJudged = judged.round === round && judged.isUnheard === isUnheard;
    if (isJudged && (judged.isSettled || judged.parents === parents)) return judged.isSettled;
    const isSettled = leadersAreSettled(this.#dag, quorum, round, this.parents(round));
    this.#judged = { round, isUnheard, parents, isSettled };
    return isSettled;
  }
}

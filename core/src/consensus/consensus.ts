/**
 * The consensus machine of one member for one epoch (design/consensus.md): takes vertices and
 * batches in, makes its own, decides anchors, hands out waves and gathers certificates. A committee
 * of one is the same code with a quorum of one; a node without a seat follows and makes nothing.
 *
 * It trusts its own store and the committee it was given, and nothing that another member sends.
 */
import { invariant } from '../bytes/index.ts';
import type { Instant, Machine, StoreWrite } from '../platform/index.ts';
import {
  type BatchRef,
  batchHash,
  type Epoch,
  encodeBatch,
  encodeVertex,
  MAX_BATCH_BYTES,
  type MemberIndex,
  MIN_TX_BYTES,
  toRound,
} from '../types/index.ts';
import { AttestationPool } from './attestation-pool.ts';
import { Attesting } from './attesting.ts';
import type { BatchStore } from './batch-store.ts';
import type { CommitLog } from './commit-log.ts';
import type { ConsensusContext, ConsensusStatus } from './context.ts';
import type { Dag } from './dag.ts';
import { coreOf } from './dag-vertex.ts';
import { EffectList } from './effect-list.ts';
import { openParts, type Seat, seatOf } from './epoch-parts.ts';
import type { Equivocation, Equivocations } from './equivocation.ts';
import type { ConsensusEffect, ConsensusEvent } from './events.ts';
import type { Exchange } from './exchange.ts';
import { frameMessage, messageKind, openMessage } from './message.ts';
import { NewestOwn } from './newest-own.ts';
import { OwnAttestations } from './own-attestations.ts';
import { Producer } from './producer.ts';
import { makeVertex } from './proposer.ts';
import type { ConsensusRecords } from './records.ts';
import { newestBytesOf, RecoveryExchange } from './recovery-exchange.ts';
import { newestOwn, type Restored } from './restore.ts';
import type { Retention } from './retention.ts';
import type { NamedVertex, VertexDoor } from './vertex-door.ts';
import type { Tips } from './weak-parents.ts';

/** Own vertices made in one step; what is left is done by a timer due at once. */
const MAX_VERTICES_PER_STEP = 8;
/** However small the transactions, their lengths fit into the batch as well. */
const MAX_TAKEN_BYTES = Math.floor(((MAX_BATCH_BYTES - 4) * MIN_TX_BYTES) / (MIN_TX_BYTES + 4));

export class Consensus implements Machine<ConsensusEvent, ConsensusEffect> {
  readonly #context: ConsensusContext;
  readonly #size: number;
  readonly #quorum: number;
  readonly #seat: Seat | undefined;
  readonly #records: ConsensusRecords;
  readonly #door: VertexDoor;
  readonly #dag: Dag;
  readonly #exchange: Exchange;
  readonly #equivocations: Equivocations;
  readonly #tips: Tips;
  readonly #batches: BatchStore;
  readonly #log: CommitLog;
  readonly #ownAttestations: OwnAttestations;
  readonly #attesting: Attesting;
  readonly #retention: Retention;
  readonly #newest: NewestOwn;
  readonly #restoredRound: number;
  /** With a seat. */
  readonly #recovery: RecoveryExchange | undefined;
  /** From the first event on, with a seat. */
  #producer: Producer | undefined;
  #started = false;
  #timerMs: number | undefined;
  /** Found in this step. */
  #contradictions: Equivocation[] = [];
  #retired = false;

  /** @throws PydeError `consensus.store` when the store has lost vertices or batches */
  constructor(context: ConsensusContext, restored: Restored) {
    const { committee, epoch, self, verify, ownStore } = context;
    invariant(committee.epoch === epoch, 'the committee is that of the epoch');
    this.#context = context;
    this.#seat = seatOf(context);
    this.#ownAttestations = new OwnAttestations(ownStore?.floor);
    const parts = openParts(context, restored);
    this.#size = parts.size;
    this.#quorum = parts.quorum;
    this.#records = parts.records;
    this.#door = parts.door;
    this.#dag = parts.dag;
    this.#batches = parts.batches;
    this.#log = parts.log;
    this.#tips = parts.tips;
    this.#equivocations = parts.equivocations;
    this.#exchange = parts.exchange;
    this.#retention = parts.retention;
    const own =
      self === undefined || ownStore === undefined
        ? undefined
        : newestOwn(restored, self, this.#dag.lowestRound, ownStore);
    this.#recovery = this.#openRecovery(restored.own);
    this.#restoredRound = own?.round ?? 0;
    this.#newest = new NewestOwn(this.#size > 1, own?.bytes);
    for (const { vertex, name } of restored.vertices) {
      this.#contradictions.push(...this.#equivocations.attestations(vertex, coreOf(vertex, name)));
    }
    const pool = new AttestationPool(committee, self, restored.head.waveId, verify);
    this.#attesting = new Attesting(self, pool, this.#ownAttestations, restored, epoch);
  }

  /**
   * Work of less than a millisecond that the next vertex needs, for when nothing else is to be done.
   * Changes nothing but how long the next step takes.
   * @returns whether there was any
   */
  prepare(): boolean {
    return this.#seat !== undefined && this.#ownAttestations.signAhead(this.#seat.signer);
  }

  get status(): ConsensusStatus {
    const batches = this.#batches;
    return {
      ownRound: this.#producer?.ownRound ?? this.#restoredRound,
      highestRound: this.#dag.highestRound,
      lowestRound: this.#dag.lowestRound,
      waitingWaves: this.#log.waitingWaves,
      bufferedVertices: this.#exchange.waiting,
      missing: this.#exchange.wanted,
      // Counted only for whoever asks for it.
      get batchesInMemory() {
        return batches.inMemory;
      },
      refused: this.#exchange.refused,
    };
  }

  /** Has a seat shown no vertex in the last `rounds` rounds? */
  isSilent(seat: MemberIndex, rounds: number): boolean {
    return this.#dag.newestRoundOf(seat) + rounds < this.#dag.highestRound;
  }

  /** The lowest round in which this member may make a vertex; undefined while it recovers. */
  get resumeRound(): number | undefined {
    return this.#recovery?.resumeRound;
  }

  get epoch(): Epoch {
    return this.#context.epoch;
  }

  /** The last transactions of the epoch are ordered here. */
  get isEnding(): boolean {
    return this.#log.isEnding;
  }

  /** The last vertex that this member made, while it is kept. */
  get newestOwn(): Uint8Array | undefined {
    return this.#newest.bytes;
  }

  /** The epoch is over: nothing more is made, and what is kept goes to those who ask. */
  retire(): void {
    this.#producer = undefined;
    this.#retired = true;
  }

  /**
   * Deletes some of what the store keeps of the epoch; to be called on a retired machine that
   * nobody asks any more, until there is nothing.
   */
  forget(): StoreWrite[] {
    return this.#retention.forget();
  }

  /** Deletes at once all vertices and batches that the store keeps of the epoch. */
  abandon(): StoreWrite[] {
    this.retire();
    return this.#retention.abandon();
  }

  step(event: ConsensusEvent, now: Instant): ConsensusEffect[] {
    const effects = new EffectList();
    if (this.#attesting.isHalted) return [];
    if (!this.#started) {
      invariant(event.kind === 'start', 'the first event is start');
      this.#started = true;
      if (!this.#retired) this.#producer = this.#openProducer(now);
    }
    switch (event.kind) {
      case 'start':
        this.#attesting.start(effects);
        this.#newest.send(effects, now.monotonicMs);
        break;
      case 'timer':
        this.#timerMs = undefined;
        break;
      case 'work':
        if (this.#producer !== undefined) this.#producer.workPending = event.pending;
        break;
      case 'message':
        this.#receive(event, effects, now);
        break;
      case 'vertices':
        for (const { bytes, from } of event.messages) {
          this.#exchange.receive(bytes, from, now.monotonicMs);
        }
        break;
      case 'connected':
        if (!this.#retired) this.#recovery?.connected(event.member, effects);
        this.#newest.sendTo(event.member, effects);
        break;
      case 'wave-executed':
        this.#log.executed(event.record);
        this.#equivocations.executed(event.record.waveId);
        this.#attesting.executed(event, effects);
        break;
      default:
        event satisfies never;
    }
    this.#advance(effects, now);
    return effects.finish();
  }

  #openRecovery(own: Restored['own']): RecoveryExchange | undefined {
    const { ownStore } = this.#context;
    if (this.#seat === undefined || ownStore === undefined) return undefined;
    return new RecoveryExchange({
      ...this.#context,
      ...this.#seat,
      store: ownStore,
      own,
      isAccepted: ({ round, ...ref }) =>
        round < this.#dag.lowestRound || this.#dag.find(round, ref) !== undefined,
    });
  }

  #receive(
    { bytes, from }: Extract<ConsensusEvent, { kind: 'message' }>,
    effects: EffectList,
    now: Instant,
  ): void {
    const kind = messageKind(bytes);
    const recovery = this.#retired ? undefined : this.#recovery;
    if (recovery === undefined || (kind !== 'want-newest' && kind !== 'newest')) {
      this.#exchange.receive(bytes, from, now.monotonicMs);
      return;
    }
    this.#exchange.guard(() => {
      const message = openMessage(bytes);
      if (kind === 'want-newest') {
        const held = {
          own: this.#newest.bytes,
          yours: newestBytesOf(from, this.#dag, this.#records),
        };
        recovery.asked(from, message.bytes, held, effects, now.monotonicMs);
        return;
      }
      const vertex = recovery.answered(from, message.bytes);
      if (vertex === undefined) return;
      this.#exchange.receive(frameMessage('vertex', vertex), from, now.monotonicMs);
    });
  }

  #openProducer(now: Instant): Producer | undefined {
    if (this.#seat === undefined) return undefined;
    const options = {
      size: this.#size,
      quorum: this.#quorum,
      parameters: this.#context.parameters,
      ownRound: this.#restoredRound,
      self: this.#seat.self,
    };
    const { monotonicMs } = now;
    return new Producer(options, this.#dag, this.#log, this.#ownAttestations, monotonicMs);
  }

  /** Accepts, decides and makes vertices until nothing more can be done now. */
  #advance(effects: EffectList, now: Instant): void {
    for (let made = 0; !this.#attesting.isHalted; made++) {
      this.#acceptBuffered(effects, now);
      for (const wave of this.#log.decide()) effects.add({ kind: 'commit', wave });
      const transactions = this.#log.takeReturned();
      if (transactions.length > 0) effects.add({ kind: 'returned', transactions });
      const atMs = this.#mayProduce(effects)
        ? this.#producer?.nextVertexMs(now.monotonicMs)
        : undefined;
      const isDue = atMs !== undefined && atMs <= now.monotonicMs;
      if (this.#producer === undefined || !isDue || made === MAX_VERTICES_PER_STEP) {
        this.#setTimer(effects, now, atMs);
        break;
      }
      this.#produce(this.#producer, effects, now);
    }
    this.#gather(effects, now);
    // Deletions ride on a write that is made anyway; rounds cannot pile up without one.
    if (effects.hasWrites) this.#prune(effects);
  }

  /** Not before recovery says from which round on. */
  #mayProduce(effects: EffectList): boolean {
    if (this.#producer === undefined || this.#recovery === undefined) return false;
    if (this.#recovery.resumeRound === undefined) this.#recovery.settle(effects);
    const { resumeRound } = this.#recovery;
    if (resumeRound !== undefined) this.#producer.resumeAt(resumeRound);
    return resumeRound !== undefined;
  }

  /** What the messages of others brought about besides vertices. */
  #gather(effects: EffectList, now: Instant): void {
    if (!this.#retired) this.#recovery?.poll(effects, now.monotonicMs);
    const { requests, writes, equivocations } = this.#exchange.gather(now.monotonicMs);
    if (writes.length > 0) effects.persist(writes, false);
    for (const { to, message } of requests) {
      if (to === undefined) effects.add({ kind: 'broadcast', message });
      else effects.add({ kind: 'send', member: to, message });
    }
    if (equivocations.length === 0 && this.#contradictions.length === 0) return;
    for (const evidence of [...equivocations, ...this.#contradictions]) {
      effects.persist([this.#records.evidence.put(evidence)], false);
      effects.add({ kind: 'equivocation', evidence });
    }
    this.#contradictions = [];
  }

  #acceptBuffered(effects: EffectList, now: Instant): void {
    this.#exchange.drain(now, (entry) => {
      const { vertex, name } = entry;
      effects.persist(this.#accept(entry), false);
      const isOwn = vertex.author === this.#seat?.self;
      if (isOwn) this.#recovery?.ownVertexSeen({ round: vertex.round, name });
      this.#attesting.accepted(vertex, effects);
    });
  }

  /** @returns what keeps the vertex and its batches */
  #accept(entry: NamedVertex): StoreWrite[] {
    const { vertex, name } = entry;
    this.#log.grew();
    const placed = this.#dag.insert(vertex, name, entry.seen);
    this.#tips.accepted(placed);
    if (placed.round <= this.#log.settledRound) this.#dag.markEmitted(placed);
    const writes = [this.#door.record(entry, this.#records)];
    for (const { hash } of vertex.batches) {
      const bytes = this.#batches.refer(hash, !placed.emitted);
      if (bytes !== undefined) writes.push(this.#records.putBatch(hash, bytes));
    }
    for (const evidence of this.#equivocations.attestations(vertex, placed.core)) {
      this.#contradictions.push(evidence);
    }
    return writes;
  }

  #produce(producer: Producer, effects: EffectList, now: Instant): void {
    const seat = this.#seat;
    invariant(seat !== undefined, 'only a member makes vertices');
    const round = toRound(producer.nextRound);
    const parents = producer.parents(round);
    const weakParents = this.#tips.weakParents(round, this.#log.gcRound, seat.self);
    const takesBatch = !this.#log.isCongested && !this.#log.isEnding;
    const batches = takesBatch ? this.#takeBatch(producer, effects) : [];
    const attestations = this.#ownAttestations.take(seat.signer);
    const { vertex, name } = makeVertex(
      {
        chainId: this.#context.chainId,
        committee: this.#context.committee,
        author: seat.self,
        round,
        parents,
        weakParents,
        batches,
        attestations,
        unixMs: BigInt(Math.floor(now.unixMs)),
      },
      seat.signer,
    );
    const own = this.#door.own(vertex, name);
    const writes = [...this.#accept(own), this.#records.putOwn({ round, name })];
    if (this.#recovery !== undefined) writes.push(...this.#recovery.produced({ round, name }));
    effects.persist(writes, true);
    this.#exchange.accepted({ vertex, name });
    const hasOwnParent = parents.some(({ author }) => author === seat.self);
    producer.produced(round, hasOwnParent, now.monotonicMs);
    this.#newest.made(encodeVertex(vertex), effects, now.monotonicMs);
    this.#attesting.accepted(vertex, effects);
  }

  /** Waiting transactions as a batch, on its way to the others. */
  #takeBatch(producer: Producer, effects: EffectList): BatchRef[] {
    const transactions = this.#context.takeBatch(MAX_TAKEN_BYTES);
    if (transactions.length === 0) {
      producer.workPending = false;
      return [];
    }
    const bytes = encodeBatch({ transactions });
    invariant(bytes.length <= MAX_BATCH_BYTES, 'takeBatch keeps to the bytes it was given');
    const hash = batchHash(bytes);
    this.#batches.put(hash, bytes);
    if (this.#size > 1) effects.add({ kind: 'broadcast', message: frameMessage('batch', bytes) });
    return [{ hash, bytes: bytes.length, count: transactions.length }];
  }

  /** The next time at which anything may change by itself. */
  #setTimer(effects: EffectList, now: Instant, vertexMs?: number): void {
    const times: number[] = vertexMs === undefined ? [] : [Math.max(vertexMs, now.monotonicMs)];
    const dueMs = this.#exchange.nextDueMs(now);
    if (dueMs !== undefined) times.push(Math.max(dueMs, now.monotonicMs));
    const askMs = this.#retired ? undefined : this.#recovery?.nextDueMs;
    if (askMs !== undefined) times.push(Math.max(askMs, now.monotonicMs));
    if (this.#producer !== undefined) {
      const { leaderTimeoutMs } = this.#producer;
      const resendMs = this.#newest.resend(effects, now.monotonicMs, leaderTimeoutMs);
      if (resendMs !== undefined) times.push(resendMs);
    }
    if (times.length === 0) return;
    const atMonotonicMs = Math.min(...times);
    if (atMonotonicMs === this.#timerMs) return;
    this.#timerMs = atMonotonicMs;
    effects.add({ kind: 'set-timer', atMonotonicMs });
  }

  #prune(effects: EffectList): void {
    const writes = this.#retention.prune(this.#log.executedAnchorRound);
    if (writes.length === 0) return;
    this.#exchange.dropBelow(this.#dag.lowestRound + 1);
    effects.persist(writes, false);
  }
}

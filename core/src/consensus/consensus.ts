/**
 * The consensus machine of one member for one epoch (design/consensus.md): takes vertices and
 * batches in, makes its own, decides anchors, hands out waves and gathers certificates. A committee
 * of one is the same code with a quorum of one; a node without a seat follows and makes nothing.
 *
 * It trusts its own store and the committee it was given, and nothing that another member sends.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import type { Committee, Signer } from '../finality/index.ts';
import { maxFaulty, quorum } from '../finality/index.ts';
import type { Instant, Machine, StoreWrite, VerifySignatures } from '../platform/index.ts';
import {
  type BatchRef,
  batchHash,
  type Epoch,
  encodeBatch,
  encodeVertex,
  type GenesisParameters,
  type Hash,
  MAX_BATCH_BYTES,
  type MemberIndex,
  MIN_TX_BYTES,
  toRound,
} from '../types/index.ts';
import { AnchorSchedule } from './anchor-schedule.ts';
import { type AttestationOutcome, AttestationPool } from './attestation-pool.ts';
import { BatchStore } from './batch-store.ts';
import { CommitLog } from './commit-log.ts';
import type { Dag, DagVertex } from './dag.ts';
import { EffectList } from './effect-list.ts';
import { type Equivocation, Equivocations } from './equivocation.ts';
import type { ConsensusEffect, ConsensusEvent } from './events.ts';
import { Exchange } from './exchange.ts';
import { HeldNames } from './held-names.ts';
import { frameMessage, messageKind, openMessage } from './message.ts';
import { OwnAttestations } from './own-attestations.ts';
import { Producer } from './producer.ts';
import { makeVertex } from './proposer.ts';
import { newestBytesOf, RecoveryExchange } from './recovery-exchange.ts';
import { newestOwn, type Restored, rebuildDag } from './restore.ts';
import type { OwnStore } from './standing-records.ts';
import { type NamedVertex, VERTEX_DOOR, type VertexDoor } from './vertex-door.ts';
import { WaveBuilder } from './wave-builder.ts';
import { Tips } from './weak-parents.ts';

export interface ConsensusContext {
  readonly chainId: bigint;
  readonly epoch: Epoch;
  /** The epoch's starting digest: the genesis hash for epoch 0. */
  readonly start: Hash;
  readonly beacon: Hash;
  readonly committee: Committee;
  /** This member's seat; without it the machine only follows. */
  readonly self: MemberIndex | undefined;
  /** Needed with a seat. */
  readonly signer: Signer | undefined;
  readonly parameters: GenesisParameters;
  /** Signatures of vertices and attestations. */
  readonly verify: VerifySignatures;
  /** Default: one that remembers nothing. */
  readonly door?: VertexDoor;
  /** When the epoch began: the timestamp of the vertices of round 0. */
  readonly startMs: bigint;
  /** Transactions for a batch: wire bytes, at most `maxBytes` in sum; none when none wait. */
  takeBatch(maxBytes: number): readonly Uint8Array[];
  /** What this node's store is worth; needed with a seat. One for all epochs of a run. */
  readonly ownStore: OwnStore | undefined;
}

/** What an operator watches. */
export interface ConsensusStatus {
  readonly ownRound: number;
  readonly highestRound: number;
  readonly lowestRound: number;
  readonly waitingWaves: number;
  readonly bufferedVertices: number;
  /** Ancestors and batches that those wait for. */
  readonly missing: number;
  readonly batchesInMemory: number;
  /** Messages of others not taken, by error code. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Own vertices made in one step; what is left is done by a timer due at once. */
const MAX_VERTICES_PER_STEP = 8;
const MAX_PRUNED_ROUNDS_PER_STEP = 8;
/** Below two GC windows nothing is kept. */
const RETAINED_WINDOWS = 2;
/** However small the transactions, their lengths fit into the batch as well. */
const MAX_TAKEN_BYTES = Math.floor(((MAX_BATCH_BYTES - 4) * MIN_TX_BYTES) / (MIN_TX_BYTES + 4));

interface Seat {
  readonly self: MemberIndex;
  readonly signer: Signer;
}

export class Consensus implements Machine<ConsensusEvent, ConsensusEffect> {
  readonly #context: ConsensusContext;
  readonly #size: number;
  readonly #quorum: number;
  readonly #seat: Seat | undefined;
  readonly #records: Restored['records'];
  readonly #door: VertexDoor;
  readonly #dag: Dag;
  readonly #exchange: Exchange;
  readonly #held: HeldNames;
  readonly #equivocations: Equivocations;
  readonly #tips: Tips;
  readonly #batches = new BatchStore();
  readonly #log: CommitLog;
  readonly #pool: AttestationPool;
  readonly #attestations = new OwnAttestations();
  readonly #restoredRound: number;
  /** With a seat. */
  readonly #recovery: RecoveryExchange | undefined;
  /** From the first event on, with a seat. */
  #producer: Producer | undefined;
  #newestOwn: Uint8Array | undefined;
  #started = false;
  #sentMs = 0;
  #timerMs: number | undefined;
  #halted = false;
  /** Found in this step. */
  #contradictions: Equivocation[] = [];
  #retired = false;
  #forgotten = false;
  /** What the stored attestations already prove. */
  #restoredOutcomes: AttestationOutcome[] = [];

  /** @throws PydeError `consensus.store` when the store has lost vertices or batches */
  constructor(context: ConsensusContext, restored: Restored) {
    const { committee, epoch, beacon, start, parameters, self, signer, verify } = context;
    invariant(committee.epoch === epoch, 'the committee is that of the epoch');
    invariant((self === undefined) === (signer === undefined), 'a seat comes with its signer');
    if (self !== undefined && signer !== undefined) {
      const member = committee.members[self];
      invariant(
        member !== undefined && equalBytes(member.publicKey, signer.publicKey),
        `the signer is that of member ${self}`,
      );
    }
    this.#context = context;
    this.#door = context.door ?? VERTEX_DOOR;
    this.#size = committee.members.length;
    this.#quorum = quorum(this.#size);
    this.#seat = self === undefined || signer === undefined ? undefined : { self, signer };
    this.#records = restored.records;
    const { head } = restored;
    const waves = new WaveBuilder(
      {
        chainId: context.chainId,
        epoch,
        gcRounds: parameters.gcRounds,
        span: { startMs: context.startMs, durationMs: parameters.epochDurationMs },
      },
      head,
    );
    const dagOptions = {
      schedule: new AnchorSchedule(beacon, epoch, this.#size),
      size: this.#size,
      quorum: this.#quorum,
      epoch,
      start,
      startTimestampMs: context.startMs,
    };
    this.#dag = rebuildDag(dagOptions, restored, this.#batches, waves.gcRound);
    this.#log = new CommitLog(this.#dag, this.#batches, waves, this.#quorum, self);
    const { gcRounds } = parameters;
    const { records } = restored;
    this.#held = new HeldNames(this.#dag, records.edge, gcRounds, restored.vouched);
    this.#equivocations = new Equivocations(
      { committee, verify, bytesOf: (vertex) => records.vertexBytes(vertex.round, vertex) },
      restored.evidence,
      head.waveId,
    );
    this.#exchange = new Exchange(
      {
        ...{
          chainId: context.chainId,
          committee,
          verify,
          door: this.#door,
          self,
          gcRounds,
          size: this.#size,
        },
        witnesses: maxFaulty(this.#size) + 1,
        gcRound: () => this.#log.gcRound,
      },
      {
        dag: this.#dag,
        batches: this.#batches,
        records,
        held: this.#held,
        equivocations: this.#equivocations,
      },
    );
    this.#tips = new Tips(this.#dag, this.#size);
    this.#pool = new AttestationPool(committee, self, head.waveId, verify);
    const { ownStore } = context;
    invariant(self === undefined || ownStore !== undefined, 'a seat comes with a store of its own');
    const own =
      self === undefined || ownStore === undefined
        ? undefined
        : newestOwn(restored, self, this.#dag.lowestRound, ownStore);
    this.#recovery = this.#openRecovery(restored.own);
    this.#restoredRound = own?.round ?? 0;
    this.#newestOwn = own?.bytes;
    for (const { vertex, name } of restored.vertices) {
      this.#contradictions.push(...this.#equivocations.attestations(vertex, name));
    }
    this.#restoreAttestations(restored);
  }

  /**
   * Work of less than a millisecond that the next vertex needs, for when nothing else is to be done.
   * Changes nothing but how long the next step takes.
   * @returns whether there was any
   */
  prepare(): boolean {
    return this.#seat !== undefined && this.#attestations.signAhead(this.#seat.signer);
  }

  get status(): ConsensusStatus {
    return {
      ownRound: this.#producer?.ownRound ?? this.#restoredRound,
      highestRound: this.#dag.highestRound,
      lowestRound: this.#dag.lowestRound,
      waitingWaves: this.#log.waitingWaves,
      bufferedVertices: this.#exchange.waiting,
      missing: this.#exchange.wanted,
      batchesInMemory: this.#batches.inMemory,
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
    return this.#newestOwn;
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
    const dropped = this.#dag.drop(MAX_PRUNED_ROUNDS_PER_STEP);
    if (dropped.length > 0) return this.#deletions(dropped);
    if (this.#forgotten) return [];
    this.#forgotten = true;
    return [this.#records.deleteOwn()];
  }

  /** Deletes at once all vertices and batches that the store keeps of the epoch. */
  abandon(): StoreWrite[] {
    const writes: StoreWrite[] = [];
    this.retire();
    for (;;) {
      const dropped = this.#dag.drop(MAX_PRUNED_ROUNDS_PER_STEP);
      if (dropped.length === 0) return writes;
      for (const write of this.#deletions(dropped)) writes.push(write);
    }
  }

  step(event: ConsensusEvent, now: Instant): ConsensusEffect[] {
    const effects = new EffectList();
    if (this.#halted) return [];
    if (!this.#started) {
      invariant(event.kind === 'start', 'the first event is start');
      this.#started = true;
      if (!this.#retired) this.#producer = this.#openProducer(now);
    }
    switch (event.kind) {
      case 'start':
        this.#start(effects, now);
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
      case 'connected':
        if (!this.#retired) this.#recovery?.connected(event.member, effects);
        if (this.#newestOwn !== undefined) {
          const message = frameMessage('vertex', this.#newestOwn);
          effects.add({ kind: 'send', member: event.member, message });
        }
        break;
      case 'wave-executed':
        this.#executed(event, effects);
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
        const held = { own: this.#newestOwn, yours: newestBytesOf(from, this.#dag, this.#records) };
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
    return new Producer(options, this.#dag, this.#log, this.#attestations, monotonicMs);
  }

  #start(effects: EffectList, now: Instant): void {
    this.#settleOutcomes(this.#restoredOutcomes, effects);
    this.#restoredOutcomes = [];
    this.#sendNewest(effects, now);
  }

  /** The newest own vertex, so that those who missed it can go on. */
  #sendNewest(effects: EffectList, now: Instant): void {
    this.#sentMs = now.monotonicMs;
    if (this.#newestOwn === undefined || this.#size === 1) return;
    effects.add({ kind: 'broadcast', message: frameMessage('vertex', this.#newestOwn) });
  }

  #executed(
    { record, digest }: Extract<ConsensusEvent, { kind: 'wave-executed' }>,
    effects: EffectList,
  ): void {
    this.#log.executed(record);
    this.#equivocations.executed(record.waveId);
    if (this.#seat !== undefined) this.#attestations.add(record, digest);
    this.#settleOutcomes(this.#pool.executed(record, digest, { certified: false }), effects);
  }

  /** Accepts, decides and makes vertices until nothing more can be done now. */
  #advance(effects: EffectList, now: Instant): void {
    for (let made = 0; !this.#halted; made++) {
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
      this.#settleOutcomes(this.#pool.add(vertex.author, vertex.attestations), effects);
    });
  }

  /** @returns what keeps the vertex and its batches */
  #accept(entry: NamedVertex): StoreWrite[] {
    const { vertex, name } = entry;
    this.#log.grew();
    const placed = this.#dag.insert(vertex, name, entry.seen);
    this.#tips.accepted(placed);
    if (placed.round <= this.#log.settledRound) this.#dag.markEmitted(placed);
    const record = (): StoreWrite => this.#records.putVertex(vertex, name);
    const writes = [this.#door.record(entry, record)];
    for (const { hash } of vertex.batches) {
      const bytes = this.#batches.refer(hash, !placed.emitted);
      if (bytes !== undefined) writes.push(this.#records.putBatch(hash, bytes));
    }
    for (const evidence of this.#equivocations.attestations(vertex, name)) {
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
    const attestations = this.#attestations.take(seat.signer);
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
    this.#newestOwn = encodeVertex(vertex);
    this.#sendNewest(effects, now);
    this.#settleOutcomes(this.#pool.add(seat.self, attestations), effects);
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

  #settleOutcomes(outcomes: readonly AttestationOutcome[], effects: EffectList): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'cert') {
        effects.persist([this.#records.putCert(outcome.cert)], false);
        effects.add({ kind: 'certified', cert: outcome.cert });
        if (outcome.cert.record.nextBeacon !== undefined) this.#attestations.settleClosing();
        continue;
      }
      this.#halted = true;
      const reason =
        `members ${outcome.members.join(', ')} attest another result of wave ${outcome.waveId} ` +
        'than this node computed; its software or its store is at fault';
      effects.add({ kind: 'halt', reason });
      return;
    }
  }

  /** The next time at which anything may change by itself. */
  #setTimer(effects: EffectList, now: Instant, vertexMs?: number): void {
    const times: number[] = vertexMs === undefined ? [] : [Math.max(vertexMs, now.monotonicMs)];
    const dueMs = this.#exchange.nextDueMs(now);
    if (dueMs !== undefined) times.push(Math.max(dueMs, now.monotonicMs));
    const askMs = this.#retired ? undefined : this.#recovery?.nextDueMs;
    if (askMs !== undefined) times.push(Math.max(askMs, now.monotonicMs));
    if (this.#size > 1 && this.#newestOwn !== undefined && this.#producer !== undefined) {
      const timeoutMs = this.#producer.leaderTimeoutMs;
      if (now.monotonicMs >= this.#sentMs + timeoutMs) this.#sendNewest(effects, now);
      times.push(this.#sentMs + timeoutMs);
    }
    if (times.length === 0) return;
    const atMonotonicMs = Math.min(...times);
    if (atMonotonicMs === this.#timerMs) return;
    this.#timerMs = atMonotonicMs;
    effects.add({ kind: 'set-timer', atMonotonicMs });
  }

  /** Waves not executed still need their vertices, so the executed one says what may go. */
  #prune(effects: EffectList): void {
    const below =
      this.#log.executedAnchorRound - RETAINED_WINDOWS * this.#context.parameters.gcRounds;
    const dropped = this.#dag.prune(below, MAX_PRUNED_ROUNDS_PER_STEP);
    const writes = [...this.#deletions(dropped), ...this.#held.pruned(dropped)];
    if (writes.length === 0) return;
    this.#exchange.dropBelow(this.#dag.lowestRound + 1);
    effects.persist(writes, false);
  }

  #deletions(dropped: readonly DagVertex[]): StoreWrite[] {
    const writes: StoreWrite[] = [];
    for (const { round, author, name, batches } of dropped) {
      if (round > 0) writes.push(this.#records.deleteVertex(round, { author, name }));
      for (const { hash } of batches) {
        if (this.#batches.release(hash)) writes.push(this.#records.deleteBatch(hash));
      }
    }
    return writes;
  }

  /** The head is attested anew unless a stored vertex of this member does so already. */
  #restoreAttestations({ head, headDigest, headCertified, vertices }: Restored): void {
    if (head.waveId === 0n || head.epoch !== this.#context.epoch) return;
    this.#restoredOutcomes.push(
      ...this.#pool.executed(head, headDigest, { certified: headCertified }),
    );
    let attested = headCertified;
    for (const { vertex } of vertices) {
      const relevant = vertex.attestations.filter(({ waveId }) => waveId >= head.waveId);
      if (relevant.length === 0) continue;
      this.#restoredOutcomes.push(...this.#pool.add(vertex.author, relevant));
      attested ||= vertex.author === this.#seat?.self;
    }
    // That of a closing wave goes into every vertex until its certificate is there.
    const repeats = head.nextBeacon !== undefined && !headCertified;
    if (this.#seat !== undefined && (repeats || !attested))
      this.#attestations.add(head, headDigest);
  }
}

/**
 * From epoch to epoch (design/consensus.md, "Epochs"): the machine of the epoch that runs, that of
 * the epoch before, which still serves its DAG, and the way from one to the next. A node enters an
 * epoch once it has executed the wave that closed the one before and holds its certificate.
 *
 * Members are validators here and seats inside an epoch; this is where one becomes the other.
 * A node without a seat follows: it takes in what it hears and makes nothing.
 */
import { equalBytes, invariant, isPydeError, readU64AsNumber } from '../bytes/index.ts';
import {
  Consensus,
  type ConsensusContext,
  type ConsensusEffect,
  type ConsensusEvent,
  ConsensusRecords,
  frameMessage,
  freshEpoch,
  joinedEpoch,
  type MemberMessage,
  type MessageKind,
  type OwnStore,
  openMessage,
  type Restored,
  type Signer,
  type StoredVertex,
  TAG_BYTES,
  type VertexDoor,
} from '../consensus/index.ts';
import type { Committee } from '../finality/index.ts';
import { homeOf, SILENT_HOME_ROUNDS } from '../mempool/index.ts';
import type { Instant, KeyValueStore, VerifySignatures } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import {
  type Address,
  type Epoch,
  type Genesis,
  type HardFinalityCert,
  type Hash,
  type MemberIndex,
  toMemberIndex,
  toValidatorIndex,
  type ValidatorIndex,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import {
  epochEndMs,
  genesisEpoch,
  type ProtocolSchedule,
  readEpochState,
  versionedStart,
} from '../validators/index.ts';
import { ClosingExchange } from './closing-exchange.ts';
import { describeEpoch, type EpochDescription, seatOfKey } from './epoch-description.ts';
import type { ValidatorMessage } from './node-events.ts';

export interface EpochsSetup {
  readonly genesis: Genesis;
  readonly store: KeyValueStore;
  /** As of the newest executed wave. */
  readonly state: StateReader;
  /** The validator's key; without it the node only follows. */
  readonly signer: Signer | undefined;
  readonly verify: VerifySignatures;
  readonly door: VertexDoor;
  /** Which rules the epochs run by. */
  readonly protocol: ProtocolSchedule;
  takeBatch(maxBytes: number): readonly Uint8Array[];
  /** What the store is worth to a member; needed with a signer. */
  readonly ownStore: OwnStore | undefined;
}

/** An epoch whose machine is there. */
export interface RunningEpoch {
  readonly description: EpochDescription;
  readonly consensus: Consensus;
}

export interface OpenedEpochs {
  readonly current: RunningEpoch;
  /** Undefined in the first epoch, and when the store no longer has what it could serve. */
  readonly previous: RunningEpoch | undefined;
  /** Of the epoch before `current`; undefined in the first one. */
  readonly closing: HardFinalityCert | undefined;
  /** The newest executed wave, if it closes `current`. */
  readonly closed: ExecutedClosing | undefined;
}

export interface ExecutedClosing {
  readonly record: WaveCommitRecord;
  readonly digest: Hash;
}

export type EpochsEvent =
  | Exclude<ConsensusEvent, { kind: 'message' | 'vertices' | 'connected' }>
  | { readonly kind: 'message'; readonly from: ValidatorIndex; readonly bytes: Uint8Array }
  | { readonly kind: 'vertices'; readonly messages: readonly ValidatorMessage[] }
  | { readonly kind: 'connected'; readonly peer: ValidatorIndex };

export type EpochsEffect =
  | Exclude<ConsensusEffect, { kind: 'send' }>
  | { readonly kind: 'send'; readonly peer: ValidatorIndex; readonly message: Uint8Array }
  /** A new epoch began: nothing that was put into a batch before is on its way any more. */
  | { readonly kind: 'epoch'; readonly epoch: Epoch };

/** What a member asks for by name, so that the answer is right whatever the epoch. */
const ASKED_BY_NAME: ReadonlySet<MessageKind> = new Set([
  'want-vertices',
  'want-batches',
  'want-accepted',
]);
/** Of `epoch` in an encoded vertex. */
const EPOCH_OFFSET = 8;

export class Epochs {
  readonly #setup: EpochsSetup;
  readonly #validator: ValidatorIndex | undefined;
  readonly #peers: number;
  readonly #exchange: ClosingExchange;
  #current: RunningEpoch;
  #previous: RunningEpoch | undefined;
  /** Epochs of which the store still keeps records that nobody asks for. */
  readonly #leaving: Consensus[] = [];
  #closed: ExecutedClosing | undefined;
  /** A valid certificate of the current epoch's closing wave that came from a peer. */
  #received: HardFinalityCert | undefined;
  /** Somebody speaks of a later epoch. */
  #othersAreAhead = false;
  #consensusTimerMs: number | undefined;
  #pollMs: number | undefined;
  #timerMs: number | undefined;

  constructor(setup: EpochsSetup, opened: OpenedEpochs) {
    const { genesis, signer, verify } = setup;
    this.#setup = setup;
    this.#validator = validatorOf(genesis, signer);
    const peers = genesis.validators
      .map((_, i) => toValidatorIndex(i))
      .filter((i) => i !== this.#validator);
    this.#peers = peers.length;
    this.#exchange = new ClosingExchange({ chainId: genesis.chainId, verify, peers });
    this.#current = opened.current;
    this.#previous = opened.previous;
    this.#previous?.consensus.retire();
    if (opened.closing !== undefined) this.#exchange.hold(opened.closing);
    this.#closed = opened.closed;
  }

  get epoch(): Epoch {
    return this.#current.description.record.epoch;
  }

  /** The machine of the epoch that runs. */
  get consensus(): Consensus {
    return this.#current.consensus;
  }

  /** The anchor's seat; undefined for an epoch that is neither the current nor the one before. */
  anchorOf(epoch: number, round: number): MemberIndex | undefined {
    return round >= 1 ? this.#descriptionOf(epoch)?.schedule.anchorOf(round) : undefined;
  }

  /**
   * Who puts in what `from` sends (design/consensus.md, "Waves"); undefined for this node itself. A
   * member takes over from a silent home; a node without a seat asks the next one that is not.
   * @param asked how many members did not bring it through: a home that goes on and drops it is
   * passed over by whoever cannot put it in itself
   */
  homeOf(from: Address, asked = 0): ValidatorIndex | undefined {
    const { committee } = this.#current.description.record;
    const size = committee.length;
    const home = homeOf(from, this.epoch, size) + asked;
    for (let step = 0; step < size; step++) {
      const seat = toMemberIndex((home + step) % size);
      const peer = committee[seat];
      if (peer === undefined || peer === this.#validator) return undefined;
      if (!this.#current.consensus.isSilent(seat, SILENT_HOME_ROUNDS)) return peer;
      if (this.hasSeat) return undefined;
    }
    return committee[home % size];
  }

  /**
   * Does this member put in what `from` sends, of which all members heard? The home does at once, or
   * the first after it that is not silent; after each take-over time in vain twice as many seats.
   * @param asked how many such times have passed
   */
  takesIn(from: Address, asked: number): boolean {
    const { record } = this.#current.description;
    const seat = this.seatIn(record.epoch);
    const size = record.committee.length;
    if (seat === undefined) return false;
    const home = homeOf(from, this.epoch, size);
    const distance = (seat - home + size) % size;
    let silent = 0;
    for (let step = 0; step < distance; step++) {
      const before = toMemberIndex((home + step) % size);
      if (this.#current.consensus.isSilent(before, SILENT_HOME_ROUNDS)) silent++;
    }
    return distance - silent < 2 ** asked;
  }

  /** Is this node a member of the epoch? */
  get hasSeat(): boolean {
    return this.seatIn(this.epoch) !== undefined;
  }

  /** This node's seat in the current epoch or the one before. */
  seatIn(epoch: number): MemberIndex | undefined {
    if (this.#validator === undefined) return undefined;
    return this.#descriptionOf(epoch)?.seats.get(this.#validator);
  }

  /** Of the current epoch and the one before. */
  committeeOf(epoch: number): Committee | undefined {
    return this.#descriptionOf(epoch)?.committee;
  }

  #descriptionOf(epoch: number): EpochDescription | undefined {
    const known = [this.#current, this.#previous];
    return known.find((running) => running?.description.record.epoch === epoch)?.description;
  }

  step(event: EpochsEvent, now: Instant): EpochsEffect[] {
    const effects: EpochsEffect[] = [];
    switch (event.kind) {
      case 'start':
        if (this.#previous !== undefined) this.#run(this.#previous, event, now, effects);
        this.#run(this.#current, event, now, effects);
        break;
      case 'timer':
        this.#timer(now, effects);
        break;
      case 'message':
        this.#message(event.from, event.bytes, now, effects);
        break;
      case 'vertices':
        this.#vertices(event.messages, now, effects);
        break;
      case 'connected': {
        const member = this.#current.description.seats.get(event.peer);
        if (member === undefined) break;
        this.#run(this.#current, { kind: 'connected', member }, now, effects);
        break;
      }
      case 'wave-executed':
        if (event.record.nextBeacon !== undefined) this.#closed = event;
        this.#run(this.#current, event, now, effects);
        break;
      case 'work':
        this.#run(this.#current, event, now, effects);
        break;
      default:
        event satisfies never;
    }
    this.#enterNext(now, effects);
    this.#dropLeaving(effects);
    this.#setTimer(now, effects);
    return effects;
  }

  /**
   * Goes on after waves were followed that others executed: in the epoch of the next wave, from the
   * vertices that earlier ones of it carried.
   */
  rejoin(head: ExecutedClosing, vertices: readonly StoredVertex[], now: Instant): EpochsEffect[] {
    const { genesis, store, state } = this.#setup;
    const epochs = head.record.waveId === 0n ? undefined : readEpochState(state);
    const record = epochs?.current ?? genesisEpoch(genesis);
    const description = describeEpoch(store, genesis, record);
    invariant(description !== undefined, 'the record of the closing wave is in the store');
    if (!this.#setup.protocol.supports(record.epoch)) return [this.#haltBefore(record.epoch)];
    const { restored, writes } = joinedEpoch(store, head, record.epoch, vertices);
    const { consensus } = this.#current;
    const isSameEpoch = this.epoch === record.epoch;
    const deletions = isSameEpoch ? consensus.abandon() : [];
    if (!isSameEpoch) {
      for (const left of [this.#previous?.consensus, consensus]) {
        left?.retire();
        if (left !== undefined) this.#leaving.push(left);
      }
      this.#previous = undefined;
    }
    const closing = new ConsensusRecords(store, record.epoch).cert(record.closingWave);
    if (closing !== undefined && record.epoch > 0) this.#exchange.hold(closing);
    this.#begin();
    this.#timerMs = undefined;
    this.#current = runEpoch(this.#setup, description, restored);
    const effects: EpochsEffect[] = [
      { kind: 'persist', writes: [...deletions, ...writes], sync: false },
      { kind: 'epoch', epoch: this.epoch },
    ];
    this.#run(this.#current, { kind: 'start' }, now, effects);
    this.#setTimer(now, effects);
    return effects;
  }

  #run(running: RunningEpoch, event: ConsensusEvent, now: Instant, effects: EpochsEffect[]): void {
    const { record } = running.description;
    for (const effect of running.consensus.step(event, now)) {
      if (effect.kind === 'send') {
        const peer = record.committee[effect.member];
        invariant(peer !== undefined, `seat ${effect.member} is one of epoch ${record.epoch}`);
        effects.push({ kind: 'send', peer, message: effect.message });
      } else if (effect.kind === 'set-timer') {
        if (running === this.#current) this.#consensusTimerMs = effect.atMonotonicMs;
      } else {
        effects.push(effect);
        if (effect.kind === 'certified') this.#certified(effect.cert, effects);
      }
    }
  }

  #timer(now: Instant, effects: EpochsEffect[]): void {
    this.#timerMs = undefined;
    if (this.#pollMs !== undefined && now.monotonicMs >= this.#pollMs) {
      this.#pollMs = undefined;
      const { peers, message } = this.#exchange.poll(this.epoch);
      for (const peer of peers) effects.push({ kind: 'send', peer, message });
    }
    if (this.#consensusTimerMs === undefined || now.monotonicMs < this.#consensusTimerMs) return;
    this.#consensusTimerMs = undefined;
    this.#run(this.#current, { kind: 'timer' }, now, effects);
  }

  #message(from: ValidatorIndex, bytes: Uint8Array, now: Instant, effects: EpochsEffect[]): void {
    const message = opened(bytes);
    if (message?.kind === 'want-closing') this.#answer(from, message.bytes, now, effects);
    else if (message?.kind === 'closing') this.#take(from, message.bytes, effects);
    else {
      for (const running of this.#addressed(message)) {
        const member = running.description.seats.get(from);
        if (member === undefined) continue;
        this.#run(running, { kind: 'message', from: member, bytes }, now, effects);
      }
    }
  }

  #vertices(messages: readonly ValidatorMessage[], now: Instant, effects: EpochsEffect[]): void {
    const { seats } = this.#current.description;
    const taken: MemberMessage[] = [];
    for (const { from, bytes } of messages) {
      const member = seats.get(from);
      if (member !== undefined && this.#isOfCurrent(bytes)) taken.push({ from: member, bytes });
    }
    if (taken.length === 0) return;
    this.#run(this.#current, { kind: 'vertices', messages: taken }, now, effects);
  }

  /** Is a message with a vertex for the epoch that runs? The one before is closed to vertices. */
  #isOfCurrent(message: Uint8Array): boolean {
    if (message.length < TAG_BYTES + EPOCH_OFFSET + 8) return true;
    const epoch = readU64AsNumber(message, TAG_BYTES + EPOCH_OFFSET);
    if (epoch > this.epoch) this.#othersAreAhead = true;
    return epoch >= this.epoch;
  }

  /** The epochs that a message concerns. */
  #addressed(
    message: { readonly kind: MessageKind; readonly bytes: Uint8Array } | undefined,
  ): readonly RunningEpoch[] {
    const previous = this.#previous === undefined ? [] : [this.#previous];
    if (message === undefined) return [this.#current];
    if (ASKED_BY_NAME.has(message.kind)) return [this.#current, ...previous];
    if (message.kind !== 'vertex' || message.bytes.length < EPOCH_OFFSET + 8) {
      return [this.#current];
    }
    const epoch = readU64AsNumber(message.bytes, EPOCH_OFFSET);
    if (epoch > this.epoch) this.#othersAreAhead = true;
    // The epoch before is closed: vertices add nothing to it.
    return epoch < this.epoch ? [] : [this.#current];
  }

  #answer(peer: ValidatorIndex, bytes: Uint8Array, now: Instant, effects: EpochsEffect[]): void {
    const answer = this.#exchange.answer(peer, bytes, now.monotonicMs);
    if (answer === undefined) return;
    effects.push({ kind: 'send', peer, message: answer });
    const closed =
      this.#exchange.held?.record.epoch === this.epoch ? this.#current : this.#previous;
    const newest = closed?.consensus.newestOwn;
    if (newest === undefined) return;
    effects.push({ kind: 'send', peer, message: frameMessage('vertex', newest) });
  }

  #take(peer: ValidatorIndex, bytes: Uint8Array, effects: EpochsEffect[]): void {
    if (this.#received !== undefined) return;
    const { committee } = this.#current.description;
    const cert = this.#exchange.take(peer, bytes, committee);
    if (cert === undefined) return;
    this.#received = cert;
    this.#push(cert, effects);
  }

  /** By this node itself. */
  #certified(cert: HardFinalityCert, effects: EpochsEffect[]): void {
    if (cert.record.nextBeacon === undefined) return;
    if (this.#exchange.held?.record.epoch === cert.record.epoch) return;
    this.#push(cert, effects);
  }

  #push(cert: HardFinalityCert, effects: EpochsEffect[]): void {
    const message = this.#exchange.hold(cert);
    if (this.#peers > 0) effects.push({ kind: 'broadcast', message });
  }

  /** Once the closing wave is executed and its certificate is here. */
  #enterNext(now: Instant, effects: EpochsEffect[]): void {
    const closed = this.#closed;
    const cert = this.#exchange.held;
    if (closed === undefined || cert?.record.epoch !== this.epoch) return;
    if (!equalBytes(waveDigest(cert.record), closed.digest)) {
      const reason =
        `wave ${closed.record.waveId}, which closes epoch ${this.epoch}, is certified with another ` +
        'result than this node computed; its software or its store is at fault';
      effects.push({ kind: 'halt', reason });
      return;
    }
    if (this.#received !== undefined) {
      // Only now, for the store holds no certificate of a wave that it does not hold.
      const writes = [new ConsensusRecords(this.#setup.store, this.epoch).putCert(cert)];
      effects.push({ kind: 'persist', writes, sync: false }, { kind: 'certified', cert });
    }
    const next = this.epoch + 1;
    if (!this.#setup.protocol.supports(next)) {
      effects.push(this.#haltBefore(next));
      return;
    }
    this.#leave();
    this.#current = this.#openNext(closed);
    effects.push({ kind: 'epoch', epoch: this.epoch });
    this.#run(this.#current, { kind: 'start' }, now, effects);
  }

  #haltBefore(epoch: number): EpochsEffect {
    return { kind: 'halt', reason: this.#setup.protocol.haltReason(epoch) };
  }

  /** The current epoch becomes the one before. */
  #leave(): void {
    if (this.#previous !== undefined) this.#leaving.push(this.#previous.consensus);
    this.#previous = this.#current;
    this.#previous.consensus.retire();
    this.#begin();
  }

  #begin(): void {
    this.#closed = undefined;
    this.#received = undefined;
    this.#othersAreAhead = false;
    this.#consensusTimerMs = undefined;
    this.#pollMs = undefined;
    this.#exchange.entered();
  }

  #openNext(closed: ExecutedClosing): RunningEpoch {
    const { genesis, store, state } = this.#setup;
    const next = readEpochState(state)?.current;
    invariant(
      next !== undefined && next.closingWave === closed.record.waveId,
      `the state is that of wave ${closed.record.waveId}, which began an epoch`,
    );
    const description = describeEpoch(store, genesis, next);
    invariant(description !== undefined, 'the record of the closing wave is in the store');
    return runEpoch(this.#setup, description, freshEpoch(store, closed.record, next.epoch));
  }

  /** Records of epochs that are over go a few with every write that is made anyway. */
  #dropLeaving(effects: EpochsEffect[]): void {
    const [leaving] = this.#leaving;
    const at = effects.findIndex(({ kind }) => kind === 'persist');
    const persist = effects[at];
    if (leaving === undefined || persist?.kind !== 'persist') return;
    const deletions = leaving.forget();
    if (deletions.length === 0) this.#leaving.shift();
    else effects[at] = { ...persist, writes: [...persist.writes, ...deletions] };
  }

  /** One timer for consensus and the polls. */
  #setTimer(now: Instant, effects: EpochsEffect[]): void {
    const pollMs = this.#nextPollMs(now);
    if (pollMs !== undefined) this.#pollMs = Math.min(pollMs, this.#pollMs ?? pollMs);
    const atMonotonicMs = Math.min(
      this.#consensusTimerMs ?? Number.POSITIVE_INFINITY,
      this.#pollMs ?? Number.POSITIVE_INFINITY,
    );
    if (atMonotonicMs === Number.POSITIVE_INFINITY || atMonotonicMs === this.#timerMs) return;
    this.#timerMs = atMonotonicMs;
    effects.push({ kind: 'set-timer', atMonotonicMs });
  }

  /** From the end of the epoch on, by the clock or by what was ordered, until the next begins. */
  #nextPollMs(now: Instant): number | undefined {
    if (this.#peers === 0) return undefined;
    const { startMs } = this.#current.description.record;
    const durationMs = this.#setup.genesis.parameters.epochDurationMs;
    const leftMs = Number(epochEndMs({ startMs, durationMs })) - now.unixMs;
    const isOver = this.#othersAreAhead || this.#current.consensus.isEnding;
    return now.monotonicMs + this.#exchange.pollDelayMs + (isOver ? 0 : Math.max(0, leftMs));
  }
}

/** The machine of an epoch. */
export function runEpoch(
  setup: EpochsSetup,
  description: EpochDescription,
  restored: Restored,
): RunningEpoch {
  const { genesis, signer, verify, door, protocol } = setup;
  const { record, committee } = description;
  const start = versionedStart(description.start, protocol.versionOf(record.epoch));
  const self = signer === undefined ? undefined : seatOfKey(description, signer.publicKey);
  const context: ConsensusContext = {
    chainId: genesis.chainId,
    epoch: record.epoch,
    start,
    beacon: record.beacon,
    committee,
    self,
    signer: self === undefined ? undefined : signer,
    parameters: genesis.parameters,
    verify,
    door,
    startMs: record.startMs,
    takeBatch: (maxBytes) => setup.takeBatch(maxBytes),
    ownStore: setup.ownStore,
  };
  return { description, consensus: new Consensus(context, restored) };
}

function validatorOf(genesis: Genesis, signer: Signer | undefined): ValidatorIndex | undefined {
  if (signer === undefined) return undefined;
  const index = genesis.validators.findIndex((v) => equalBytes(v.publicKey, signer.publicKey));
  return index < 0 ? undefined : toValidatorIndex(index);
}

/** Undefined for a message that no epoch can read; consensus counts it as refused. */
function opened(bytes: Uint8Array): ReturnType<typeof openMessage> | undefined {
  try {
    return openMessage(bytes);
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
}

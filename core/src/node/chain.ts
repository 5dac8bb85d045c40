/**
 * How a node comes by waves: from the DAG of its epoch, or, when it was away too long for that, from
 * those who executed them. Outside there is no difference: waves are committed, executed in order
 * and reported. It also serves executed waves to others.
 */
import { isPydeError, readU64AsNumber } from '../bytes/index.ts';
import {
  frameMessage,
  isMessageOf,
  type MessageKind,
  openMessage,
  TAG_BYTES,
} from '../consensus/index.ts';
import type { Committee } from '../finality/index.ts';
import type { Instant } from '../platform/index.ts';
import type { WaveServer } from '../sync/index.ts';
import type {
  Address,
  Epoch,
  Hash,
  MemberIndex,
  ValidatorIndex,
  WaveCommitRecord,
} from '../types/index.ts';
import type { CatchUp, CatchUpEffect, CatchUpPhase } from './catch-up.ts';
import type { Epochs, EpochsEffect, EpochsEvent } from './epochs.ts';
import type { NodeChain } from './node-chain.ts';
import type { ValidatorMessage } from './node-events.ts';

export type ChainEvent =
  | EpochsEvent
  /** The waves that were not reported yet came out otherwise than certified: none was written. */
  | { readonly kind: 'waves-refused' };

export type ChainEffect = EpochsEffect;

interface Head {
  readonly record: WaveCommitRecord;
  readonly digest: Hash;
}

/** How often it is asked whether the node was left behind. */
const LOOK_MS = 100;
/** Of `epoch` and `round` in an encoded vertex. */
const EPOCH_OFFSET = 8;
const ROUND_OFFSET = 16;
const PLACE_BYTES = 24;

export class Chain implements NodeChain {
  readonly forwards = 'to-home';
  readonly #epochs: Epochs;
  readonly #catchUp: CatchUp;
  readonly #server: WaveServer;
  #head: Head;
  /** Committed and not reported as executed. */
  #outstanding = 0;
  /** Left behind: nothing more is taken in, and what was committed is being executed. */
  #isLeaving = false;
  /** Synced waves that were reported, until all handed out with them are. */
  #done: Head[] = [];
  #timerMs: number | undefined;
  #lookMs = 0;

  /** @param isJoining the last run ended in the middle of catching up */
  constructor(
    epochs: Epochs,
    catchUp: CatchUp,
    server: WaveServer,
    { head, isJoining }: { readonly head: Head; readonly isJoining: boolean },
  ) {
    this.#epochs = epochs;
    this.#catchUp = catchUp;
    this.#server = server;
    this.#head = head;
    this.#isLeaving = isJoining;
  }

  get epoch(): Epoch {
    return this.#epochs.epoch;
  }

  /** Whether the node follows vertices, or catches up with waves or the DAG. */
  get phase(): CatchUpPhase {
    return this.#catchUp.phase;
  }

  /** See `Epochs.homeOf`. */
  homeOf(from: Address, asked = 0): ValidatorIndex | undefined {
    return this.#epochs.homeOf(from, asked);
  }

  /** See `Epochs.takesIn`. */
  takesIn(from: Address, asked: number): boolean {
    return this.#epochs.takesIn(from, asked);
  }

  /** Is this node a member of the current epoch? */
  get hasSeat(): boolean {
    return this.#epochs.hasSeat;
  }

  /** This node's seat in the current epoch or the one before. */
  seatIn(epoch: number): MemberIndex | undefined {
    return this.#epochs.seatIn(epoch);
  }

  /** Of the current epoch and the one before. */
  committeeOf(epoch: number): Committee | undefined {
    return this.#epochs.committeeOf(epoch);
  }

  /** The anchor's seat, of the current epoch and the one before. */
  anchorOf(epoch: number, round: number): MemberIndex | undefined {
    return this.#epochs.anchorOf(epoch, round);
  }

  /** See `Consensus.prepare`. */
  prepare(): boolean {
    return this.#isFollowing && this.#epochs.consensus.prepare();
  }

  step(event: ChainEvent, now: Instant): ChainEffect[] {
    const effects: ChainEffect[] = [];
    if (event.kind === 'message') this.#message(event, now, effects);
    else if (event.kind === 'vertices') this.#vertices(event, now, effects);
    else if (event.kind === 'wave-executed') this.#executed(event, now, effects);
    else if (event.kind === 'waves-refused') this.#refused(now, effects);
    else if (event.kind === 'timer' && !this.#isFollowing) {
      this.#timerMs = undefined;
      this.#carry(this.#catchUp.timer(now), now, effects);
    } else if (this.#isFollowing) this.#follow(event, now, effects);
    this.#leaveIfBehind(now, effects);
    const { timerMs } = this.#catchUp;
    if (timerMs !== undefined && timerMs !== this.#timerMs) {
      this.#timerMs = timerMs;
      effects.push({ kind: 'set-timer', atMonotonicMs: timerMs });
    }
    return effects;
  }

  get #isFollowing(): boolean {
    return this.#catchUp.phase === 'following' && !this.#isLeaving;
  }

  #follow(event: EpochsEvent, now: Instant, effects: ChainEffect[]): void {
    for (const effect of this.#epochs.step(event, now)) {
      if (effect.kind === 'commit') this.#outstanding++;
      effects.push(effect);
    }
  }

  #message(
    event: Extract<ChainEvent, { kind: 'message' }>,
    now: Instant,
    effects: ChainEffect[],
  ): void {
    if (this.#isFollowing && isMessageOf('vertex', event.bytes)) {
      this.#saw(event);
      this.#follow(event, now, effects);
      return;
    }
    const message = opened(event.bytes);
    if (message?.kind === 'want-waves') {
      const answer = this.#answer(event.from, message.bytes, now);
      if (answer !== undefined) effects.push({ kind: 'send', peer: event.from, message: answer });
      return;
    }
    if (message?.kind === 'vertex') this.#saw(event);
    if (this.#isFollowing) this.#follow(event, now, effects);
    else if (message !== undefined) {
      const { kind, bytes } = message;
      this.#carry(this.#catchUp.message(kind, event.from, bytes, now), now, effects);
    }
  }

  #vertices(
    event: Extract<ChainEvent, { kind: 'vertices' }>,
    now: Instant,
    effects: ChainEffect[],
  ): void {
    if (!this.#isFollowing) {
      for (const message of event.messages) {
        this.#message({ kind: 'message', ...message }, now, effects);
      }
      return;
    }
    for (const message of event.messages) this.#saw(message);
    this.#follow(event, now, effects);
  }

  /** Notes what place the vertex of a message claims. */
  #saw({ from, bytes }: ValidatorMessage): void {
    if (bytes.length < TAG_BYTES + PLACE_BYTES) return;
    const epoch = readU64AsNumber(bytes, TAG_BYTES + EPOCH_OFFSET);
    const round = readU64AsNumber(bytes, TAG_BYTES + ROUND_OFFSET);
    this.#catchUp.saw(from, epoch, round);
  }

  #answer(peer: number, bytes: Uint8Array, now: Instant): Uint8Array | undefined {
    try {
      const waves = this.#server.answer(peer, bytes, now.monotonicMs);
      return waves === undefined ? undefined : frameMessage('waves', waves);
    } catch (error) {
      // A question that is none; a damaged store is found by whoever executes.
      if (isPydeError(error) && error.code.startsWith('borsh.')) return undefined;
      throw error;
    }
  }

  #executed(
    event: Extract<ChainEvent, { kind: 'wave-executed' }>,
    now: Instant,
    effects: ChainEffect[],
  ): void {
    this.#outstanding--;
    this.#head = event;
    if (this.#catchUp.phase === 'following') {
      this.#follow(event, now, effects);
      return;
    }
    this.#done.push(event);
    if (this.#outstanding === 0) this.#report(now, effects);
  }

  #refused(now: Instant, effects: ChainEffect[]): void {
    this.#outstanding = 0;
    this.#report(now, effects);
  }

  #report(now: Instant, effects: ChainEffect[]): void {
    const done = this.#done;
    this.#done = [];
    this.#carry(this.#catchUp.executed(done, now), now, effects);
  }

  #leaveIfBehind(now: Instant, effects: ChainEffect[]): void {
    if (this.#catchUp.phase !== 'following') return;
    if (!this.#isLeaving && now.monotonicMs >= this.#lookMs) {
      this.#lookMs = now.monotonicMs + LOOK_MS;
      const { highestRound } = this.#epochs.consensus.status;
      const wave = this.#head.record.waveId;
      const progress = { epoch: this.#epochs.epoch, round: highestRound, wave };
      this.#isLeaving = this.#catchUp.isLeftBehind(progress, now.monotonicMs);
    }
    if (!this.#isLeaving || this.#outstanding > 0) return;
    this.#isLeaving = false;
    this.#carry(this.#catchUp.begin(this.#head, now), now, effects);
  }

  #carry(from: readonly CatchUpEffect[], now: Instant, effects: ChainEffect[]): void {
    for (const effect of from) {
      if (effect.kind === 'execute') {
        this.#outstanding += effect.waves.length;
        for (const wave of effect.waves) effects.push({ kind: 'commit', wave });
      } else if (effect.kind === 'rejoin') {
        this.#timerMs = undefined;
        effects.push(...this.#epochs.rejoin(this.#head, effect.vertices ?? [], now));
      } else effects.push(effect);
    }
  }
}

/** Undefined for a message that nobody can read; consensus counts it as refused. */
function opened(
  bytes: Uint8Array,
): { readonly kind: MessageKind; readonly bytes: Uint8Array } | undefined {
  try {
    return openMessage(bytes);
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
}

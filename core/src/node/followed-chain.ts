/**
 * The chain of a node without a key (design/light-client.md, "Full replay"): it hears certificates by
 * gossip, fetches the waves that they cover from any peers, executes them and compares each with its
 * certified record. Near the head that is one question a certificate (`HeadFollow`); further away,
 * after a pause of hours or over the ends of epochs, records first and then waves (`WaveSync`).
 *
 * Peers are anybody: none is believed, none is shut out for good, and a single one that answers truly
 * is enough. Nothing is executed that no certificate covers, and certificates count against a
 * committee that was handed over from a trusted one. A node that hears nothing asks by itself.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import { ConsensusRecords, TAG_BYTES } from '../consensus/index.ts';
import { readWaveRecord } from '../execution/index.ts';
import type { Committee } from '../finality/index.ts';
import type { Instant, KeyValueStore, VerifySignatures } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import {
  committeeAfter,
  HeadFollow,
  type HeadFollowEffect,
  PeerRanking,
  QuestionPace,
  type SyncedWave,
  WaveSync,
  type WaveSyncEffect,
} from '../sync/index.ts';
import {
  type Epoch,
  type Genesis,
  type HardFinalityCert,
  type Hash,
  type MemberIndex,
  type PeerNumber,
  toPeerNumber,
  type ValidatorIndex,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { type EpochRecord, genesisEpoch, readEpochState } from '../validators/index.ts';
import type { CatchUpPhase } from './catch-up.ts';
import type { ChainEvent } from './chain.ts';
import { describeEpoch, type EpochDescription } from './epoch-description.ts';
import type { NodeChain, NodeChainEffect, PeerEvent } from './node-chain.ts';
import { WaveOrdering } from './wave-ordering.ts';

export interface FollowedChainSetup {
  readonly genesis: Genesis;
  readonly store: KeyValueStore;
  /** As of the newest executed wave. */
  readonly state: StateReader;
  readonly verify: VerifySignatures;
}

interface Head {
  readonly record: WaveCommitRecord;
  readonly digest: Hash;
}

interface Postponed {
  readonly peer: number;
  readonly question: Uint8Array;
  readonly atMs: number;
}

interface HeldCert {
  readonly cert: HardFinalityCert;
  readonly digest: Hash;
}

/** From the last news to a question whether there is any, doubled while there is none. */
export const FIRST_POLL_MS = 3_000;
export const LAST_POLL_MS = 30_000;
/** Between two rounds of questions, whatever is heard. */
const ROUND_REST_MS = 1_000;
/** A certificate of a wave further ahead is reached by records. */
const NEAR_WAVES = 32n;
/** Heard, and of waves that are not executed yet; of more, the newest are kept. */
const MAX_CERTS = 64;
/** Peers that are asked; a platform has fewer connections. */
export const MAX_PEERS = 1_024;

export class FollowedChain implements NodeChain {
  readonly forwards = 'to-all';
  readonly hasSeat = false;
  readonly #setup: FollowedChainSetup;
  readonly #ranking = new PeerRanking([]);
  readonly #pace = new QuestionPace();
  readonly #follow: HeadFollow;
  readonly #ordering: WaveOrdering;
  /** Catching up by records; else certificates are followed. */
  #waves: WaveSync | undefined;
  /** Something lies too far ahead, and what was handed out is being executed first. */
  #isTooFar = false;
  #head: Head;
  /** Of the epoch of the next wave, of the one before, and of the next as soon as it is certified. */
  readonly #committees = new Map<number, Committee>();
  #descriptions: readonly EpochDescription[] = [];
  readonly #certs = new Map<bigint, HeldCert>();
  /** Of the certificate that was kept last. */
  #keptWave = 0n;
  /** Handed out and not reported as executed. */
  #outstanding = 0;
  /** Of a round by records, those that were, until all are. */
  #done: Head[] = [];
  #asked: { readonly peer: number; readonly ticket: number } | undefined;
  /** Of a round by records: waits until its peer may be asked again. */
  #postponed: Postponed | undefined;
  #nextTicket = 0;
  #wavesTimerMs: number | undefined;
  #pollMs = Number.POSITIVE_INFINITY;
  #pollDelayMs = FIRST_POLL_MS;
  #notBeforeMs = 0;
  /** Of the head when the round began. */
  #roundWave = 0n;
  #timerMs: number | undefined;

  constructor(setup: FollowedChainSetup, head: Head) {
    this.#setup = setup;
    this.#head = head;
    const ranking = this.#ranking;
    this.#follow = new HeadFollow({ ranking, pace: this.#pace, head: head.record });
    const { startMs } = this.#readEpochs();
    this.#ordering = new WaveOrdering(setup.genesis.parameters.epochDurationMs, startMs);
  }

  /** That of the next wave. */
  get epoch(): Epoch {
    const [current] = this.#descriptions;
    invariant(current !== undefined, 'the epoch of the next wave is known');
    return current.record.epoch;
  }

  get phase(): CatchUpPhase {
    const isBehind = this.#waves !== undefined && this.#waves.verifiedWave > this.#headWave;
    return isBehind ? 'waves' : 'following';
  }

  /** Peers that can be asked now. */
  get peers(): number {
    return this.#ranking.size;
  }

  /** Newest wave of which a certificate was heard, executed or not. */
  get heardWave(): bigint {
    const heard = [this.#headWave, this.#waves?.verifiedWave ?? 0n, ...this.#certs.keys()];
    return heard.reduce((a, b) => (a > b ? a : b));
  }

  homeOf(): ValidatorIndex | undefined {
    return undefined;
  }

  takesIn(): boolean {
    return false;
  }

  seatIn(): MemberIndex | undefined {
    return undefined;
  }

  prepare(): boolean {
    return false;
  }

  anchorOf(epoch: number, round: number): MemberIndex | undefined {
    const found = this.#descriptions.find(({ record }) => record.epoch === epoch);
    return round >= 1 ? found?.schedule.anchorOf(round) : undefined;
  }

  committeeOf(epoch: number): Committee | undefined {
    return this.#committees.get(epoch);
  }

  step(event: ChainEvent, now: Instant): NodeChainEffect[] {
    const effects: NodeChainEffect[] = [];
    switch (event.kind) {
      case 'start':
        this.#pollMs = now.monotonicMs;
        break;
      case 'timer':
        this.#timer(now, effects);
        break;
      case 'wave-executed':
        this.#executed(event, now, effects);
        break;
      case 'waves-refused':
        this.#refused(now, effects);
        break;
      // Those of members, who have nothing to say to a node without a key.
      case 'message':
      case 'vertices':
      case 'connected':
      case 'work':
        break;
      default:
        event satisfies never;
    }
    this.#conclude(now, effects);
    return effects;
  }

  peer(event: PeerEvent, now: Instant): NodeChainEffect[] {
    const effects: NodeChainEffect[] = [];
    switch (event.kind) {
      case 'peer-connected':
        this.#connected(event.peer, now, effects);
        break;
      case 'peer-disconnected':
        this.#disconnected(event.peer, now, effects);
        break;
      case 'answer':
        this.#answered(event, now, effects);
        break;
      case 'cert':
        this.#heard(event, now, effects);
        break;
      case 'later-epoch':
        this.#pollMs = Math.min(this.#pollMs, now.monotonicMs);
        break;
      default:
        event satisfies never;
    }
    this.#conclude(now, effects);
    return effects;
  }

  get #headWave(): bigint {
    return this.#head.record.waveId;
  }

  #connected(peer: PeerNumber, now: Instant, effects: NodeChainEffect[]): void {
    if (this.#ranking.size >= MAX_PEERS) return;
    this.#ranking.add(peer);
    // Whoever just came may be the first, or the first that tells the truth.
    if (this.#ranking.size === 1) this.#pollMs = Math.min(this.#pollMs, now.monotonicMs);
    if (this.#waves === undefined) this.#carry(this.#follow.advance(now.monotonicMs), effects);
  }

  #disconnected(peer: PeerNumber, now: Instant, effects: NodeChainEffect[]): void {
    this.#ranking.remove(peer);
    this.#pace.remove(peer);
    if (this.#postponed?.peer === peer) this.#postponed = undefined;
    if (this.#asked?.peer === peer) this.#asked = undefined;
    if (this.#waves === undefined) {
      this.#carry(this.#follow.gone(peer, now.monotonicMs), effects);
    } else this.#carryWaves(this.#waves.failed(peer, now), now, effects);
  }

  #answered(
    { peer, ticket, bytes }: Extract<PeerEvent, { kind: 'answer' }>,
    now: Instant,
    effects: NodeChainEffect[],
  ): void {
    if (this.#asked?.ticket !== ticket || this.#asked.peer !== peer) return;
    this.#asked = undefined;
    const { monotonicMs } = now;
    if (this.#waves === undefined) {
      this.#carry(this.#follow.answer(peer, bytes, monotonicMs), effects);
    } else if (bytes === undefined) this.#carryWaves(this.#waves.failed(peer, now), now, effects);
    else this.#carryWaves(this.#waves.receive(peer, bytes, now), now, effects);
  }

  /** A certificate that holds. */
  #heard({ cert, digest }: HeldCert, now: Instant, effects: NodeChainEffect[]): void {
    const { record } = cert;
    const { waveId } = record;
    if (waveId <= this.#headWave) {
      this.#keepLate({ cert, digest }, effects);
      return;
    }
    // Members of an epoch that is over certify nothing that comes after it, nor who does.
    if (record.epoch < this.epoch) return;
    if (record.nextCommitteeHash !== undefined) this.#knowNext(record);
    this.#certs.set(waveId, { cert, digest });
    if (this.#certs.size > MAX_CERTS) {
      const oldest = [...this.#certs.keys()].reduce((a, b) => (a < b ? a : b));
      this.#certs.delete(oldest);
    }
    this.#news(now);
    // A round that has found nothing so far gives way to what is known to be near.
    const isIdle = this.#waves?.verifiedWave === this.#headWave;
    if (isIdle && this.#isNear(waveId)) this.#endRound(now, effects);
    else if (this.#waves === undefined) this.#target(waveId, digest, now, effects);
  }

  /** Of a wave that is executed: to be served, if none is kept of it. */
  #keepLate({ cert, digest }: HeldCert, effects: NodeChainEffect[]): void {
    const { store } = this.#setup;
    const { epoch, waveId } = cert.record;
    const records = new ConsensusRecords(store, epoch);
    const own = readWaveRecord(store, waveId);
    if (own === undefined || records.hasCert(waveId)) return;
    const head = { record: own, digest: waveDigest(own) };
    if (!this.#contradicts(head, digest, effects)) this.#keep(cert, effects);
  }

  #keep(cert: HardFinalityCert, effects: NodeChainEffect[]): void {
    const records = new ConsensusRecords(this.#setup.store, cert.record.epoch);
    this.#keptWave = cert.record.waveId;
    effects.push({ kind: 'persist', writes: [records.putCert(cert)], sync: false });
    effects.push({ kind: 'certified', cert });
  }

  #executed(head: Head, now: Instant, effects: NodeChainEffect[]): void {
    this.#outstanding--;
    this.#head = head;
    const { record } = head;
    if (record.nextBeacon !== undefined) this.#readEpochs();
    this.#news(now);
    const held = this.#certs.get(record.waveId);
    for (const wave of this.#certs.keys()) if (wave <= record.waveId) this.#certs.delete(wave);
    if (held !== undefined && !this.#contradicts(head, held.digest, effects)) {
      this.#keep(held.cert, effects);
    }
    if (this.#waves === undefined) {
      this.#carry(this.#follow.executed(record, now.monotonicMs), effects);
      return;
    }
    this.#done.push(head);
    if (this.#outstanding === 0) this.#report(this.#waves, now, effects);
  }

  /** Two certificates for two results of one wave: a quorum signs anything, or the store is bad. */
  #contradicts(own: Head, digest: Hash, effects: NodeChainEffect[]): boolean {
    if (equalBytes(own.digest, digest)) return false;
    const reason =
      `wave ${own.record.waveId} is certified with another result than this node has; its store ` +
      'is at fault, or more than a third of the committee is';
    effects.push({ kind: 'halt', reason });
    return true;
  }

  /** What was handed out and not executed made other records than the certified ones. */
  #refused(now: Instant, effects: NodeChainEffect[]): void {
    this.#outstanding = 0;
    this.#ordering.restart(this.#readEpochs().startMs);
    if (this.#waves !== undefined) {
      this.#report(this.#waves, now, effects);
      return;
    }
    this.#carry(this.#follow.refused(now.monotonicMs), effects);
    this.#followHeard(now, effects);
  }

  #report(waves: WaveSync, now: Instant, effects: NodeChainEffect[]): void {
    const done = this.#done;
    this.#done = [];
    this.#carryWaves(waves.executed(done, now), now, effects);
  }

  #timer(now: Instant, effects: NodeChainEffect[]): void {
    this.#timerMs = undefined;
    const postponed = this.#postponed;
    if (postponed !== undefined && now.monotonicMs >= postponed.atMs) {
      this.#askInTime(postponed.peer, postponed.question, now, effects);
    }
    if (this.#waves === undefined) {
      this.#carry(this.#follow.advance(now.monotonicMs), effects);
    } else if (this.#wavesTimerMs !== undefined && now.monotonicMs >= this.#wavesTimerMs) {
      this.#wavesTimerMs = undefined;
      this.#carryWaves(this.#waves.timer(now), now, effects);
    }
  }

  #carry(from: readonly HeadFollowEffect[], effects: NodeChainEffect[]): void {
    for (const effect of from) {
      switch (effect.kind) {
        case 'ask':
          this.#ask(effect.peer, effect.question, effects);
          break;
        case 'execute':
          this.#execute(effect.waves, effects);
          break;
        case 'too-far':
          this.#isTooFar = true;
          break;
        default:
          effect satisfies never;
      }
    }
  }

  #carryWaves(from: readonly WaveSyncEffect[], now: Instant, effects: NodeChainEffect[]): void {
    for (const effect of from) {
      switch (effect.kind) {
        case 'send':
          this.#askInTime(effect.peer, effect.message.subarray(TAG_BYTES), now, effects);
          break;
        case 'set-timer':
          this.#wavesTimerMs = effect.atMonotonicMs;
          break;
        case 'keep-cert':
          if (!this.#isKept(effect.cert)) this.#keep(effect.cert, effects);
          break;
        case 'execute':
          this.#execute(effect.waves, effects);
          break;
        case 'caught-up':
          this.#endRound(now, effects);
          break;
        case 'halt':
          effects.push(effect);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  /** At the pace that the peer allows; whoever asks waits longer than that. */
  #askInTime(peer: number, question: Uint8Array, now: Instant, effects: NodeChainEffect[]): void {
    const atMs = this.#pace.readyMs(peer, now.monotonicMs);
    if (atMs > now.monotonicMs) {
      this.#asked = undefined;
      this.#postponed = { peer, question, atMs };
      return;
    }
    this.#postponed = undefined;
    this.#pace.spend(peer, now.monotonicMs);
    this.#ask(peer, question, effects);
  }

  #ask(peer: number, question: Uint8Array, effects: NodeChainEffect[]): void {
    const ticket = this.#nextTicket++;
    this.#asked = { peer, ticket };
    effects.push({ kind: 'ask', peer: toPeerNumber(peer), ticket, protocol: 'waves', question });
  }

  #execute(waves: readonly SyncedWave[], effects: NodeChainEffect[]): void {
    this.#outstanding += waves.length;
    for (const wave of waves) {
      effects.push({ kind: 'commit', wave: this.#ordering.ordered(wave) });
    }
  }

  /** It was heard too, and kept when its wave was executed. */
  #isKept({ record }: HardFinalityCert): boolean {
    if (record.waveId === this.#keptWave) return true;
    return new ConsensusRecords(this.#setup.store, record.epoch).hasCert(record.waveId);
  }

  #conclude(now: Instant, effects: NodeChainEffect[]): void {
    this.#beginRound(now, effects);
    for (const { peer, offence } of this.#ranking.takeOffences()) {
      effects.push({ kind: 'report', peer: toPeerNumber(peer), offence });
    }
    const timerMs = this.#nextTimerMs;
    if (timerMs === undefined || timerMs === this.#timerMs) return;
    this.#timerMs = timerMs;
    effects.push({ kind: 'set-timer', atMonotonicMs: timerMs });
  }

  get #nextTimerMs(): number | undefined {
    const isRound = this.#waves !== undefined;
    const times = isRound
      ? [this.#wavesTimerMs, this.#postponed?.atMs]
      : [this.#follow.timerMs, this.#roundMs];
    const set = times.filter((ms) => ms !== undefined);
    return set.length === 0 ? undefined : Math.min(...set);
  }

  /** When the next round by records may begin. */
  get #roundMs(): number | undefined {
    if (this.#ranking.size === 0 || this.#outstanding > 0) return undefined;
    return this.#isTooFar ? this.#notBeforeMs : Math.max(this.#pollMs, this.#notBeforeMs);
  }

  #beginRound(now: Instant, effects: NodeChainEffect[]): void {
    const roundMs = this.#roundMs;
    if (this.#waves !== undefined || roundMs === undefined || now.monotonicMs < roundMs) return;
    const { genesis, verify } = this.#setup;
    const committee = this.#committees.get(this.epoch);
    invariant(committee !== undefined, 'the committee of the next wave is known');
    this.#isTooFar = false;
    this.#asked = undefined;
    this.#roundWave = this.#headWave;
    this.#follow.restart(this.#head.record);
    this.#waves = new WaveSync({
      chainId: genesis.chainId,
      verify,
      peers: [],
      anonymous: this.#ranking,
      head: this.#head,
      committee,
      nextCommittee: (closing) => this.#knowNext(closing),
    });
    this.#carryWaves(this.#waves.start(now), now, effects);
  }

  #endRound(now: Instant, effects: NodeChainEffect[]): void {
    this.#waves = undefined;
    this.#wavesTimerMs = undefined;
    this.#postponed = undefined;
    this.#asked = undefined;
    const hasNews = this.#headWave > this.#roundWave;
    this.#pollDelayMs = hasNews ? FIRST_POLL_MS : Math.min(2 * this.#pollDelayMs, LAST_POLL_MS);
    this.#pollMs = now.monotonicMs + this.#pollDelayMs;
    this.#notBeforeMs = now.monotonicMs + ROUND_REST_MS;
    this.#follow.restart(this.#head.record);
    this.#followHeard(now, effects);
  }

  /** Certificates that were heard meanwhile are followed. */
  #followHeard(now: Instant, effects: NodeChainEffect[]): void {
    for (const { cert, digest } of this.#certs.values()) {
      this.#target(cert.record.waveId, digest, now, effects);
    }
  }

  #target(waveId: bigint, digest: Hash, now: Instant, effects: NodeChainEffect[]): void {
    if (!this.#isNear(waveId)) this.#isTooFar = true;
    else this.#carry(this.#follow.heard({ waveId, digest }, now.monotonicMs), effects);
  }

  #isNear(waveId: bigint): boolean {
    return waveId <= this.#headWave + BigInt(this.#outstanding) + NEAR_WAVES;
  }

  #news(now: Instant): void {
    this.#pollDelayMs = FIRST_POLL_MS;
    this.#pollMs = now.monotonicMs + FIRST_POLL_MS;
  }

  /** @param closing is certified */
  #knowNext(closing: WaveCommitRecord): Committee {
    const committee = committeeAfter(closing, this.#setup.genesis);
    this.#committees.set(committee.epoch, committee);
    return committee;
  }

  /** The epoch of the wave after the newest executed one, and the one before it. */
  #readEpochs(): EpochRecord {
    const { genesis, state, store } = this.#setup;
    const isFirst = this.#headWave === 0n;
    const epochs = isFirst ? undefined : readEpochState(state);
    invariant(isFirst || epochs !== undefined, 'wave 1 wrote the epoch');
    const current = epochs?.current ?? genesisEpoch(genesis);
    const known = [current, epochs?.previous].filter((record) => record !== undefined);
    this.#descriptions = known.flatMap((record) => describeEpoch(store, genesis, record) ?? []);
    for (const { record, committee } of this.#descriptions) {
      this.#committees.set(record.epoch, committee);
    }
    for (const epoch of this.#committees.keys()) {
      if (epoch < current.epoch - 1) this.#committees.delete(epoch);
    }
    return current;
  }
}

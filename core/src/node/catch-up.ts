/**
 * When a node cannot follow by vertices any more, and how it comes back (design/consensus.md,
 * "Waves"): it follows executed waves (`sync`), then fetches the ancestries of the last committed
 * anchors and goes on in the DAG with these marked as emitted. While it does, consensus rests.
 *
 * It is set off by f + 1 validators that are further than one GC window ahead, or ahead at all while
 * nothing moves here: one of them is honest. Whoever sends a vertex is as far as its round, or has
 * it from somebody who is; lies of f change nothing.
 */
import { invariant } from '../bytes/index.ts';
import {
  type CommittedWave,
  ConsensusRecords,
  gcRoundAfter,
  joiningMark,
  type StoredVertex,
} from '../consensus/index.ts';
import { readWaveRecord } from '../execution/index.ts';
import { maxFaulty } from '../finality/index.ts';
import type { Instant, KeyValueStore, StoreWrite, VerifySignatures } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import {
  committeeAfter,
  DagJoin,
  type DagJoinEffect,
  type SyncedWave,
  WaveSync,
  type WaveSyncEffect,
} from '../sync/index.ts';
import {
  type Genesis,
  type Hash,
  toValidatorIndex,
  type ValidatorIndex,
  type WaveCommitRecord,
  type WeakParentRef,
} from '../types/index.ts';
import { type EpochRecord, genesisEpoch, readEpochState } from '../validators/index.ts';
import { describeEpoch, type EpochDescription } from './epoch-description.ts';
import { WaveOrdering } from './wave-ordering.ts';

export interface CatchUpSetup {
  readonly genesis: Genesis;
  readonly store: KeyValueStore;
  /** As of the newest executed wave. */
  readonly state: StateReader;
  readonly verify: VerifySignatures;
  /** All validators but this one. */
  readonly peers: readonly ValidatorIndex[];
}

interface Head {
  readonly record: WaveCommitRecord;
  readonly digest: Hash;
}

/** How far this node is by itself. */
export interface Progress {
  readonly epoch: number;
  /** The highest round accepted in that epoch. */
  readonly round: number;
  readonly wave: bigint;
}

export type CatchUpEffect =
  | { readonly kind: 'persist'; readonly writes: readonly StoreWrite[]; readonly sync: boolean }
  | { readonly kind: 'send'; readonly peer: ValidatorIndex; readonly message: Uint8Array }
  | { readonly kind: 'execute'; readonly waves: readonly CommittedWave[] }
  /**
   * Consensus goes on from the newest executed wave. The vertices are what earlier waves of its epoch
   * carried; undefined for an epoch that has no wave yet.
   */
  | { readonly kind: 'rejoin'; readonly vertices: readonly StoredVertex[] | undefined }
  | { readonly kind: 'halt'; readonly reason: string };

export type CatchUpPhase = 'following' | 'waves' | 'joining';

/** Ahead, while nothing moved here for so long: what is needed is served by nobody any more. */
export const STALLED_MS = 6_000;
/** From one end of catching up to the next beginning, doubled when it brought nothing. */
const FIRST_REST_MS = 1_000;
const LAST_REST_MS = 30_000;

export class CatchUp {
  readonly #setup: CatchUpSetup;
  /** Newest (epoch, round) of a vertex that each validator sent. */
  readonly #seen = new Map<ValidatorIndex, { epoch: number; round: number }>();
  #waves: WaveSync | undefined;
  #join: DagJoin | undefined;
  #ordering: WaveOrdering | undefined;
  #head: Head | undefined;
  #firstWave = 0n;
  #timerMs: number | undefined;
  #progress: Progress | undefined;
  #progressMs = 0;
  #notBeforeMs = 0;
  #restMs = FIRST_REST_MS;

  constructor(setup: CatchUpSetup) {
    this.#setup = setup;
  }

  get phase(): CatchUpPhase {
    if (this.#waves !== undefined) return 'waves';
    return this.#join === undefined ? 'following' : 'joining';
  }

  /** When {@link timer} is to be called. */
  get timerMs(): number | undefined {
    return this.#timerMs;
  }

  /** A validator sent a vertex of this place. */
  saw(peer: ValidatorIndex, epoch: number, round: number): void {
    const known = this.#seen.get(peer);
    if (known === undefined) this.#seen.set(peer, { epoch, round });
    else if (epoch > known.epoch || (epoch === known.epoch && round > known.round)) {
      known.epoch = epoch;
      known.round = round;
    }
  }

  /** Is it time to follow waves instead of vertices? To be asked after whatever may move the node. */
  isLeftBehind(progress: Progress, nowMs: number): boolean {
    const last = this.#progress;
    const hasMoved =
      last === undefined ||
      last.wave !== progress.wave ||
      last.epoch !== progress.epoch ||
      last.round !== progress.round;
    if (hasMoved) {
      this.#progress = progress;
      this.#progressMs = nowMs;
    }
    if (nowMs < this.#notBeforeMs) return false;
    const { gcRounds } = this.#setup.genesis.parameters;
    const far = { epoch: progress.epoch, round: progress.round + gcRounds };
    if (this.#hasWitnesses((seen) => seen.epoch > progress.epoch + 1)) return true;
    if (this.#hasWitnesses((seen) => seen.epoch === far.epoch && seen.round > far.round))
      return true;
    if (nowMs < this.#progressMs + STALLED_MS) return false;
    return this.#hasWitnesses((seen) => isAfter(seen, { ...progress, round: progress.round + 2 }));
  }

  #hasWitnesses(isAhead: (seen: { epoch: number; round: number }) => boolean): boolean {
    let ahead = 0;
    for (const seen of this.#seen.values()) if (isAhead(seen)) ahead++;
    return ahead > maxFaulty(this.#setup.genesis.validators.length);
  }

  /** Starts to follow waves from the newest executed one; nothing is being executed. */
  begin(head: Head, now: Instant): CatchUpEffect[] {
    invariant(this.phase === 'following', 'one catching up at a time');
    this.#firstWave = head.record.waveId;
    const mark = joiningMark(this.#setup.store, true);
    return [{ kind: 'persist', writes: [mark], sync: false }, ...this.#followWaves(head, now)];
  }

  timer(now: Instant): CatchUpEffect[] {
    if (this.#timerMs === undefined || now.monotonicMs < this.#timerMs) return [];
    this.#timerMs = undefined;
    if (this.#waves !== undefined) return this.#carryWaves(this.#waves.timer(now), now);
    return this.#join === undefined ? [] : this.#carryJoin(this.#join.timer(now), now);
  }

  message(kind: string, peer: ValidatorIndex, bytes: Uint8Array, now: Instant): CatchUpEffect[] {
    if (kind === 'waves' && this.#waves !== undefined) {
      return this.#carryWaves(this.#waves.receive(peer, bytes, now), now);
    }
    if (this.#join === undefined) return [];
    if (kind === 'rounds') return this.#carryJoin(this.#join.rounds(peer, bytes, now), now);
    return kind === 'vertex' ? this.#carryJoin(this.#join.vertex(bytes, now), now) : [];
  }

  /** What became of the last `execute`. */
  executed(waves: readonly Head[], now: Instant): CatchUpEffect[] {
    this.#head = waves.at(-1) ?? this.#head;
    if (this.#waves === undefined) return [];
    // All that were handed out are reported: any that came out wrong are ordered anew.
    if (this.#head !== undefined) {
      this.#ordering?.restart(this.#epochAfter(this.#head.record).startMs);
    }
    return this.#carryWaves(this.#waves.executed(waves, now), now);
  }

  #followWaves(head: Head, now: Instant): CatchUpEffect[] {
    const { genesis, verify, peers } = this.#setup;
    const { record, committee } = this.#describe(this.#epochAfter(head.record));
    this.#head = head;
    const { epochDurationMs } = genesis.parameters;
    this.#ordering = new WaveOrdering(epochDurationMs, record.startMs);
    this.#join = undefined;
    this.#waves = new WaveSync({
      chainId: genesis.chainId,
      verify,
      peers,
      head,
      committee,
      nextCommittee: (closing) => committeeAfter(closing, genesis),
    });
    return this.#carryWaves(this.#waves.start(now), now);
  }

  #carryWaves(effects: readonly WaveSyncEffect[], now: Instant): CatchUpEffect[] {
    return effects.flatMap((effect): CatchUpEffect[] => {
      switch (effect.kind) {
        case 'send':
          return [{ ...effect, peer: toValidatorIndex(effect.peer) }];
        case 'set-timer':
          this.#timerMs = effect.atMonotonicMs;
          return [];
        case 'keep-cert': {
          const { store } = this.#setup;
          const records = new ConsensusRecords(store, effect.cert.record.epoch);
          return [{ kind: 'persist', writes: [records.putCert(effect.cert)], sync: false }];
        }
        case 'execute':
          return [{ kind: 'execute', waves: this.#ordered(effect.waves) }];
        case 'caught-up':
          this.#waves = undefined;
          return this.#joinDag(now);
        case 'halt':
          this.#waves = undefined;
          return [effect];
        default:
          return effect satisfies never;
      }
    });
  }

  #ordered(waves: readonly SyncedWave[]): CommittedWave[] {
    const ordering = this.#ordering;
    invariant(ordering !== undefined, 'waves are followed from the start of an epoch');
    return waves.map((wave) => ordering.ordered(wave));
  }

  #joinDag(now: Instant): CatchUpEffect[] {
    const head = this.#head?.record;
    invariant(head !== undefined, 'waves were followed from a head');
    // The next epoch begins at round 0, and so does the first.
    if (head.waveId === 0n || head.nextBeacon !== undefined) return this.#end(undefined, now);
    const { genesis, peers } = this.#setup;
    const description = this.#describe(this.#epochAfter(head));
    this.#join = new DagJoin({
      peers,
      anchors: this.#lastAnchors(head, description),
      gcRound: gcRoundAfter(head.anchorRound, genesis.parameters.gcRounds),
      size: description.committee.members.length,
    });
    return this.#carryJoin(this.#join.start(now), now);
  }

  #carryJoin(effects: readonly DagJoinEffect[], now: Instant): CatchUpEffect[] {
    return effects.flatMap((effect): CatchUpEffect[] => {
      switch (effect.kind) {
        case 'send':
          return [{ ...effect, peer: toValidatorIndex(effect.peer) }];
        case 'set-timer':
          this.#timerMs = effect.atMonotonicMs;
          return [];
        case 'joined':
          return this.#end(effect.vertices, now);
        case 'out-of-reach': {
          const head = this.#head;
          invariant(head !== undefined, 'waves were followed from a head');
          return this.#followWaves(head, now);
        }
        default:
          return effect satisfies never;
      }
    });
  }

  #end(vertices: readonly StoredVertex[] | undefined, now: Instant): CatchUpEffect[] {
    this.#waves = undefined;
    this.#join = undefined;
    this.#timerMs = undefined;
    const isNews = this.#head !== undefined && this.#head.record.waveId > this.#firstWave;
    this.#restMs = isNews ? FIRST_REST_MS : Math.min(2 * this.#restMs, LAST_REST_MS);
    this.#notBeforeMs = now.monotonicMs + this.#restMs;
    this.#progress = undefined;
    return [{ kind: 'rejoin', vertices }];
  }

  /** The anchors of the head and, if it lies one round below, of the wave before. */
  #lastAnchors(head: WaveCommitRecord, { schedule }: EpochDescription): WeakParentRef[] {
    const prior = readWaveRecord(this.#setup.store, head.waveId - 1n);
    const records = [head];
    if (prior?.epoch === head.epoch && prior.anchorRound === head.anchorRound - 1) {
      if (prior.anchorRound > 0) records.push(prior);
    }
    return records.map(({ anchorRound, anchorHash }) => ({
      round: anchorRound,
      author: schedule.anchorOf(anchorRound),
      name: anchorHash,
    }));
  }

  /** The epoch that the wave after the newest executed one is of. */
  #epochAfter({ waveId }: WaveCommitRecord): EpochRecord {
    const { genesis, state } = this.#setup;
    if (waveId === 0n) return genesisEpoch(genesis);
    const epochs = readEpochState(state);
    invariant(epochs !== undefined, 'wave 1 wrote the epoch');
    return epochs.current;
  }

  #describe(record: EpochRecord): EpochDescription {
    const description = describeEpoch(this.#setup.store, this.#setup.genesis, record);
    invariant(description !== undefined, 'the store holds the records of its waves');
    return description;
  }
}

const isAfter = (
  a: { readonly epoch: number; readonly round: number },
  b: { readonly epoch: number; readonly round: number },
): boolean => a.epoch > b.epoch || (a.epoch === b.epoch && a.round > b.round);

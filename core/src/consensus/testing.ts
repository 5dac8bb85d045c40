/**
 * What the tests of consensus share: committees with real keys, a stand-in for execution that keeps
 * the digest chain, and one member on a store in memory. DAGs as text: `testing/dag-text.ts`.
 */
import { concatBytes, invariant, u64LittleEndian } from '../bytes/index.ts';
import { blake3, FalconSigner, falconVerifyBatch } from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import type { Committee, Signer } from '../finality/index.ts';
import type { ManualClock } from '../platform/index.ts';
import { MemoryStore } from '../platform/index.ts';
import {
  type GenesisParameters,
  type HardFinalityCert,
  type Hash,
  toAddress,
  toEpoch,
  toFalconPublicKey,
  toFalconSignature,
  toHash,
  toMemberIndex,
  toQuanta,
  toRound,
  toVertexHash,
  toWaveId,
  type UnsignedVertex,
  type Vertex,
  type VertexHash,
  vertexHash,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { Consensus } from './consensus.ts';
import type { ConsensusContext } from './context.ts';
import type { Equivocation } from './equivocation.ts';
import type { ConsensusEffect, ConsensusEvent } from './events.ts';
import { restoreConsensus } from './restore.ts';
import { OwnStore } from './standing-records.ts';
import type { CommittedWave } from './wave-builder.ts';

export const CHAIN_ID = 31_337n;
export const GENESIS_MS = 1_000_000n;
const text = new TextEncoder();
export const START: Hash = toHash(blake3(text.encode('test start')));

export const PARAMETERS: GenesisParameters = {
  startBaseFee: toQuanta(100n),
  gasTargetPerSecond: 200_000_000n,
  waveGasCeiling: 400_000_000n,
  burnPercent: 70,
  rewardPoolPercent: 20,
  minRoundDelayMs: 20,
  idleRoundMs: 500,
  gcRounds: 60,
  epochDurationMs: 10_800_000,
};

/** Seat i has devnet key i. */
export function testCommittee(size: number): Committee {
  const members = Array.from({ length: size }, (_, seat) => {
    const { address, publicKey } = testKey(seat);
    return { address: toAddress(address), publicKey: toFalconPublicKey(publicKey) };
  });
  return { epoch: toEpoch(0), members };
}

export function testSigner(seat: number): Signer {
  const { publicKey, secretKey } = testKey(seat);
  let drawn = 0n;
  const signer = new FalconSigner(secretKey, (length) => {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < length; at += 32) {
      parts.push(blake3(text.encode(`test randomness ${seat}/`), u64LittleEndian(drawn++)));
    }
    return concatBytes(...parts).slice(0, length);
  });
  return {
    publicKey: toFalconPublicKey(publicKey),
    sign: (message) => toFalconSignature(signer.sign(message)),
  };
}

export const ZERO = toHash(new Uint8Array(32));

export const GENESIS_RECORD: WaveCommitRecord = {
  chainId: CHAIN_ID,
  epoch: toEpoch(0),
  waveId: toWaveId(0n),
  anchorRound: toRound(0),
  priorAnchorRound: toRound(0),
  anchorHash: toVertexHash(START),
  prevDigest: ZERO,
  timestampMs: GENESIS_MS,
  stateRoot: { blake3: ZERO, poseidon2: ZERO },
  eventsRoot: ZERO,
  eventsBloom: new Uint8Array(256),
  txRoot: ZERO,
  txCount: 0,
  eventsCount: 0,
  gasUsed: 0n,
  baseFee: toQuanta(100n),
  nextBeacon: undefined,
  nextCommitteeHash: undefined,
};

/** The record of a wave whose "state" is the hash of every transaction so far. */
export function executeStandIn(wave: CommittedWave, previous: WaveCommitRecord): WaveCommitRecord {
  invariant(wave.waveId === previous.waveId + 1n, 'waves come without a gap');
  invariant(wave.priorAnchorRound === previous.anchorRound, 'the prior anchor is that of before');
  invariant(
    wave.priorTimestampMs === previous.timestampMs,
    'the prior timestamp is that of before',
  );
  const { transactions, priorTimestampMs, phase, ...rest } = wave;
  const state = toHash(blake3(previous.stateRoot.blake3, ...transactions));
  return {
    ...GENESIS_RECORD,
    ...rest,
    prevDigest: waveDigest(previous),
    stateRoot: { blake3: state, poseidon2: ZERO },
    txCount: transactions.length,
    nextBeacon: phase === 'closing' ? state : undefined,
    nextCommitteeHash: phase === 'closing' ? state : undefined,
  };
}

export interface MemberOptions {
  readonly committee: Committee;
  readonly self: number | undefined;
  readonly clock: ManualClock;
  readonly parameters?: GenesisParameters;
  readonly store?: MemoryStore;
  readonly head?: WaveCommitRecord;
  readonly beacon?: Hash;
  /** Transactions that wait; taken from the front. */
  readonly pool?: Uint8Array[];
  /** With it the member recovers before it goes on. */
  readonly ownStore?: OwnStore;
}

/** One member: its store, its machine, and everything that came out of it. */
export class TestMember {
  readonly store: MemoryStore;
  readonly machine: Consensus;
  readonly clock: ManualClock;
  readonly pool: Uint8Array[];
  readonly effects: ConsensusEffect[] = [];
  readonly committed: CommittedWave[] = [];
  readonly certs: HardFinalityCert[] = [];
  readonly sent: Uint8Array[] = [];
  /** Everything on its way, `to` undefined for all others; emptied by whoever delivers it. */
  outbox: { readonly to: number | undefined; readonly message: Uint8Array }[] = [];
  readonly evidence: Equivocation[] = [];
  readonly records: WaveCommitRecord[];
  timerMs: number | undefined;
  #executed = 0;

  private constructor(options: MemberOptions, store: MemoryStore, machine: Consensus) {
    this.store = store;
    this.machine = machine;
    this.clock = options.clock;
    this.pool = options.pool ?? [];
    this.records = [options.head ?? GENESIS_RECORD];
  }

  static async open(options: MemberOptions): Promise<TestMember> {
    const store = options.store ?? new MemoryStore();
    const pool = options.pool ?? [];
    const restored = await restoreConsensus(store, options.head ?? GENESIS_RECORD);
    const machine = new Consensus(testContext({ ...options, pool }), restored);
    return new TestMember({ ...options, pool }, store, machine);
  }

  /** Steps and carries out the effects; waves wait for {@link execute}. */
  async step(event: ConsensusEvent): Promise<ConsensusEffect[]> {
    const effects = this.machine.step(event, this.clock.now());
    for (const effect of effects) await this.carry(effect);
    return effects;
  }

  async carry(effect: ConsensusEffect): Promise<void> {
    this.effects.push(effect);
    if (effect.kind === 'persist') await this.store.batch(effect.writes);
    else if (effect.kind === 'commit') this.committed.push(effect.wave);
    else if (effect.kind === 'certified') this.certs.push(effect.cert);
    else if (effect.kind === 'broadcast') {
      this.sent.push(effect.message);
      this.outbox.push({ to: undefined, message: effect.message });
    } else if (effect.kind === 'send') {
      this.outbox.push({ to: effect.member, message: effect.message });
    } else if (effect.kind === 'equivocation') this.evidence.push(effect.evidence);
    else if (effect.kind === 'set-timer') this.timerMs = effect.atMonotonicMs;
  }

  get waiting(): number {
    return this.committed.length - this.#executed;
  }

  get head(): WaveCommitRecord {
    const head = this.records.at(-1);
    if (head === undefined) throw new Error('there is always a head');
    return head;
  }

  /** Executes the oldest waiting wave and reports it. */
  async execute(): Promise<ConsensusEffect[]> {
    const wave = this.committed[this.#executed];
    if (wave === undefined) throw new Error('no wave waits');
    this.#executed++;
    const record = executeStandIn(wave, this.head);
    this.records.push(record);
    return this.step({ kind: 'wave-executed', record, digest: waveDigest(record) });
  }

  /** Executes whatever waits, what comes meanwhile included, up to `limit` waves. */
  async executeAll(limit = 1_000): Promise<void> {
    for (let i = 0; this.waiting > 0 && i < limit; i++) await this.execute();
  }
}

/** Of a member that goes on without asking anybody. */
function resumedStore(): OwnStore {
  const random = { bytes: (length: number) => new Uint8Array(length) };
  const store = new OwnStore(new MemoryStore(), random, { hasOwn: true, isRestored: false });
  store.hasResumed = true;
  return store;
}

export function testContext(options: MemberOptions): ConsensusContext {
  const { committee, self, parameters = PARAMETERS, pool = [] } = options;
  return {
    chainId: CHAIN_ID,
    epoch: committee.epoch,
    start: START,
    beacon: options.beacon ?? START,
    committee,
    self: self === undefined ? undefined : toMemberIndex(self),
    signer: self === undefined ? undefined : testSigner(self),
    parameters,
    verify: falconVerifyBatch,
    startMs: GENESIS_MS,
    ownStore: options.ownStore ?? resumedStore(),
    takeBatch: (maxBytes) => {
      const taken: Uint8Array[] = [];
      for (let bytes = 0; pool[0] !== undefined; ) {
        bytes += pool[0].length;
        if (bytes > maxBytes) break;
        taken.push(pool[0]);
        pool.shift();
      }
      return taken;
    },
  };
}

/** A transaction-sized byte string that is unlike any other. */
export function testTransaction(i: number): Uint8Array {
  return concatBytes(text.encode(`transaction ${i} `), new Uint8Array(150));
}

export function signVertex(unsigned: UnsignedVertex, signer: Signer): Vertex {
  return { ...unsigned, signature: signer.sign(vertexHash(unsigned)) };
}

/** A name that is unlike any other label's. */
export const nameOf = (label: string): VertexHash => toVertexHash(blake3(text.encode(label)));

/**
 * A whole node in one process: store, execution thread, verification pool and the machine that
 * drives them. What it offers to RPC is `RpcBackend`; what it shows of state is always that of the
 * newest wave whose writes are in the store.
 */
import { equalBytes, isPydeError, PydeError, readU64BigEndian, toHex } from '@pyde/core/bytes';
import type { Equivocation, Signer } from '@pyde/core/consensus';
import { eoaAddress, falconVerifyBatch } from '@pyde/core/crypto';
import { adoptLoadedState, executeGenesis, readGenesisOf } from '@pyde/core/execution';
import { type NodeMachine, type OpenNode, openNode } from '@pyde/core/node';
import type { Clock, KeyValueStore, Logger } from '@pyde/core/platform';
import type { NodeIdentity, RpcBackend } from '@pyde/core/rpc';
import { StateStore, TABLE, Table } from '@pyde/core/state';
import {
  type FalconPublicKey,
  type Genesis,
  genesisHash,
  type HardFinalityCert,
  type MemberIndex,
  type TxHash,
  type VertexHash,
  type WaveCommitRecord,
} from '@pyde/core/types';
import { LevelStore } from '../store/level-store.ts';
import { ExecutionThread } from '../workers/execution-thread.ts';
import { VerificationPool } from '../workers/verification-pool.ts';
import { Driver } from './driver.ts';
import { Settlements } from './settlements.ts';
import { systemRandom } from './system-clock.ts';

export type RuntimeErrorCode =
  | 'runtime.genesis-missing'
  | 'runtime.genesis-mismatch'
  | 'runtime.genesis-version'
  | 'runtime.no-network';

export interface RuntimeOptions {
  /** Holds the database; made when missing. */
  readonly folder: string;
  /** What an empty folder starts from; not asked when the folder holds a chain. */
  readonly newGenesis?: () => Genesis;
  /** The chain that the folder must hold, when the caller knows it. */
  readonly expectedGenesis?: VertexHash;
  /** This node's seat and key; without it the node only follows. */
  readonly signer?: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly verificationThreads: number;
  /** Fills an empty store with a state of version 0, which takes the place of the allocations. */
  readonly loadState?: (store: KeyValueStore) => Promise<void>;
}

const AGENT_VERSION = 'pyde/0.1.0';

export class NodeRuntime implements RpcBackend {
  readonly genesis: Genesis;
  readonly store: LevelStore;
  readonly state: StateStore;
  readonly #machine: NodeMachine;
  readonly #driver: Driver;
  readonly #execution: ExecutionThread;
  readonly #pool: VerificationPool;
  readonly #logger: Logger;
  readonly #publicKey: FalconPublicKey | undefined;
  readonly #waveListeners = new Set<(record: WaveCommitRecord) => void>();
  readonly #finalityListeners = new Set<(cert: HardFinalityCert) => void>();
  readonly #settlements = new Settlements(
    (hash) => this.#machine.statusOf(hash)?.state === 'pending',
  );
  #certifiedWave: bigint | undefined;
  /** By an earlier run, wire bytes. */
  #acknowledged: readonly Uint8Array[];
  #stopping: Promise<void> | undefined;
  #failed: (reason: Error) => void = () => {};
  /** Rejects when the node cannot go on by itself; never resolves before `stop`. */
  readonly closed: Promise<void>;
  #resolveClosed: () => void = () => {};

  private constructor(parts: {
    readonly store: LevelStore;
    readonly node: OpenNode;
    readonly execution: ExecutionThread;
    /** Resolves when the execution thread ended by itself. */
    readonly lost: Promise<Error>;
    readonly certifiedWave: bigint | undefined;
    readonly options: RuntimeOptions;
  }) {
    const { genesis, machine, state, acknowledged } = parts.node;
    this.genesis = genesis;
    this.store = parts.store;
    this.state = state;
    this.#machine = machine;
    this.#logger = parts.options.logger;
    this.#publicKey = parts.options.signer?.publicKey;
    this.#execution = parts.execution;
    this.#certifiedWave = parts.certifiedWave;
    this.#acknowledged = acknowledged;
    this.#pool = new VerificationPool(parts.options.verificationThreads, (reason) =>
      this.#driver.fail(reason),
    );
    parts.lost.then((reason) => this.#driver.fail(reason));
    this.closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve;
      this.#failed = reject;
    });
    this.closed.catch(() => {});
    this.#driver = new Driver({
      machine: this.#machine,
      clock: parts.options.clock,
      store: parts.store,
      pool: this.#pool,
      execution: parts.execution,
      // A committee of one has nobody to talk to, and `requireNoPeers` lets no other in.
      transport: { send: () => {}, broadcast: () => {} },
      onDurable: () => this.state.refresh(),
      onNotice: (effect) => {
        if (effect.kind === 'wave') this.#onWave(effect.record);
        else if (effect.kind === 'finality') this.#onFinality(effect.cert);
        else this.#onEquivocation(effect.evidence);
      },
      onStop: (reason) => {
        this.#logger.error('the node cannot go on', { reason: reason.message });
        this.#failed(reason);
      },
    });
  }

  /**
   * Opens the folder and writes genesis into an empty one. The node answers reads from here on;
   * `run` makes it take part.
   * @throws PydeError `runtime.*`, `store.*`, `state.*`
   */
  static async open(options: RuntimeOptions): Promise<NodeRuntime> {
    const store = await LevelStore.open(options.folder);
    let execution: ExecutionThread | undefined;
    try {
      const genesis = await openChain(store, options);
      // The thread takes a while to load, so it starts before anything else is read.
      const { promise: lost, resolve: onLost } = Promise.withResolvers<Error>();
      const { parameters } = genesis;
      execution = new ExecutionThread({ folder: options.folder, parameters }, onLost);
      const { signer } = options;
      const node = await openNode({
        store,
        signer,
        verify: falconVerifyBatch,
        random: systemRandom,
      });
      const certifiedWave = await newestCertifiedWave(store);
      const runtime = new NodeRuntime({ store, node, execution, lost, certifiedWave, options });
      return runtime;
    } catch (error) {
      // What broke first says more than what breaks on the way out.
      await execution?.close().catch(() => {});
      await store.close();
      throw error;
    }
  }

  /** Goes on where the last run ended. Call once, before the first `submit`. */
  run(): void {
    this.#driver.start();
    void this.#driver.readmit(this.#acknowledged);
    this.#acknowledged = [];
  }

  get chainId(): bigint {
    return this.genesis.chainId;
  }

  head(): WaveCommitRecord {
    return this.#machine.head.record;
  }

  /** Newest wave with a certificate in the store. */
  certifiedHead(): bigint | undefined {
    return this.#certifiedWave;
  }

  submit(bytes: Uint8Array): Promise<TxHash> {
    return this.#driver.submit(bytes);
  }

  transactionStatus(hash: TxHash): ReturnType<NodeMachine['statusOf']> {
    return this.#machine.statusOf(hash);
  }

  settled(hash: TxHash): Promise<void> {
    return this.#settlements.of(hash);
  }

  submittedTx(hash: TxHash): ReturnType<NodeMachine['pendingTransaction']> {
    return this.#machine.pendingTransaction(hash);
  }

  onWave(listener: (record: WaveCommitRecord) => void): () => void {
    this.#waveListeners.add(listener);
    return () => this.#waveListeners.delete(listener);
  }

  onFinality(listener: (cert: HardFinalityCert) => void): () => void {
    this.#finalityListeners.add(listener);
    return () => this.#finalityListeners.delete(listener);
  }

  anchorOf(epoch: number, round: number): MemberIndex | undefined {
    return this.#machine.anchorOf(epoch, round);
  }

  nodeInfo(): NodeIdentity {
    return {
      peerId: this.#publicKey === undefined ? '' : toHex(eoaAddress(this.#publicKey)),
      falconPublicKey: this.#publicKey,
      listenAddrs: [],
      agentVersion: AGENT_VERSION,
    };
  }

  metrics(): Record<string, number> {
    const { record } = this.#machine.head;
    const { rss, heapUsed, external } = process.memoryUsage();
    return {
      wave_id: Number(record.waveId),
      anchor_round: record.anchorRound,
      epoch: this.#machine.epoch,
      certified_wave_id: Number(this.#certifiedWave ?? 0n),
      waves_waiting: this.#machine.waitingWaves,
      transactions_in_check: this.#machine.requestsInCheck,
      transactions_pending: this.#machine.poolSize,
      pool_bytes: this.#machine.poolBytes,
      signature_checks_queued: this.#pool.queued,
      events_queued: this.#driver.queuedEvents,
      resident_bytes: rss,
      heap_bytes: heapUsed,
      external_bytes: external,
      execution_heap_bytes: this.#execution.heapBytes,
      database_memory_bytes: this.store.memoryBytes,
      uptime_seconds: Math.floor(process.uptime()),
    };
  }

  /** Ends after the wave under way; the store is closed last. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#settlements.end();
    try {
      await this.#driver.stop();
      await this.#pool.close();
      await this.#execution.close();
    } finally {
      await this.store.close();
      this.#resolveClosed();
    }
  }

  #onWave(record: WaveCommitRecord): void {
    this.#pool.warm();
    this.#logger.debug('wave', {
      wave: record.waveId,
      transactions: record.txCount,
      gas: record.gasUsed,
      root: toHex(record.stateRoot.blake3),
    });
    if (record.txCount > 0) this.#settlements.look();
    for (const listener of this.#waveListeners) listener(record);
  }

  #onEquivocation({ kind, epoch, author, at }: Equivocation): void {
    this.#logger.warn('a validator contradicts itself', { kind, epoch, author, at });
  }

  #onFinality(cert: HardFinalityCert): void {
    const { waveId } = cert.record;
    if (this.#certifiedWave === undefined || waveId > this.#certifiedWave) {
      this.#certifiedWave = waveId;
    }
    for (const listener of this.#finalityListeners) listener(cert);
  }
}

/** @throws PydeError `runtime.genesis-version` for the chain of another version of this software */
function keptGenesis(store: KeyValueStore, folder: string): Genesis | undefined {
  try {
    return readGenesisOf(store);
  } catch (error) {
    if (!isPydeError(error, 'genesis.version')) throw error;
    throw new PydeError(
      'runtime.genesis-version',
      `${folder} holds a chain of another version of this software (${error.message}); run that ` +
        'version on it, or delete the folder to start a new chain',
      { folder },
    );
  }
}

/** The chain of the folder; in an empty one, the given genesis becomes wave 0. */
async function openChain(store: LevelStore, options: RuntimeOptions): Promise<Genesis> {
  const kept = keptGenesis(store, options.folder);
  if (kept !== undefined) {
    const wanted = options.expectedGenesis;
    if (wanted !== undefined && !equalBytes(wanted, genesisHash(kept))) {
      throw new PydeError(
        'runtime.genesis-mismatch',
        `${options.folder} holds another chain (genesis ${toHex(genesisHash(kept))}); choose ` +
          'another folder',
      );
    }
    requireNoPeers(kept);
    return kept;
  }
  const genesis = options.newGenesis?.();
  if (genesis === undefined) {
    throw new PydeError(
      'runtime.genesis-missing',
      `${options.folder} holds no chain yet; give the genesis that it shall start from`,
    );
  }
  requireNoPeers(genesis);
  await options.loadState?.(store);
  const context = { state: StateStore.open(store), store };
  const wave =
    options.loadState === undefined
      ? executeGenesis(context, genesis)
      : adoptLoadedState(context, genesis);
  await store.batch(wave.writes, { sync: true });
  return genesis;
}

/** Messages to other members would be lost without a word. @throws PydeError `runtime.no-network` */
function requireNoPeers({ validators }: Genesis): void {
  if (validators.length === 1) return;
  throw new PydeError(
    'runtime.no-network',
    `this chain has ${validators.length} validators, and this version has no network to reach the ` +
      'others; run a chain of one validator',
    { validators: validators.length },
  );
}

async function newestCertifiedWave(store: KeyValueStore): Promise<bigint | undefined> {
  for await (const [key] of new Table(store, TABLE.certs).range({ reverse: true, limit: 1 })) {
    return readU64BigEndian(key);
  }
  return undefined;
}

/**
 * A whole node in one process: store, execution thread, verification pool and the machine that
 * drives them. What it offers to RPC is `RpcBackend`; what it shows of state is always that of the
 * newest wave whose writes are in the store.
 */
import { isPydeError, toHex } from '@pyde/core/bytes';
import type { ConsensusStatus, Equivocation, ImportedMark, Signer } from '@pyde/core/consensus';
import { eoaAddress, falconVerifyBatch } from '@pyde/core/crypto';
import {
  type NodeMachine,
  type NodeOptions,
  type OpenFollower,
  type OpenNode,
  openNode,
} from '@pyde/core/node';
import type { Clock, Logger } from '@pyde/core/platform';
import type { NodeIdentity, RpcBackend } from '@pyde/core/rpc';
import type { StateStore } from '@pyde/core/state';
import { RequestServer } from '@pyde/core/sync';
import type {
  FalconPublicKey,
  Genesis,
  HardFinalityCert,
  MemberIndex,
  TxHash,
  WaveCommitRecord,
} from '@pyde/core/types';
import type { NodeNetwork, PeerStatus } from '../network/index.ts';
import type { NodeStanding } from '../operation/index.ts';
import { LevelStore } from '../store/level-store.ts';
import { ExecutionThread } from '../workers/execution-thread.ts';
import { VerificationPool } from '../workers/verification-pool.ts';
import { Driver, type DriverParts } from './driver.ts';
import { type ChainOptions, newestCertifiedWave, openChain } from './kept-chain.ts';
import { NetworkOutlet, noOutlet } from './outlet.ts';
import { type RuntimeWatch, watchedParts } from './runtime-watch.ts';
import { Settlements } from './settlements.ts';
import { systemRandom } from './system-clock.ts';

/** What a network is made for. */
export interface NetworkContext {
  readonly genesis: Genesis;
  readonly signer: Signer | undefined;
}

/** The folder holds the database; it is made when missing. */
export interface RuntimeOptions extends Omit<ChainOptions, 'hasNetwork'> {
  /** This node's seat and key; without it the node only follows. */
  readonly signer?: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly verificationThreads: number;
  /** To the other nodes; a chain of several validators needs it. Closed with the node. */
  readonly network?: (context: NetworkContext) => Promise<NodeNetwork>;
  /** See `NodeOptions` of core. */
  readonly isRestored?: boolean;
  readonly importedMark?: ImportedMark;
  /** Transactions a second of one sender; any number without it. */
  readonly senderRatePerSecond?: number;
  /** Which rules the epochs run by; see `NodeOptions` of core. */
  readonly protocol?: NodeOptions['protocol'];
  /** Forgets no version of the state and no certificate. */
  readonly isArchive?: boolean;
  /** Told of what happens and how long it takes. */
  readonly watch?: RuntimeWatch;
  /** Stands between the machine and everything else, for runs with a faulty member. */
  readonly disguise?: (node: OpenNode) => DriverParts['machine'];
}

/** What a node without a key shows of consensus, in which it takes no part. */
const NO_CONSENSUS: ConsensusStatus = {
  ownRound: 0,
  highestRound: 0,
  lowestRound: 0,
  waitingWaves: 0,
  bufferedVertices: 0,
  missing: 0,
  batchesInMemory: 0,
  refused: new Map(),
};
const AGENT_VERSION = 'pyde/0.1.0';

export class NodeRuntime implements RpcBackend {
  readonly genesis: Genesis;
  readonly store: LevelStore;
  readonly state: StateStore;
  readonly #machine: NodeMachine;
  readonly #driver: Driver;
  readonly #execution: ExecutionThread;
  readonly #pool: VerificationPool;
  readonly #clock: Clock;
  readonly #requests: RequestServer;
  readonly #network: NodeNetwork | undefined;
  readonly #outlet: NetworkOutlet | undefined;
  readonly #logger: Logger;
  readonly #watch: RuntimeWatch | undefined;
  readonly #node: OpenNode | OpenFollower;
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
    readonly node: OpenNode | OpenFollower;
    readonly execution: ExecutionThread;
    readonly requests: RequestServer;
    readonly network: NodeNetwork | undefined;
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
    this.#watch = parts.options.watch;
    this.#node = parts.node;
    this.#publicKey = parts.options.signer?.publicKey;
    this.#execution = parts.execution;
    this.#clock = parts.options.clock;
    this.#requests = parts.requests;
    this.#network = parts.network;
    this.#outlet = parts.network === undefined ? undefined : new NetworkOutlet(parts.network);
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
    const driven: DriverParts = {
      machine:
        parts.node.followed === undefined
          ? (parts.options.disguise?.(parts.node) ?? this.#machine)
          : this.#machine,
      clock: parts.options.clock,
      store: parts.store,
      pool: this.#pool,
      execution: parts.execution,
      outlet: this.#outlet ?? noOutlet,
      onDurable: () => this.state.refresh(),
      onNotice: (effect) => {
        if (effect.kind === 'wave') this.#onWave(effect.record);
        else if (effect.kind === 'finality') this.#onFinality(effect.cert);
        else this.#onEquivocation(effect.evidence);
      },
      onStop: (reason) => {
        this.#logger.error('the node cannot go on', { reason: reason.message });
        // One that halted takes part no more and still answers reads.
        if (!isPydeError(reason, 'node.halted')) this.#failed(reason);
      },
    };
    this.#driver = new Driver(watchedParts(driven, this.#watch));
  }

  /**
   * Opens the folder and writes genesis into an empty one. The node answers reads from here on;
   * `run` makes it take part.
   * @throws PydeError `runtime.*`, `store.*`, `state.*`
   */
  static async open(options: RuntimeOptions): Promise<NodeRuntime> {
    const store = await LevelStore.open(options.folder);
    let execution: ExecutionThread | undefined;
    let network: NodeNetwork | undefined;
    try {
      const hasNetwork = options.network !== undefined;
      const genesis = await openChain(store, { ...options, hasNetwork });
      // The thread takes a while to load, so it starts before anything else is read.
      const { promise: lost, resolve: onLost } = Promise.withResolvers<Error>();
      const { parameters } = genesis;
      const { folder, isArchive = false } = options;
      execution = new ExecutionThread({ folder, parameters, isArchive }, onLost);
      const { signer } = options;
      const node = await openNode({
        store,
        signer,
        verify: falconVerifyBatch,
        random: systemRandom,
        ...(options.isRestored === undefined ? {} : { isRestored: options.isRestored }),
        ...(options.importedMark === undefined ? {} : { importedMark: options.importedMark }),
        ...(options.senderRatePerSecond === undefined
          ? {}
          : { mempool: { senderRatePerSecond: options.senderRatePerSecond } }),
        ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
      });
      const certifiedWave = await newestCertifiedWave(store);
      const requests = await RequestServer.open({ store, state: node.state, genesis });
      network = await options.network?.({ genesis, signer });
      const found = { certifiedWave, requests, network };
      return new NodeRuntime({ store, node, execution, lost, options, ...found });
    } catch (error) {
      // What broke first says more than what breaks on the way out.
      await network?.stop().catch(() => {});
      await execution?.close().catch(() => {});
      await store.close();
      throw error;
    }
  }

  /**
   * Goes on where the last run ended. Call once, before the first `submit`. Resolves when the node
   * listens to others. @throws PydeError `network.*` when it cannot
   */
  async run(): Promise<void> {
    this.#driver.start();
    void this.#driver.readmit(this.#acknowledged);
    this.#acknowledged = [];
    await this.#outlet?.start({
      driver: this.#driver,
      answer: (protocol, question) =>
        this.#requests.answer(protocol, question, this.#clock.now().monotonicMs),
      failed: (error) => this.#driver.fail(error),
    });
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

  async submit(bytes: Uint8Array): Promise<TxHash> {
    const watch = this.#watch;
    if (watch === undefined) return this.#driver.submit(bytes);
    const beganMs = performance.now();
    const hash = await this.#driver.submit(bytes);
    watch.admitted(hash, performance.now() - beganMs);
    return hash;
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
      peerId: this.#network?.peerId ?? this.#keyAddress(),
      falconPublicKey: this.#publicKey,
      listenAddrs: this.#network?.listenAddrs() ?? [],
      agentVersion: AGENT_VERSION,
      phase: this.#machine.phase,
    };
  }

  /** Who this node is connected to; none without a network. */
  peers(): readonly PeerStatus[] {
    return this.#network?.peers() ?? [];
  }

  /** Where this node stands among the others. */
  standing(): NodeStanding {
    const { phase, epoch, halted, protocol } = this.#machine;
    const isValidator = this.#publicKey !== undefined;
    const { hasSeat } = this.#machine;
    const consensus =
      this.#node.followed === undefined ? this.#node.epochs.consensus.status : NO_CONSENSUS;
    return { phase, epoch, halted, protocol, isValidator, hasSeat, consensus };
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
      messages_dropped: this.#driver.droppedMessages,
      resident_bytes: rss,
      heap_bytes: heapUsed,
      external_bytes: external,
      execution_heap_bytes: this.#execution.heapBytes,
      database_memory_bytes: this.store.memoryBytes,
      uptime_seconds: Math.floor(process.uptime()),
      ...this.#network?.metrics(),
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
      // Threads and store are closed also when some transport is not.
      await this.#network?.stop().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#logger.warn('the network did not close as it should', { reason });
      });
      await this.#pool.close();
      await this.#execution.close();
    } finally {
      await this.store.close();
      this.#resolveClosed();
    }
  }

  /** By which clients tell nodes without a network apart. */
  #keyAddress(): string {
    return this.#publicKey === undefined ? '' : toHex(eoaAddress(this.#publicKey));
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
    this.#watch?.equivocation();
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

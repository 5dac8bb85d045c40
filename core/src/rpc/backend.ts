/**
 * What a node offers to its RPC. Reads are of the newest executed wave; everything here is trusted,
 * what comes in through `submit` is not.
 */
import type { PoolStatus } from '../mempool/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import type { StateStore } from '../state/index.ts';
import type {
  FalconPublicKey,
  Genesis,
  HardFinalityCert,
  MemberIndex,
  Tx,
  TxHash,
  WaveCommitRecord,
} from '../types/index.ts';

/** `pyde_getNodeInfo`. */
export interface NodeIdentity {
  /**
   * Of the peer-to-peer network; on a node without one the address of its key, by which clients
   * tell nodes apart; the empty string when it has neither.
   */
  readonly peerId: string;
  /** The key that this node signs vertices with; undefined when it only follows. */
  readonly falconPublicKey: FalconPublicKey | undefined;
  readonly listenAddrs: readonly string[];
  /** `pyde/<version>`. */
  readonly agentVersion: string;
  /** `following` when it is with the others, else how it comes back to them. */
  readonly phase: string;
}

/** `pyde_getPeers`. */
export interface RpcPeer {
  readonly peerId: string;
  /** Its index in the genesis, when it has proven to be a validator. */
  readonly validator?: number;
  readonly address: string;
  readonly direction: string;
  readonly transport: string;
  /** Unix time of the connection, ms. */
  readonly sinceMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly roundTripMs?: number;
  readonly score: number;
}

export interface RpcBackend {
  readonly chainId: bigint;
  readonly genesis: Genesis;
  readonly store: KeyValueStore;
  /** Follows the newest executed wave. */
  readonly state: StateStore;
  /** The newest executed wave. */
  head(): WaveCommitRecord;
  /** The newest wave with a certificate. */
  certifiedHead(): bigint | undefined;
  /** @throws PydeError naming the rule that the transaction breaks */
  submit(bytes: Uint8Array): Promise<TxHash>;
  transactionStatus(hash: TxHash): PoolStatus | undefined;
  /** Resolves when the transaction is pending no more, at once or within a moment in any case. */
  settled(hash: TxHash): Promise<void>;
  /** A transaction that is pending. */
  submittedTx(hash: TxHash): Tx | undefined;
  /** The seat of the anchor of a round ≥ 1; undefined when this node cannot tell. */
  anchorOf(epoch: number, round: number): MemberIndex | undefined;
  nodeInfo(): NodeIdentity;
  /** Connected now. */
  peers(): readonly RpcPeer[];
  /** Flat, snake_case names. */
  metrics(): Readonly<Record<string, number>>;
  /** @returns ends the listening */
  onWave(listener: (record: WaveCommitRecord) => void): () => void;
  onFinality(listener: (cert: HardFinalityCert) => void): () => void;
}

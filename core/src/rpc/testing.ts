/**
 * A node for the tests of RPC: a chain in memory with real execution, a real mempool and real
 * certificates of its one validator, driven by hand.
 */
import { concatBytes, invariant, toHex, u64BigEndian } from '../bytes/index.ts';
import { falconVerifyBatch } from '../crypto/index.ts';
import { currentBaseFee } from '../execution/index.ts';
import { TestChain, testGenesis } from '../execution/testing.ts';
import { buildCert, encodeCert } from '../finality/index.ts';
import { Mempool, type MempoolView, type PoolStatus } from '../mempool/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { silentLogger } from '../platform/index.ts';
import { type StateStore, TABLE, Table } from '../state/index.ts';
import { addressOf, publicKeyOf, signatureOf, wireBy } from '../tx/testing.ts';
import {
  encodeVertex,
  type Genesis,
  type HardFinalityCert,
  type MemberIndex,
  type Tx,
  type TxHash,
  toFalconSignature,
  toMemberIndex,
  toNonce,
  toQuanta,
  type Vertex,
  vertexHash,
  type WaveCommitRecord,
} from '../types/index.ts';
import {
  type JsonRpcError,
  type NodeIdentity,
  type RpcBackend,
  type RpcPeer,
  RpcService,
} from './index.ts';

export class TestNode implements RpcBackend {
  readonly chain: TestChain;
  readonly service: RpcService;
  connectedPeers: readonly RpcPeer[] = [];
  #mempool: Mempool;
  readonly #waveListeners = new Set<(record: WaveCommitRecord) => void>();
  readonly #finalityListeners = new Set<(cert: HardFinalityCert) => void>();
  #certified: bigint | undefined;

  private constructor(chain: TestChain) {
    this.chain = chain;
    this.service = new RpcService(this, silentLogger);
    this.#mempool = emptyMempool(chain);
  }

  static async start(genesis: Genesis = testGenesis()): Promise<TestNode> {
    return new TestNode(await TestChain.start(genesis));
  }

  /** One call through the service; the result, or the whole error object thrown as is. */
  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = JSON.parse((await this.service.handle(text)) ?? 'null');
    if ('error' in answer) throw answer.error;
    return answer.result;
  }

  /** Sends a transfer of devnet account `i` over RPC. @returns its hash */
  async send(i: number, fields: Partial<Tx> = {}): Promise<string> {
    const hash = await this.call('pyde_sendRawTransaction', toHex(wireBy(i, fields)));
    invariant(typeof hash === 'string', 'a transaction is answered with its hash');
    return hash;
  }

  /** Executes what is pending as the next wave, certifies it, and tells the subscribers. */
  async wave(): Promise<HardFinalityCert> {
    const result = await this.chain.wave(this.#mempool.takeBatch());
    this.#mempool.onWave(result, this.#view());
    for (const listener of [...this.#waveListeners]) listener(result.record);
    const signature = toFalconSignature(signatureOf(0, result.digest));
    const cert = buildCert(result.record, [{ member: 0, signature }], 1);
    const write = new Table(this.store, TABLE.certs).put(
      u64BigEndian(cert.record.waveId),
      encodeCert(cert),
    );
    await this.store.batch([write], { sync: true });
    this.#certified = cert.record.waveId;
    for (const listener of [...this.#finalityListeners]) listener(cert);
    return cert;
  }

  /** The pool as a restart leaves it: without a memory. */
  forgetPool(): void {
    this.#mempool = emptyMempool(this.chain);
  }

  /** Stores a vertex as consensus does. */
  async storeVertex(vertex: Vertex): Promise<void> {
    const { epoch, round, author } = vertex;
    const place = concatBytes(
      ...[epoch, round].map((number) => u64BigEndian(BigInt(number))),
      Uint8Array.of(author >> 8, author),
    );
    const key = concatBytes(place, vertexHash(vertex));
    const write = new Table(this.store, TABLE.vertices).put(key, encodeVertex(vertex));
    await this.store.batch([write], { sync: true });
  }

  get listeners(): number {
    return this.#waveListeners.size + this.#finalityListeners.size;
  }

  get chainId(): bigint {
    return this.chain.genesis.chainId;
  }

  get genesis(): Genesis {
    return this.chain.genesis;
  }

  get store(): KeyValueStore {
    return this.chain.store;
  }

  get state(): StateStore {
    return this.chain.state;
  }

  head(): WaveCommitRecord {
    return this.chain.head.record;
  }

  certifiedHead(): bigint | undefined {
    return this.#certified;
  }

  async submit(bytes: Uint8Array): Promise<TxHash> {
    const start = this.#mempool.admit(bytes, this.#view(), 0);
    if (start.kind === 'known') return start.hash;
    const { checks } = start.admission;
    const valid = checks.length === 0 || falconVerifyBatch(checks).every((verdict) => verdict);
    return this.#mempool.complete(start.admission, valid, this.#view(), 0);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  transactionStatus(hash: TxHash): PoolStatus | undefined {
    return this.#mempool.statusOf(hash);
  }

  submittedTx(hash: TxHash): Tx | undefined {
    return this.#mempool.pendingTransaction(hash);
  }

  anchorOf(_epoch: number, round: number): MemberIndex | undefined {
    return round >= 1 ? toMemberIndex(0) : undefined;
  }

  nodeInfo(): NodeIdentity {
    return {
      peerId: '12D3KooWTest',
      falconPublicKey: publicKeyOf(0),
      listenAddrs: ['/ip4/127.0.0.1/tcp/1'],
      agentVersion: 'pyde/0.1.0',
      phase: 'following',
    };
  }

  peers(): readonly RpcPeer[] {
    return this.connectedPeers;
  }

  metrics(): Readonly<Record<string, number>> {
    return { wave_id: Number(this.head().waveId), transactions_pending: this.#mempool.size };
  }

  onWave(listener: (record: WaveCommitRecord) => void): () => void {
    this.#waveListeners.add(listener);
    return () => this.#waveListeners.delete(listener);
  }

  onFinality(listener: (cert: HardFinalityCert) => void): () => void {
    this.#finalityListeners.add(listener);
    return () => this.#finalityListeners.delete(listener);
  }

  #view(): MempoolView {
    const { state } = this;
    return { state, waveId: this.head().waveId, baseFee: currentBaseFee(state) };
  }
}

/** JSON-RPC code and `data.code` of a call that must fail. */
export async function refusal(call: Promise<unknown>): Promise<readonly [number, string]> {
  try {
    await call;
  } catch (error) {
    if (isJsonRpcError(error)) return [error.code, error.data.code];
    throw error;
  }
  throw new Error('the call was answered with a result');
}

function isJsonRpcError(error: unknown): error is JsonRpcError {
  return typeof error === 'object' && error !== null && 'code' in error && 'data' in error;
}

/** What `TestNode.send` takes for a transfer to devnet account 1. */
export const transfer = (nonce = 0n, value = 5n): Partial<Tx> => ({
  to: addressOf(1),
  value: toQuanta(value),
  nonce: toNonce(nonce),
});

function emptyMempool({ genesis: { chainId, parameters } }: TestChain): Mempool {
  return new Mempool({ chainId, parameters });
}

/** A node for tests of operation, whose figures are set by hand; a chain with real records below it. */
import type { HardFinalityCert, WaveCommitRecord } from '@pyde/core/types';
import { TestChain } from '../../../core/src/execution/testing.ts';
import type { NodeStanding, OperationSource } from './source.ts';

type Peer = ReturnType<OperationSource['peers']>[number];

/** The standing of a member that is well. */
export const WELL: NodeStanding = {
  phase: 'following',
  epoch: 0,
  isValidator: true,
  hasSeat: true,
  halted: undefined,
  protocol: { supported: 1, active: 1, next: undefined, unsupported: undefined },
  consensus: {
    ownRound: 12,
    highestRound: 13,
    lowestRound: 0,
    waitingWaves: 0,
    bufferedVertices: 2,
    missing: 1,
    batchesInMemory: 3,
    refused: new Map([['consensus.signature', 4]]),
  },
};

export class TestSource implements OperationSource {
  readonly chain: TestChain;
  now: NodeStanding = WELL;
  figures: Record<string, number> = {};
  connected: Peer[] = [];
  certifiedWave: bigint | undefined;
  pending = new Set<string>();
  readonly #waves = new Set<(record: WaveCommitRecord) => void>();
  readonly #certs = new Set<(cert: HardFinalityCert) => void>();

  constructor(chain: TestChain) {
    this.chain = chain;
  }

  static async start(): Promise<TestSource> {
    return new TestSource(await TestChain.start());
  }

  get genesis() {
    return this.chain.genesis;
  }

  head(): WaveCommitRecord {
    return this.chain.head.record;
  }

  certifiedHead(): bigint | undefined {
    return this.certifiedWave;
  }

  standing(): NodeStanding {
    return this.now;
  }

  nodeInfo() {
    const identity = { peerId: '', falconPublicKey: undefined, listenAddrs: [] };
    return { ...identity, agentVersion: 'pyde/0.1.0', phase: this.now.phase };
  }

  metrics(): Readonly<Record<string, number>> {
    return this.figures;
  }

  peers(): readonly Peer[] {
    return this.connected;
  }

  transactionStatus(hash: Uint8Array) {
    return this.pending.has(hash.join()) ? ({ state: 'pending' } as const) : undefined;
  }

  onWave(listener: (record: WaveCommitRecord) => void): () => void {
    this.#waves.add(listener);
    return () => this.#waves.delete(listener);
  }

  onFinality(listener: (cert: HardFinalityCert) => void): () => void {
    this.#certs.add(listener);
    return () => this.#certs.delete(listener);
  }

  /** Executes a wave, and tells of it as of the given record. */
  async wave(transactions: readonly Uint8Array[], more: Partial<WaveCommitRecord> = {}) {
    const { record } = await this.chain.wave(transactions);
    for (const listener of this.#waves) listener({ ...record, ...more });
    return { ...record, ...more };
  }

  certify(record: WaveCommitRecord): void {
    this.certifiedWave = record.waveId;
    for (const listener of this.#certs) {
      listener({ record, signers: new Uint8Array(1), signatures: [] });
    }
  }
}

/** A chain in memory for tests: genesis, then waves one after the other, each held to the supply. */
import { invariant } from '../bytes/index.ts';
import { falconVerifyBatch } from '../crypto/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { addressOf, DEVNET_CHAIN_ID, publicKeyOf } from '../tx/testing.ts';
import {
  type Genesis,
  type GenesisParameters,
  toEpoch,
  toQuanta,
  toRound,
  toVertexHash,
  toWaveId,
} from '../types/index.ts';
import {
  assertSupply,
  type ExecutionContext,
  executeGenesis,
  executeWave,
  type WaveResult,
} from './index.ts';

export const DEVNET_PARAMETERS: GenesisParameters = {
  startBaseFee: toQuanta(100n),
  gasTargetPerSecond: 200_000_000n,
  waveGasCeiling: 400_000_000n,
  burnPercent: 70,
  rewardPoolPercent: 20,
  minRoundDelayMs: 0,
  idleRoundMs: 500,
  gcRounds: 500,
  epochDurationMs: 10_800_000,
};

export const DEVNET_BALANCE = toQuanta(10n ** 16n);
const WAVE_MS = 100n;

/** Devnet accounts 0 … 4 with keys and a balance; account 0 validates. */
export function testGenesis(changes: Partial<Genesis> = {}): Genesis {
  return {
    chainId: DEVNET_CHAIN_ID,
    timestampMs: 1_700_000_000_000n,
    parameters: DEVNET_PARAMETERS,
    validators: [
      {
        address: addressOf(0),
        operator: addressOf(1),
        publicKey: publicKeyOf(0),
        stake: toQuanta(10n ** 13n),
      },
    ],
    allocations: [0, 1, 2, 3, 4].map((i) => ({
      address: addressOf(i),
      balance: DEVNET_BALANCE,
      authKeys: { kind: 'single', key: publicKeyOf(i) },
    })),
    names: [],
    ...changes,
  };
}

export class TestChain {
  readonly store = new MemoryStore();
  readonly state: StateStore = StateStore.open(this.store);
  readonly genesis: Genesis;
  readonly #heads: WaveResult[] = [];

  private constructor(genesis: Genesis) {
    this.genesis = genesis;
  }

  static async start(genesis: Genesis = testGenesis()): Promise<TestChain> {
    const chain = new TestChain(genesis);
    await chain.#land(executeGenesis(chain, genesis));
    return chain;
  }

  /** The newest wave. */
  get head(): WaveResult {
    const head = this.#heads.at(-1);
    invariant(head !== undefined, 'genesis landed');
    return head;
  }

  /** Executes and writes a wave of these wire bytes. */
  async wave(transactions: readonly Uint8Array[], elapsedMs = WAVE_MS): Promise<WaveResult> {
    const result = this.execute(transactions, elapsedMs);
    await this.#land(result);
    return result;
  }

  /**
   * Executes the next wave, on another handle of the state if one is given, and writes nothing.
   * @param instead of what the executor is given otherwise
   */
  execute(
    transactions: readonly Uint8Array[],
    elapsedMs = WAVE_MS,
    state: StateStore = this.state,
    instead: Partial<ExecutionContext> = {},
  ): WaveResult {
    const { record, digest } = this.head;
    const context = {
      state,
      store: this.store,
      parameters: this.genesis.parameters,
      verify: falconVerifyBatch,
      ...instead,
    };
    return executeWave(context, {
      chainId: this.genesis.chainId,
      epoch: toEpoch(0),
      waveId: toWaveId(record.waveId + 1n),
      anchorRound: toRound(record.anchorRound + 1),
      priorAnchorRound: record.anchorRound,
      anchorHash: toVertexHash(new Uint8Array(32).fill(7)),
      prevDigest: digest,
      timestampMs: record.timestampMs + elapsedMs,
      priorTimestampMs: record.timestampMs,
      transactions,
    });
  }

  async #land(result: WaveResult): Promise<void> {
    await this.store.batch(result.writes);
    this.state.adopt(result.prepared);
    this.#heads.push(result);
    await assertSupply(this.store, this.state);
  }
}

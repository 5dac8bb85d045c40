/**
 * A chain of four members that goes through epochs, for tests of whoever follows it: real execution,
 * real draws, and FALCON certificates by the members whose seats they are in.
 */
import { accountKey } from '../account/index.ts';
import { invariant } from '../bytes/index.ts';
import { blake3, falconVerifyBatch } from '../crypto/index.ts';
import { executeGenesis, executeWave, type WaveResult } from '../execution/index.ts';
import { DEVNET_PARAMETERS, testGenesis } from '../execution/testing.ts';
import { MemoryStore } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { addressOf, publicKeyOf, signatureOf, wireBy } from '../tx/testing.ts';
import {
  type Address,
  type Genesis,
  type HardFinalityCert,
  toEpoch,
  toFalconSignature,
  toNonce,
  toQuanta,
  toRound,
  toValidatorIndex,
  toVertexHash,
  toWaveId,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { readEpochState, type SeatedValidator } from '../validators/index.ts';
import { type AccountClaim, buildCert, type HandOver } from './index.ts';

const EPOCH_MS = 1_000;

/** Devnet accounts 0 … 3 validate. */
export const epochGenesis: Genesis = testGenesis({
  parameters: { ...DEVNET_PARAMETERS, epochDurationMs: EPOCH_MS },
  validators: [0, 1, 2, 3].map((i) => ({
    address: addressOf(i),
    operator: addressOf(i),
    publicKey: publicKeyOf(i),
    stake: toQuanta(10n ** 13n),
  })),
});

/** The devnet accounts in `seats`, as a hand-over lists them. */
export const seated = (seats: readonly number[]): SeatedValidator[] =>
  seats.map((i) => ({ index: toValidatorIndex(i), publicKey: publicKeyOf(i) }));

/** Signed by the members in `signers` of a committee of the devnet accounts in `seats`. */
export function certBy(
  record: WaveCommitRecord,
  seats: readonly number[],
  signers: readonly number[] = [0, 1, 3],
): HardFinalityCert {
  const digest = waveDigest(record);
  const signatures = signers.map((member) => ({
    member,
    signature: toFalconSignature(signatureOf(seats[member] ?? -1, digest)),
  }));
  return buildCert(record, signatures, seats.length);
}

export class EpochChain {
  readonly genesis: Genesis;
  readonly store = new MemoryStore();
  readonly state: StateStore = StateStore.open(this.store);
  /** By wave. */
  readonly records: WaveCommitRecord[] = [];
  /** Devnet accounts by seat, by epoch. */
  readonly seats: number[][] = [[0, 1, 2, 3]];
  /** Of every closed epoch. */
  readonly handOvers: HandOver[] = [];
  #head: WaveResult;
  #sent = 0n;

  private constructor(genesis: Genesis) {
    this.genesis = genesis;
    this.#head = executeGenesis({ state: this.state, store: this.store }, genesis);
  }

  static async start(genesis: Genesis = epochGenesis): Promise<EpochChain> {
    const chain = new EpochChain(genesis);
    await chain.#land(chain.#head);
    return chain;
  }

  /** Goes through `count` epochs of three waves, and one wave with a transfer beyond. */
  async epochs(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const beganMs = this.#head.record.timestampMs;
      await this.#wave(beganMs + 1n);
      await this.#wave(beganMs + BigInt(EPOCH_MS));
      const closing = await this.#wave(beganMs + BigInt(EPOCH_MS) + 1n);
      const state = readEpochState(this.state);
      invariant(state !== undefined, 'waves write the epoch');
      const next = state.current.committee;
      const seats = this.seats[closing.epoch] ?? [];
      this.handOvers.push({ closing: certBy(closing, seats), members: seated(next) });
      this.seats.push([...next]);
    }
    const to = { to: addressOf(1), value: toQuanta(7n), nonce: toNonce(this.#sent++) };
    await this.#wave(this.#head.record.timestampMs + 1n, [wireBy(4, to)]);
  }

  get head(): WaveCommitRecord {
    return this.#head.record;
  }

  /** The truth of an account after the newest wave. */
  claim(address: Address): AccountClaim {
    const { waveId, epoch } = this.head;
    const key = accountKey(address);
    return {
      address,
      handOvers: this.handOvers.slice(0, epoch),
      cert: certBy(this.head, this.seats[epoch] ?? []),
      value: this.state.getAt(key, waveId),
      proof: this.state.prove(key, waveId),
    };
  }

  async #wave(timestampMs: bigint, transactions: Uint8Array[] = []): Promise<WaveCommitRecord> {
    const { record, digest } = this.#head;
    const isFirst = record.nextCommitteeHash !== undefined;
    const result = executeWave(
      {
        state: this.state,
        store: this.store,
        parameters: this.genesis.parameters,
        verify: falconVerifyBatch,
      },
      {
        chainId: this.genesis.chainId,
        epoch: toEpoch(record.epoch + (isFirst ? 1 : 0)),
        waveId: toWaveId(record.waveId + 1n),
        anchorRound: toRound(isFirst ? 1 : record.anchorRound + 1),
        priorAnchorRound: toRound(isFirst ? 0 : record.anchorRound),
        anchorHash: toVertexHash(blake3(digest)),
        prevDigest: digest,
        timestampMs,
        priorTimestampMs: record.timestampMs,
        transactions,
      },
    );
    await this.#land(result);
    return result.record;
  }

  async #land(result: WaveResult): Promise<void> {
    await this.store.batch(result.writes);
    this.state.adopt(result.prepared);
    this.records.push(result.record);
    this.#head = result;
  }
}

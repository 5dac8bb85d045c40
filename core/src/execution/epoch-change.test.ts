import { describe, expect, it } from 'vitest';
import { equalBytes, invariant } from '../bytes/index.ts';
import { blake3, falconVerifyBatch } from '../crypto/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { addressOf, publicKeyOf, wireBy } from '../tx/testing.ts';
import {
  encodeWaveCommitRecord,
  type Genesis,
  genesisHash,
  toEpoch,
  toHash,
  toNonce,
  toQuanta,
  toRound,
  toValidatorIndex,
  toVertexHash,
  toWaveId,
  type WaveCommitRecord,
} from '../types/index.ts';
import { committeeHash, readEpochState, selectCommittee } from '../validators/index.ts';
import { executeGenesis, executeWave, type WaveResult } from './index.ts';
import { DEVNET_PARAMETERS, testGenesis } from './testing.ts';

const VALIDATORS = 5;
const DURATION_MS = 1_000;
/** The fields after timestamp_ms, from state_root on, do not enter the beacon. */
const BEACON_BYTES = 5 * 8 + 2 * 32 + 8;

const genesis: Genesis = testGenesis({
  parameters: { ...DEVNET_PARAMETERS, epochDurationMs: DURATION_MS },
  validators: Array.from({ length: VALIDATORS }, (_, i) => ({
    address: addressOf(i),
    operator: addressOf(i),
    publicKey: publicKeyOf(i),
    stake: toQuanta(10n ** 13n),
  })),
});
const start = genesis.timestampMs;

/** A chain whose waves are stamped and numbered as a test says. */
class Chain {
  readonly store = new MemoryStore();
  readonly state = StateStore.open(this.store);
  head: WaveResult;

  private constructor() {
    this.head = executeGenesis({ state: this.state, store: this.store }, genesis);
  }

  static async open(): Promise<Chain> {
    const chain = new Chain();
    await chain.#land(chain.head);
    return chain;
  }

  async wave(
    timestampMs: bigint,
    { transactions = [], epoch = 0 }: { transactions?: Uint8Array[]; epoch?: number } = {},
  ): Promise<WaveCommitRecord> {
    const { record, digest } = this.head;
    const isFirst = record.epoch !== epoch;
    const result = executeWave(
      {
        state: this.state,
        store: this.store,
        parameters: genesis.parameters,
        verify: falconVerifyBatch,
      },
      {
        chainId: genesis.chainId,
        epoch: toEpoch(epoch),
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
    this.head = result;
  }
}

const transfer = (nonce: bigint): Uint8Array =>
  wireBy(1, { to: addressOf(2), value: toQuanta(1n), nonce: toNonce(nonce) });

describe('the epoch in the state', () => {
  it('is written by wave 1: genesis validators in order, the genesis hash as beacon', async () => {
    const chain = await Chain.open();
    expect(readEpochState(chain.state)).toBeUndefined();
    await chain.wave(start + 1n);
    expect(readEpochState(chain.state)).toEqual({
      current: {
        epoch: 0,
        startMs: start,
        closingWave: 0n,
        beacon: genesisHash(genesis),
        committee: [0, 1, 2, 3, 4],
        eligible: undefined,
      },
      previous: undefined,
    });
  });

  it('freezes who is eligible in the last transaction wave, whose transactions still run', async () => {
    const chain = await Chain.open();
    const before = await chain.wave(start + 999n, { transactions: [transfer(0n)] });
    expect(readEpochState(chain.state)?.current.eligible).toBeUndefined();
    const last = await chain.wave(start + 1_000n, { transactions: [transfer(1n)] });
    expect(readEpochState(chain.state)?.current.eligible).toEqual([0, 1, 2, 3, 4]);
    expect([before, last].map((r) => [r.txCount, r.nextBeacon, r.nextCommitteeHash])).toEqual([
      [1, undefined, undefined],
      [1, undefined, undefined],
    ]);
  });

  it('changes in the closing wave, which ignores transactions', async () => {
    const chain = await Chain.open();
    await chain.wave(start + 1_500n);
    const closing = await chain.wave(start + 1_777n, { transactions: [transfer(0n)] });
    expect(closing.txCount).toBe(0);
    expect(chain.head.passedOver).toEqual([]);
    const beacon = toHash(
      blake3(
        new TextEncoder().encode('pyde/beacon/1'),
        encodeWaveCommitRecord(closing).subarray(0, BEACON_BYTES),
      ),
    );
    const committee = selectCommittee(
      beacon,
      Array.from({ length: VALIDATORS }, (_, i) => toValidatorIndex(i)),
    );
    expect(closing.nextBeacon).toEqual(beacon);
    const members = committee.map((index) => ({ index, publicKey: publicKeyOf(index) }));
    expect(closing.nextCommitteeHash).toEqual(committeeHash(toEpoch(1), members));
    const state = readEpochState(chain.state);
    expect(state?.current).toEqual({
      epoch: 1,
      startMs: start + 1_777n,
      closingWave: 2n,
      beacon,
      committee,
      eligible: undefined,
    });
    expect(state?.previous).toMatchObject({ epoch: 0, eligible: [0, 1, 2, 3, 4] });
    // The transaction that a tail wave ignored runs in the next epoch.
    const first = await chain.wave(start + 1_800n, { transactions: [transfer(0n)], epoch: 1 });
    expect(first).toMatchObject({ epoch: 1, txCount: 1, priorAnchorRound: 0 });
  });

  it('goes through epochs whose beacons and committees differ, each as long as the first', async () => {
    const chain = await Chain.open();
    const beacons: Uint8Array[] = [];
    const seats: string[] = [];
    for (let epoch = 0; epoch < 4; epoch++) {
      const began = chain.head.record.timestampMs;
      for (const after of [1n, 999n]) await chain.wave(began + after, { epoch });
      expect(readEpochState(chain.state)?.current.eligible).toBeUndefined();
      await chain.wave(began + 1_000n, { epoch });
      const closing = await chain.wave(began + 1_001n, { epoch });
      invariant(closing.nextBeacon !== undefined, 'the fourth wave closes the epoch');
      expect(beacons.some((b) => equalBytes(b, closing.nextBeacon ?? b))).toBe(false);
      beacons.push(closing.nextBeacon);
      seats.push(String(readEpochState(chain.state)?.current.committee));
    }
    expect(new Set(seats).size).toBeGreaterThan(1);
  });

  it('is the same for whoever executes the same waves', async () => {
    const run = async (): Promise<WaveResult> => {
      const chain = await Chain.open();
      for (const at of [400n, 1_000n, 1_001n]) await chain.wave(start + at);
      return chain.head;
    };
    expect((await run()).digest).toEqual((await run()).digest);
  });

  it('does not run a wave of another epoch than the state is in', async () => {
    const chain = await Chain.open();
    await expect(chain.wave(start + 5n, { epoch: 1 })).rejects.toThrow('wave 1 is of epoch 1');
  });
});

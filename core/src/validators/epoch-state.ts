/**
 * The epoch as the state keeps it (docs/protocol/encoding.md, "EpochState"): written by wave 1, by
 * the last transaction wave of an epoch and by its closing wave. From it and the records of waves
 * any full node knows the committee, the beacon and the start of the epoch that it is in.
 */
import { type BorshReader, type BorshWriter, decodeExactly, encode } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Overlay, STATE_KIND, type StateKey, type StateReader } from '../state/index.ts';
import {
  type Epoch,
  exactNumber,
  type Genesis,
  genesisHash,
  HASH_BYTES,
  type Hash,
  MAX_COMMITTEE_SIZE,
  toEpoch,
  toHash,
  toValidatorIndex,
  toWaveId,
  type ValidatorIndex,
  type WaveId,
} from '../types/index.ts';

/** One epoch; validators by their place in the registry. */
export interface EpochRecord {
  readonly epoch: Epoch;
  readonly startMs: bigint;
  /** Closed the epoch before, and its record's digest starts this one's DAG; 0 in epoch 0. */
  readonly closingWave: WaveId;
  readonly beacon: Hash;
  /** In seat order. */
  readonly committee: readonly ValidatorIndex[];
  /** Who may sit in the next one, frozen by the last transaction wave; undefined before it. */
  readonly eligible: readonly ValidatorIndex[] | undefined;
}

export interface EpochState {
  readonly current: EpochRecord;
  /** The epoch before, which members still serve; undefined in epoch 0. */
  readonly previous: EpochRecord | undefined;
}

const MAX_ELIGIBLE = 0x1_0000;

export const EPOCH_STATE_KEY: StateKey = {
  kind: STATE_KIND.system,
  owner: blake3(new TextEncoder().encode('pyde/system/epoch')),
  slot: new Uint8Array(32),
};

/** Epoch 0: the genesis validators in their order, and the genesis hash as beacon. */
export function genesisEpoch(genesis: Genesis): EpochRecord {
  return {
    epoch: toEpoch(0),
    startMs: genesis.timestampMs,
    closingWave: toWaveId(0n),
    beacon: toHash(genesisHash(genesis)),
    committee: genesis.validators.map((_, i) => toValidatorIndex(i)),
    eligible: undefined,
  };
}

export function encodeEpochState({ current, previous }: EpochState): Uint8Array {
  return encode((w) => {
    writeEpoch(w, current);
    w.option(previous, writeEpoch);
  });
}

/** @throws PydeError `borsh.*` or `types.*` */
export function decodeEpochState(bytes: Uint8Array): EpochState {
  return decodeExactly(bytes, (r) => ({ current: readEpoch(r), previous: r.option(readEpoch) }));
}

/** Undefined before wave 1. In a state that was loaded as wave 0 it is that of another chain. */
export function readEpochState(reader: StateReader): EpochState | undefined {
  const bytes = reader.get(EPOCH_STATE_KEY);
  return bytes === undefined ? undefined : decodeEpochState(bytes);
}

export function writeEpochState(overlay: Overlay, state: EpochState): void {
  overlay.set(EPOCH_STATE_KEY, encodeEpochState(state));
}

function writeEpoch(writer: BorshWriter, record: EpochRecord): void {
  writer
    .u64(BigInt(record.epoch))
    .u64(record.startMs)
    .u64(record.closingWave)
    .fixed(record.beacon)
    .vec(record.committee, (w, index) => w.u16(index))
    .option(record.eligible, (w, eligible) => w.vec(eligible, (v, index) => v.u16(index)));
}

function readEpoch(reader: BorshReader): EpochRecord {
  return {
    epoch: toEpoch(exactNumber(reader.u64(), 'epoch')),
    startMs: reader.u64(),
    closingWave: toWaveId(reader.u64()),
    beacon: toHash(reader.fixed(HASH_BYTES)),
    committee: reader.vec(MAX_COMMITTEE_SIZE, 2, (r) => toValidatorIndex(r.u16())),
    eligible: reader.option((r) => r.vec(MAX_ELIGIBLE, 2, (v) => toValidatorIndex(v.u16()))),
  };
}

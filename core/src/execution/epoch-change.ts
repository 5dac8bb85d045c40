/**
 * What waves do to the epoch (design/consensus.md, "Epochs"): the last transaction wave freezes who
 * may sit in the next committee, the closing wave draws beacon and committee of the next epoch.
 *
 * Until beacons are dealt, the beacon is a hash of the closing record: of its fields up to the
 * state root, which covers the beacon itself. Whoever makes the closing anchor can try several.
 * Rewards, the end of slashings and the lives of validators are not part of it yet.
 */
import { encode, invariant } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import type { Overlay } from '../state/index.ts';
import {
  type Genesis,
  type GenesisParameters,
  type Hash,
  toEpoch,
  toHash,
  toValidatorIndex,
  type WaveCommitRecord,
} from '../types/index.ts';
import {
  committeeHash,
  type EpochPhase,
  type EpochRecord,
  type EpochState,
  epochPhase,
  genesisEpoch,
  isEpochSettled,
  readEpochState,
  selectCommittee,
  writeEpochState,
} from '../validators/index.ts';
import { readGenesisOf } from './archive.ts';

/** The fields of a closing record that are known before its wave runs, in their order. */
export type ClosingFields = Pick<
  WaveCommitRecord,
  | 'chainId'
  | 'epoch'
  | 'waveId'
  | 'anchorRound'
  | 'priorAnchorRound'
  | 'anchorHash'
  | 'prevDigest'
  | 'timestampMs'
>;

/** What a record says of the next epoch; both undefined but in a closing one. */
export type HandOver = Pick<WaveCommitRecord, 'nextBeacon' | 'nextCommitteeHash'>;

export interface EpochContext {
  readonly store: KeyValueStore;
  readonly parameters: GenesisParameters;
}

/** A wave within the epoch that the state says it is in. */
export interface EpochOfWave {
  readonly state: EpochState;
  readonly phase: EpochPhase;
  /** Its transactions run. */
  readonly takesTransactions: boolean;
}

const BEACON_DOMAIN = new TextEncoder().encode('pyde/beacon/1');

/** The epoch that a wave belongs to; wave 1 puts that of genesis into the state. */
export function epochOf(
  { store, parameters }: EpochContext,
  overlay: Overlay,
  wave: Pick<ClosingFields, 'epoch' | 'waveId' | 'timestampMs'> & { priorTimestampMs: bigint },
): EpochOfWave {
  if (wave.waveId === 1n) {
    writeEpochState(overlay, { current: genesisEpoch(genesisOf(store)), previous: undefined });
  }
  const state = readEpochState(overlay);
  invariant(state !== undefined, 'wave 1 wrote the epoch');
  invariant(
    state.current.epoch === wave.epoch,
    `wave ${wave.waveId} is of epoch ${wave.epoch}, the state of ${state.current.epoch}`,
  );
  const span = { startMs: state.current.startMs, durationMs: parameters.epochDurationMs };
  const phase = epochPhase(span, wave, isEpochSettled());
  return { state, phase, takesTransactions: phase === 'open' || phase === 'last' };
}

/** Carries the epoch on, after the transactions of the wave. */
export function advanceEpoch(
  { store }: EpochContext,
  overlay: Overlay,
  { state: { current, previous }, phase }: EpochOfWave,
  wave: ClosingFields,
): HandOver {
  switch (phase) {
    case 'open':
    case 'tail':
      return { nextBeacon: undefined, nextCommitteeHash: undefined };
    case 'last': {
      // Eligible are the validators of genesis, all of them, in their order.
      const eligible = genesisOf(store).validators.map((_, i) => toValidatorIndex(i));
      writeEpochState(overlay, { current: { ...current, eligible }, previous });
      return { nextBeacon: undefined, nextCommitteeHash: undefined };
    }
    case 'closing': {
      const next = nextEpoch(current, wave);
      writeEpochState(overlay, { current: next, previous: current });
      return {
        nextBeacon: next.beacon,
        nextCommitteeHash: committeeHashOf(next, genesisOf(store)),
      };
    }
    default:
      return phase satisfies never;
  }
}

/** `Blake3("pyde/beacon/1" ‖ the record up to its timestamp)`. */
export function closingBeacon(wave: ClosingFields): Hash {
  const fields = encode((w) =>
    w
      .u64(wave.chainId)
      .u64(BigInt(wave.epoch))
      .u64(wave.waveId)
      .u64(BigInt(wave.anchorRound))
      .u64(BigInt(wave.priorAnchorRound))
      .fixed(wave.anchorHash)
      .fixed(wave.prevDigest)
      .u64(wave.timestampMs),
  );
  return toHash(blake3(BEACON_DOMAIN, fields));
}

function nextEpoch({ epoch, eligible }: EpochRecord, wave: ClosingFields): EpochRecord {
  invariant(eligible !== undefined, 'the last transaction wave froze who is eligible');
  const beacon = closingBeacon(wave);
  return {
    epoch: toEpoch(epoch + 1),
    startMs: wave.timestampMs,
    closingWave: wave.waveId,
    beacon,
    committee: selectCommittee(beacon, eligible),
    eligible: undefined,
  };
}

/** `next_committee_hash` of the record that closes the epoch before `record`. */
function committeeHashOf({ epoch, committee }: EpochRecord, genesis: Genesis): Hash {
  const members = committee.map((index) => {
    const validator = genesis.validators[index];
    invariant(validator !== undefined, `genesis names validator ${index}`);
    return { index, publicKey: validator.publicKey };
  });
  return committeeHash(epoch, members);
}

function genesisOf(store: KeyValueStore): Genesis {
  const genesis = readGenesisOf(store);
  invariant(genesis !== undefined, 'the store holds the genesis of its chain');
  return genesis;
}

/**
 * An epoch as consensus needs it, from what the state says (docs/protocol/encoding.md,
 * "EpochState"). Validators keep their index for good; a seat is theirs for one epoch.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import { AnchorSchedule } from '../consensus/index.ts';
import { readWaveRecord } from '../execution/index.ts';
import type { Committee } from '../finality/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import {
  type FalconPublicKey,
  type Genesis,
  genesisHash,
  type Hash,
  type MemberIndex,
  toHash,
  toMemberIndex,
  type ValidatorIndex,
  waveDigest,
} from '../types/index.ts';
import type { EpochRecord } from '../validators/index.ts';

export interface EpochDescription {
  readonly record: EpochRecord;
  /** Names the vertices of round 0. */
  readonly start: Hash;
  readonly committee: Committee;
  readonly schedule: AnchorSchedule;
  /** By validator; absent for one without a seat. */
  readonly seats: ReadonlyMap<ValidatorIndex, MemberIndex>;
}

/**
 * @param store holds the record of the wave that closed the epoch before
 * @returns undefined when it does not
 */
export function describeEpoch(
  store: KeyValueStore,
  genesis: Genesis,
  record: EpochRecord,
): EpochDescription | undefined {
  const start = startOf(store, genesis, record);
  if (start === undefined) return undefined;
  const { epoch, beacon } = record;
  const members = record.committee.map((index) => {
    const validator = genesis.validators[index];
    invariant(validator !== undefined, `genesis names validator ${index}`);
    const { address, publicKey } = validator;
    return { address, publicKey };
  });
  return {
    record,
    start,
    committee: { epoch, members },
    schedule: new AnchorSchedule(beacon, epoch, members.length),
    seats: new Map(record.committee.map((index, seat) => [index, toMemberIndex(seat)])),
  };
}

/** The seat of a key in an epoch's committee. */
export function seatOfKey(
  { committee }: EpochDescription,
  key: FalconPublicKey,
): MemberIndex | undefined {
  const seat = committee.members.findIndex(({ publicKey }) => equalBytes(publicKey, key));
  return seat < 0 ? undefined : toMemberIndex(seat);
}

/** The digest of the record that closed the epoch before; the genesis hash for epoch 0. */
function startOf(
  store: KeyValueStore,
  genesis: Genesis,
  { epoch, closingWave }: EpochRecord,
): Hash | undefined {
  if (epoch === 0) return toHash(genesisHash(genesis));
  const closing = readWaveRecord(store, closingWave);
  return closing === undefined ? undefined : waveDigest(closing);
}

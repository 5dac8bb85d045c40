/**
 * The committee that a closing record names (design/consensus.md, "Epochs"). Eligible are the
 * validators of genesis, so that the record alone says who is drawn.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import type { Committee, SeatedValidator } from '../finality/index.ts';
import {
  type FalconPublicKey,
  type Genesis,
  type Hash,
  toEpoch,
  toValidatorIndex,
  type WaveCommitRecord,
} from '../types/index.ts';
import { committeeHash, selectCommittee } from '../validators/index.ts';

/**
 * Whom a beacon draws, in seat order. For whoever holds no certificate of the record that names it:
 * `verifyHandOver` says whether they are the next committee.
 * @param validators those of genesis, in its order
 */
export function drawnBy(beacon: Hash, validators: readonly FalconPublicKey[]): SeatedValidator[] {
  const eligible = validators.map((_, i) => toValidatorIndex(i));
  return selectCommittee(beacon, eligible).flatMap((index) => {
    const publicKey = validators[index];
    return publicKey === undefined ? [] : [{ index, publicKey }];
  });
}

/** In seat order. @param closing is certified */
export function seatedBy(closing: WaveCommitRecord, genesis: Genesis): SeatedValidator[] {
  const { epoch, nextBeacon, nextCommitteeHash } = closing;
  invariant(
    nextBeacon !== undefined && nextCommitteeHash !== undefined,
    'a closing record names the next beacon and committee',
  );
  const seated = drawnBy(
    nextBeacon,
    genesis.validators.map(({ publicKey }) => publicKey),
  );
  const next = toEpoch(epoch + 1);
  invariant(
    equalBytes(committeeHash(next, seated), nextCommitteeHash),
    `a certified record names another committee of epoch ${next} than its beacon draws`,
  );
  return seated;
}

/** @param closing is certified */
export function committeeAfter(closing: WaveCommitRecord, genesis: Genesis): Committee {
  const members = seatedBy(closing, genesis).map(({ index, publicKey }) => {
    const validator = genesis.validators[index];
    invariant(validator !== undefined, `genesis names validator ${index}`);
    return { address: validator.address, publicKey };
  });
  return { epoch: toEpoch(closing.epoch + 1), members };
}

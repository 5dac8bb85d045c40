/**
 * Who sits in the next committee, and the hash by which a closing record names it
 * (design/consensus.md, "Epochs" and "Finality").
 */
import { encode, readU64LittleEndian, u64LittleEndian } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import {
  type Epoch,
  type FalconPublicKey,
  type Hash,
  MAX_COMMITTEE_SIZE,
  toHash,
  type ValidatorIndex,
} from '../types/index.ts';

/** A seat as `next_committee_hash` covers it. */
export interface SeatedValidator {
  readonly index: ValidatorIndex;
  readonly publicKey: FalconPublicKey;
}

const SELECTION_DOMAIN = new TextEncoder().encode('pyde/committee/1');
const HASH_DOMAIN = new TextEncoder().encode('pyde/committee-hash/1');

/**
 * Draws seats from 0 without replacement: seat s takes, of those eligible and not seated yet in
 * their order, the one at `Blake3("pyde/committee/1" ‖ beacon ‖ s) mod` their number.
 * @param eligible in the order in which it was frozen
 */
export function selectCommittee(
  beacon: Hash,
  eligible: readonly ValidatorIndex[],
  maxSize: number = MAX_COMMITTEE_SIZE,
): ValidatorIndex[] {
  const remaining = [...eligible];
  const seats: ValidatorIndex[] = [];
  while (seats.length < maxSize && remaining.length > 0) {
    const digest = blake3(SELECTION_DOMAIN, beacon, u64LittleEndian(BigInt(seats.length)));
    const at = Number(readU64LittleEndian(digest) % BigInt(remaining.length));
    seats.push(...remaining.splice(at, 1));
  }
  return seats;
}

/**
 * `Blake3("pyde/committee-hash/1" ‖ borsh { epoch u64, members Vec<{ index u16, key [897] }> })`:
 * epoch, n and the members in seat order.
 */
export function committeeHash(epoch: Epoch, members: readonly SeatedValidator[]): Hash {
  const listed = encode((w) =>
    w.u64(BigInt(epoch)).vec(members, (m, { index, publicKey }) => m.u16(index).fixed(publicKey)),
  );
  return toHash(blake3(HASH_DOMAIN, listed));
}

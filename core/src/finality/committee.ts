/**
 * A committee and its thresholds (design/consensus.md, opening). One vote a member; the order of
 * the members is the order of their seats and fixes every bitmap.
 */
import { invariant } from '../bytes/index.ts';
import {
  type Address,
  type Epoch,
  type FalconPublicKey,
  type FalconSignature,
  type Genesis,
  MAX_COMMITTEE_SIZE,
  toEpoch,
} from '../types/index.ts';

export interface CommitteeMember {
  readonly address: Address;
  readonly publicKey: FalconPublicKey;
}

export interface Committee {
  readonly epoch: Epoch;
  /** In seat order; 1 to 128. */
  readonly members: readonly CommitteeMember[];
}

/** Signs as one member. The signature is over `message` itself, in the 666-byte padded form. */
export interface Signer {
  readonly publicKey: FalconPublicKey;
  sign(message: Uint8Array): FalconSignature;
}

/** f: how many of n members may be faulty. */
export const maxFaulty = (n: number): number => Math.floor((n - 1) / 3);

/**
 * q = n − f. Two quorums share at least f + 1 members, so an honest one; 85 of 128, which older
 * text gives, would let them meet in f members, all of them faulty.
 */
export const quorum = (n: number): number => n - maxFaulty(n);

/** Epoch 0's committee: the genesis validators, in seat order. */
export function genesisCommittee(genesis: Genesis): Committee {
  invariant(
    genesis.validators.length >= 1 && genesis.validators.length <= MAX_COMMITTEE_SIZE,
    'genesis names 1 to 128 validators',
  );
  const members = genesis.validators.map(({ address, publicKey }) => ({ address, publicKey }));
  return { epoch: toEpoch(0), members };
}

/**
 * From one committee to the next (design/consensus.md, "Finality"; design/light-client.md, "Light
 * client"): a closing record, its certificate, and the next committee's list, which the record names
 * by hash. Who trusts one committee comes to trust all that follow, a hand-over at a time.
 */
import { equalBytes } from '../bytes/index.ts';
import { eoaAddress } from '../crypto/index.ts';
import {
  type HardFinalityCert,
  MAX_COMMITTEE_SIZE,
  toAddress,
  toEpoch,
  type WaveCommitRecord,
} from '../types/index.ts';
import { committeeHash, type SeatedValidator } from '../validators/index.ts';
import { type CertOptions, refuse, verifyCert } from './cert.ts';
import type { Committee } from './committee.ts';

/** What hands one epoch over to the next. */
export interface HandOver {
  /** Over the record that closes the epoch. */
  readonly closing: HardFinalityCert;
  /** The next committee, in seat order. */
  readonly members: readonly SeatedValidator[];
}

/**
 * The committee that a certified closing record hands over to.
 * @throws PydeError `cert.not-closing`, `cert.next-committee`, and what {@link verifyCert} throws
 */
export function verifyHandOver(
  { closing, members }: HandOver,
  committee: Committee,
  options: CertOptions,
): Committee {
  const next = namedCommittee(closing.record, members);
  verifyCert(closing, committee, options);
  return next;
}

/**
 * Follows hand-overs from a trusted committee, one for each epoch, none left out.
 * @returns the committee after the last of them
 * @throws PydeError as {@link verifyHandOver}
 */
export function verifyHandOverChain(
  trusted: Committee,
  handOvers: readonly HandOver[],
  options: CertOptions,
): Committee {
  let committee = trusted;
  for (const handOver of handOvers) committee = verifyHandOver(handOver, committee, options);
  return committee;
}

/**
 * The listed members as the committee that a trusted record names; the record itself is not checked.
 * @throws PydeError `cert.not-closing`, `cert.next-committee`
 */
export function namedCommittee(
  { waveId, epoch, nextCommitteeHash }: WaveCommitRecord,
  members: readonly SeatedValidator[],
): Committee {
  if (nextCommitteeHash === undefined) {
    throw refuse('cert.not-closing', `wave ${waveId} does not close epoch ${epoch}`);
  }
  const next = toEpoch(epoch + 1);
  const isNamed =
    members.length >= 1 &&
    members.length <= MAX_COMMITTEE_SIZE &&
    equalBytes(committeeHash(next, members), nextCommitteeHash);
  if (!isNamed) {
    throw refuse(
      'cert.next-committee',
      `the ${members.length} members listed are not the committee that wave ${waveId} names`,
    );
  }
  return {
    epoch: next,
    members: members.map(({ publicKey }) => ({
      address: toAddress(eoaAddress(publicKey)),
      publicKey,
    })),
  };
}

/**
 * An account that is believed only as far as it was checked here (design/light-client.md, "Light
 * client"): from a trusted head over hand-overs to the committee of a certificate, from the
 * certificate to the record of a wave, from both roots of that record to the account. Whatever of the
 * claim is not so is refused by name; nothing of it is believed in part.
 */
import { type Account, accountKey, decodeAccount, ZERO_ACCOUNT } from '../account/index.ts';
import { type StateProof, verifyStateProof } from '../state/index.ts';
import {
  type Address,
  type HardFinalityCert,
  signerIndexes,
  type WaveCommitRecord,
} from '../types/index.ts';
import { verifyCert } from './cert.ts';
import type { HandOver } from './hand-over.ts';
import { advanceHead, type HeadOptions, requireOfHead, type TrustedHead } from './trusted-head.ts';

/** What somebody says of an account, and how it is to be shown. */
export interface AccountClaim {
  readonly address: Address;
  /** From the head's epoch to that of the certificate, one for each epoch between them. */
  readonly handOvers: readonly HandOver[];
  /** Of the wave after which the account is as claimed. */
  readonly cert: HardFinalityCert;
  /** The account's record; undefined claims that there is none. */
  readonly value: Uint8Array | undefined;
  readonly proof: StateProof;
}

export interface VerifiedAccount {
  readonly account: Account;
  /** False when the proof shows that the account has never been used. */
  readonly exists: boolean;
  readonly record: WaveCommitRecord;
  /** Seats of `head.committee` whose signatures were checked. */
  readonly signers: readonly number[];
  /** Where the next claim may start from. */
  readonly head: TrustedHead;
}

/**
 * @throws PydeError `head.*`, `cert.*` (a hand-over's names its epoch in the message), `state.proof-*`,
 * or `borsh.*`, `account.*`, `types.*` for a proven record that is no account
 */
export function verifyAccount(
  trusted: TrustedHead,
  { address, handOvers, cert, value, proof }: AccountClaim,
  options: HeadOptions,
): VerifiedAccount {
  const head = advanceHead(trusted, handOvers, options);
  const { record } = cert;
  requireOfHead(record, head);
  const { verify } = options;
  verifyCert(cert, head.committee, {
    chainId: head.chainId,
    ...(verify === undefined ? {} : { verify }),
  });
  verifyStateProof({ root: record.stateRoot, key: accountKey(address), value, proof });
  return {
    account: value === undefined ? ZERO_ACCOUNT : decodeAccount(value),
    exists: value !== undefined,
    record,
    signers: signerIndexes(cert.signers),
    head,
  };
}

/**
 * A transaction as spec/wire.md defines it. Its codec, hash and static checks are in `tx/`; here is
 * only what others hold on to.
 */
import type { Address, Nonce, SlotHash, Value } from './brand.ts';

/** Type tags of wire.md; 2 is vacant and does not decode. */
export const TX_TYPE = {
  standard: 0,
  deploy: 1,
  stakeDeposit: 3,
  stakeWithdraw: 4,
  slash: 5,
  claimReward: 6,
  claimAirdrop: 7,
  sweepAirdrop: 8,
  multisigTx: 9,
  rotateMultisig: 10,
  emergencyPause: 11,
  emergencyResume: 12,
  registerPubkey: 13,
  unjail: 14,
  rotateValidatorKeys: 15,
  disputeSlash: 16,
  commit: 17,
  reveal: 18,
  sealed: 32,
  rotateKeys: 33,
  gasTankDeposit: 34,
  gasTankWithdraw: 35,
  lifecycle: 48,
} as const;

/** A tag of {@link TX_TYPE}, or 36 … 47 for parachain operations. */
export type TxType = number;

export type FeePayer =
  | { readonly kind: 'sender' }
  | { readonly kind: 'gas-tank' }
  | { readonly kind: 'paymaster'; readonly address: Address };

export interface AccessEntry {
  readonly address: Address;
  readonly storageKeys: readonly SlotHash[];
  readonly access: 'read' | 'read-write';
}

export interface Tx {
  readonly from: Address;
  readonly to: Address;
  readonly value: Value;
  readonly data: Uint8Array;
  readonly gasLimit: bigint;
  readonly nonce: Nonce;
  /** As received, any accepted encoding; not part of the hash. */
  readonly signature: Uint8Array;
  readonly feePayer: FeePayer;
  readonly accessList: readonly AccessEntry[];
  /** The last wave in which it may execute. */
  readonly deadline: bigint | undefined;
  readonly chainId: bigint;
  readonly type: TxType;
}

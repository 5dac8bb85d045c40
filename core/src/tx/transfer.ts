/** The plainest transaction (spec/wire.md, "Transaction"): value from one account to another. */
import { type Address, type Nonce, type Quanta, TX_TYPE, type Tx } from '../types/index.ts';
import { INTRINSIC_GAS } from './checks.ts';

export interface Transfer {
  readonly chainId: bigint;
  readonly from: Address;
  readonly to: Address;
  readonly value: Quanta;
  readonly nonce: Nonce;
  /** Default: what a transfer uses. */
  readonly gasLimit?: bigint;
}

/** Unsigned, without data, access list or deadline; the sender pays. */
export function transferTx(transfer: Transfer): Tx {
  return {
    gasLimit: INTRINSIC_GAS,
    ...transfer,
    type: TX_TYPE.standard,
    data: new Uint8Array(0),
    feePayer: { kind: 'sender' },
    accessList: [],
    deadline: undefined,
    signature: new Uint8Array(0),
  };
}

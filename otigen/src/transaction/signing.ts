/**
 * Transactions that otigen makes, and their signatures: FALCON-512 over the canonical hash with
 * fresh randomness (spec/wire.md, Transaction).
 */
import { randomFillSync } from 'node:crypto';
import { FALCON_SIGN_RANDOM_BYTES, falconSign } from '@pyde/core/crypto';
import { encodeRegisterPubkey, encodeTx, INTRINSIC_GAS, txHash } from '@pyde/core/tx';
import {
  type Address,
  type FalconPublicKey,
  type Nonce,
  type Quanta,
  TX_TYPE,
  type Tx,
  toQuanta,
  ZERO_ADDRESS,
} from '@pyde/core/types';

export const TRANSFER_GAS = INTRINSIC_GAS;

export interface Transfer {
  readonly chainId: bigint;
  readonly from: Address;
  readonly to: Address;
  readonly value: Quanta;
  readonly nonce: Nonce;
  readonly gasLimit: bigint;
}

/** Wire bytes of a signed transfer. */
export function signedTransfer(transfer: Transfer, secretKey: Uint8Array): Uint8Array {
  const tx = plain({ ...transfer, type: TX_TYPE.standard, data: new Uint8Array(0) });
  return encodeTx({ ...tx, signature: signMessage(secretKey, txHash(tx)) });
}

/** Wire bytes of RegisterPubkey; the address itself proves the key, so nothing is signed. */
export function registration(
  chainId: bigint,
  from: Address,
  publicKey: FalconPublicKey,
  nonce: Nonce,
): Uint8Array {
  return encodeTx(
    plain({
      chainId,
      from,
      to: ZERO_ADDRESS,
      value: toQuanta(0n),
      nonce,
      gasLimit: INTRINSIC_GAS,
      type: TX_TYPE.registerPubkey,
      data: encodeRegisterPubkey(publicKey),
    }),
  );
}

/** The 666-byte padded signature of `message`. */
export function signMessage(secretKey: Uint8Array, message: Uint8Array): Uint8Array {
  const randomness = randomFillSync(new Uint8Array(FALCON_SIGN_RANDOM_BYTES));
  return falconSign(secretKey, message, randomness);
}

function plain(fields: Transfer & Pick<Tx, 'type' | 'data'>): Tx {
  return {
    ...fields,
    signature: new Uint8Array(0),
    feePayer: { kind: 'sender' },
    accessList: [],
    deadline: undefined,
  };
}

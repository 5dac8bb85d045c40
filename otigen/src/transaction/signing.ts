/**
 * Transactions that otigen makes, and their signatures: FALCON-512 over the canonical hash with
 * fresh randomness (spec/wire.md, Transaction).
 */
import { randomFillSync } from 'node:crypto';
import { FALCON_SIGN_RANDOM_BYTES, falconSign } from '@pyde/core/crypto';
import {
  encodeRegisterPubkey,
  encodeTx,
  INTRINSIC_GAS,
  type Transfer,
  transferTx,
  txHash,
} from '@pyde/core/tx';
import {
  type Address,
  type FalconPublicKey,
  type Nonce,
  TX_TYPE,
  toQuanta,
  ZERO_ADDRESS,
} from '@pyde/core/types';

export const TRANSFER_GAS = INTRINSIC_GAS;

/** Wire bytes of a signed transfer. */
export function signedTransfer(transfer: Transfer, secretKey: Uint8Array): Uint8Array {
  const tx = transferTx(transfer);
  return encodeTx({ ...tx, signature: signMessage(secretKey, txHash(tx)) });
}

/** Wire bytes of RegisterPubkey; the address itself proves the key, so nothing is signed. */
export function registration(
  chainId: bigint,
  from: Address,
  publicKey: FalconPublicKey,
  nonce: Nonce,
): Uint8Array {
  const value = toQuanta(0n);
  return encodeTx({
    ...transferTx({ chainId, from, to: ZERO_ADDRESS, value, nonce }),
    type: TX_TYPE.registerPubkey,
    data: encodeRegisterPubkey(publicKey),
  });
}

/** The 666-byte padded signature of `message`. */
export function signMessage(secretKey: Uint8Array, message: Uint8Array): Uint8Array {
  const randomness = randomFillSync(new Uint8Array(FALCON_SIGN_RANDOM_BYTES));
  return falconSign(secretKey, message, randomness);
}

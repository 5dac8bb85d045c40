/** Transactions for tests, signed with the devnet's keys. */
import { encodeMultisigSignature } from '../account/index.ts';
import { concatBytes, u64LittleEndian } from '../bytes/index.ts';
import { blake3, FALCON_SIGN_RANDOM_BYTES, falconSign } from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import {
  type Address,
  type FalconPublicKey,
  TX_TYPE,
  type Tx,
  toAddress,
  toFalconPublicKey,
  toNonce,
  toQuanta,
  ZERO_ADDRESS,
} from '../types/index.ts';
import { encodeRegisterPubkey, encodeTx, txHash } from './index.ts';

export const DEVNET_CHAIN_ID = 31337n;

export const addressOf = (i: number): Address => toAddress(testKey(i).address);

export const publicKeyOf = (i: number): FalconPublicKey => toFalconPublicKey(testKey(i).publicKey);

let drawn = 0n;

/** The padded signature of `message` by devnet account `i`. */
export function signatureOf(i: number, message: Uint8Array): Uint8Array {
  drawn += 1n;
  const seed = u64LittleEndian(drawn);
  const parts = [0, 1, 2].map((part) => blake3(seed, message, Uint8Array.of(part)));
  const randomness = concatBytes(...parts).subarray(0, FALCON_SIGN_RANDOM_BYTES);
  return falconSign(testKey(i).secretKey, message, randomness);
}

/** An unsigned transfer of devnet account 0, with what is given instead. */
export function txOf(fields: Partial<Tx> = {}): Tx {
  return {
    from: addressOf(0),
    to: ZERO_ADDRESS,
    value: toQuanta(0n),
    data: new Uint8Array(0),
    gasLimit: 21_000n,
    nonce: toNonce(0n),
    signature: new Uint8Array(0),
    feePayer: { kind: 'sender' },
    accessList: [],
    deadline: undefined,
    chainId: DEVNET_CHAIN_ID,
    type: TX_TYPE.standard,
    ...fields,
  };
}

/** `txOf` from devnet account `i`, signed by it. */
export function signedBy(i: number, fields: Partial<Tx> = {}): Tx {
  const tx = txOf({ from: addressOf(i), ...fields });
  return { ...tx, signature: signatureOf(i, txHash(tx)) };
}

/** Signed by several devnet accounts, each with its place among the sender's keys. */
export function signedByAll(
  signers: readonly { readonly place: number; readonly key: number }[],
  fields: Partial<Tx>,
): Tx {
  const tx = txOf(fields);
  const hash = txHash(tx);
  const signatures = signers.map(({ place, key }) => ({
    signer: place,
    signature: signatureOf(key, hash),
  }));
  return { ...tx, signature: encodeMultisigSignature(signatures) };
}

/** The registration of devnet account `i`. */
export function registrationOf(i: number, nonce = 0n): Tx {
  return txOf({
    from: addressOf(i),
    type: TX_TYPE.registerPubkey,
    data: encodeRegisterPubkey(publicKeyOf(i)),
    gasLimit: 200_000n,
    nonce: toNonce(nonce),
  });
}

/** Wire bytes of `signedBy`. */
export const wireBy = (i: number, fields: Partial<Tx> = {}): Uint8Array =>
  encodeTx(signedBy(i, fields));

/**
 * The `data` of the transaction types that the chain itself carries out (spec/wire.md,
 * "Transaction"). Every decoder takes the field as it came and refuses what is not exactly it.
 */
import { decodeExactly, encode, PydeError } from '../bytes/index.ts';
import {
  ADDRESS_BYTES,
  type Address,
  type AuthKeys,
  FALCON_PUBLIC_KEY_BYTES,
  type FalconPublicKey,
  type Quanta,
  readAuthKeys,
  toAddress,
  toFalconPublicKey,
  toQuanta,
  writeAuthKeys,
} from '../types/index.ts';

export type PayloadErrorCode = 'tx.payload';

export interface GasTankDeposit {
  /** Whose tank. */
  readonly target: Address;
  readonly amount: Quanta;
}

export interface GasTankWithdraw extends GasTankDeposit {
  /** Whose balance takes it. */
  readonly recipient: Address;
}

/** RegisterPubkey: the public key, bare. */
export const encodeRegisterPubkey = (key: FalconPublicKey): Uint8Array => key.slice();

/** @throws PydeError `tx.payload` */
export function decodeRegisterPubkey(data: Uint8Array): FalconPublicKey {
  return refusing('RegisterPubkey', `the ${FALCON_PUBLIC_KEY_BYTES}-byte public key`, () =>
    toFalconPublicKey(data),
  );
}

/** RotateKeys: the keys that take over, in Borsh. */
export const encodeRotateKeys = (keys: AuthKeys): Uint8Array =>
  encode((w) => writeAuthKeys(w, keys));

/** Never None: an account that signs would be lost. @throws PydeError `tx.payload` */
export function decodeRotateKeys(data: Uint8Array): AuthKeys {
  const keys = refusing('RotateKeys', 'the new AuthKeys', () => decodeExactly(data, readAuthKeys));
  if (keys.kind === 'none') {
    throw new PydeError(
      'tx.payload',
      'RotateKeys to no keys would lock the account for ever; name at least one key',
    );
  }
  return keys;
}

/** GasTankDeposit: `target[32] ‖ amount u128`. */
export const encodeGasTankDeposit = (deposit: GasTankDeposit): Uint8Array =>
  encode((w) => w.fixed(deposit.target).u128(deposit.amount));

/** @throws PydeError `tx.payload` */
export function decodeGasTankDeposit(data: Uint8Array): GasTankDeposit {
  return refusing('GasTankDeposit', 'target and amount, 48 bytes', () =>
    decodeExactly(data, (r) => ({
      target: toAddress(r.fixed(ADDRESS_BYTES)),
      amount: toQuanta(r.u128()),
    })),
  );
}

/** GasTankWithdraw: `target[32] ‖ amount u128 ‖ recipient[32]`. */
export const encodeGasTankWithdraw = (withdrawal: GasTankWithdraw): Uint8Array =>
  encode((w) => w.fixed(withdrawal.target).u128(withdrawal.amount).fixed(withdrawal.recipient));

/** @throws PydeError `tx.payload` */
export function decodeGasTankWithdraw(data: Uint8Array): GasTankWithdraw {
  return refusing('GasTankWithdraw', 'target, amount and recipient, 80 bytes', () =>
    decodeExactly(data, (r) => ({
      target: toAddress(r.fixed(ADDRESS_BYTES)),
      amount: toQuanta(r.u128()),
      recipient: toAddress(r.fixed(ADDRESS_BYTES)),
    })),
  );
}

function refusing<T>(type: string, what: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof PydeError)) throw error;
    throw new PydeError('tx.payload', `the data of ${type} must be ${what}: ${error.message}`, {
      type,
      cause: error.code,
    });
  }
}

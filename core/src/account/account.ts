/**
 * The record of one account and its place in the state (docs/protocol/encoding.md, "Account").
 *
 * Reads of an unknown address give the zero account; writing creates the record, and a record is
 * never deleted. What is read here comes out of verified state and is trusted to have been written
 * by this file.
 */
import {
  type BorshReader,
  type BorshWriter,
  decodeExactly,
  encode,
  PydeError,
} from '../bytes/index.ts';
import { type Overlay, STATE_KIND, type StateKey, type StateReader } from '../state/index.ts';
import {
  type Address,
  HASH_BYTES,
  type Hash,
  type Nonce,
  type Quanta,
  toHash,
  toNonce,
  toQuanta,
  ZERO_HASH,
} from '../types/index.ts';

/** In tag order. */
export const ACCOUNT_TYPES = ['eoa', 'contract', 'system'] as const;
export type AccountType = (typeof ACCOUNT_TYPES)[number];

export interface Account {
  /** The lowest unused nonce. */
  readonly nonceBase: Nonce;
  /** Bit i (0 … 15): nonce `nonceBase + i` is used. Bit 0 is never set. */
  readonly nonceUsed: number;
  readonly balance: Quanta;
  /** Set aside for gas that the account pays for others. */
  readonly gasTank: Quanta;
  readonly accountType: AccountType;
  /** Blake3 of the module; 32 zero bytes without code. */
  readonly codeHash: Hash;
  /** Blake3 of its keys, which lie beside the record; 32 zero bytes without any. */
  readonly authKeysHash: Hash;
  /** How often the keys were rotated. */
  readonly keyNonce: number;
}

export type AccountErrorCode = 'account.nonce-bitmap';

export const ZERO_ACCOUNT: Account = {
  nonceBase: toNonce(0n),
  nonceUsed: 0,
  balance: toQuanta(0n),
  gasTank: toQuanta(0n),
  accountType: 'eoa',
  codeHash: ZERO_HASH,
  authKeysHash: ZERO_HASH,
  keyNonce: 0,
};

const ACCOUNT_SLOT = new Uint8Array(32);

/** Where the record of `address` lies: kind 0, owner = address, slot = 32 zero bytes. */
export function accountKey(address: Address): StateKey {
  return { kind: STATE_KIND.account, owner: address, slot: ACCOUNT_SLOT };
}

export function encodeAccount(account: Account): Uint8Array {
  return encode((w) => writeAccountRecord(w, account));
}

/** @throws PydeError `borsh.*`, `types.*` or {@link AccountErrorCode} */
export function decodeAccount(bytes: Uint8Array): Account {
  return decodeExactly(bytes, readAccountRecord);
}

/**
 * What a value decodes to, for values that are read again: an overlay hands out the array that was
 * set, and values are never changed in place.
 */
const decoded = new WeakMap<Uint8Array, Account>();

/** The account at `address`; the zero account when there is no record. */
export function readAccount(reader: StateReader, address: Address): Account {
  const bytes = reader.get(accountKey(address));
  if (bytes === undefined) return ZERO_ACCOUNT;
  const known = decoded.get(bytes);
  if (known !== undefined) return known;
  const account = decodeAccount(bytes);
  decoded.set(bytes, account);
  return account;
}

/** True when a record was ever written for `address`. */
export function accountExists(reader: StateReader, address: Address): boolean {
  return reader.get(accountKey(address)) !== undefined;
}

export function writeAccount(overlay: Overlay, address: Address, account: Account): void {
  const bytes = encodeAccount(account);
  decoded.set(bytes, account);
  overlay.set(accountKey(address), bytes);
}

function writeAccountRecord(writer: BorshWriter, account: Account): void {
  writer
    .u64(account.nonceBase)
    .u16(account.nonceUsed)
    .u128(account.balance)
    .u128(account.gasTank)
    .u8(ACCOUNT_TYPES.indexOf(account.accountType))
    .fixed(account.codeHash)
    .fixed(account.authKeysHash)
    .u32(account.keyNonce);
}

function readAccountRecord(reader: BorshReader): Account {
  const account = {
    nonceBase: toNonce(reader.u64()),
    nonceUsed: reader.u16(),
    balance: toQuanta(reader.u128()),
    gasTank: toQuanta(reader.u128()),
    accountType: ACCOUNT_TYPES[reader.tag(ACCOUNT_TYPES.length, 'account type')] ?? 'eoa',
    codeHash: toHash(reader.fixed(HASH_BYTES)),
    authKeysHash: toHash(reader.fixed(HASH_BYTES)),
    keyNonce: reader.u32(),
  };
  if ((account.nonceUsed & 1) === 1) {
    throw new PydeError(
      'account.nonce-bitmap',
      'an account record marks its lowest unused nonce as used',
      { nonceUsed: account.nonceUsed },
    );
  }
  return account;
}

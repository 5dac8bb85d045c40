/**
 * The keys of an account lie beside its record, in an entry of their own, and the record names them
 * by their hash (docs/protocol/encoding.md, "Account"). Every transfer writes the record and hashes
 * it twice, and keys are nine tenths of what both would be; they are written when they change, and
 * whoever has checked signatures under keys of that hash need not read them.
 *
 * What is read here comes out of verified state: a state from elsewhere is held against
 * {@link holdsAuthKeysOf} before it is believed.
 */
import { decodeExactly, encode, equalBytes, invariant } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Overlay, STATE_KIND, type StateKey, type StateReader } from '../state/index.ts';
import {
  type Address,
  type AuthKeys,
  type Hash,
  readAuthKeys,
  toHash,
  writeAuthKeys,
  ZERO_HASH,
} from '../types/index.ts';
import type { Account } from './account.ts';

const NO_KEYS: AuthKeys = { kind: 'none' };
const KEYS_SLOT = new Uint8Array(32);
KEYS_SLOT[31] = 1;
/** kind ‖ owner ‖ slot. */
const SLOT_AT = 33;

/** Where the keys of `address` lie: kind 0, owner = address, slot = 1 as 32 bytes big-endian. */
export function authKeysKey(address: Address): StateKey {
  return { kind: STATE_KIND.account, owner: address, slot: KEYS_SLOT };
}

/** Is a state key of kind 0 (65 bytes) that of keys, and not of a record? */
export const isAuthKeysKey = (stateKey: Uint8Array): boolean =>
  equalBytes(stateKey.subarray(SLOT_AT), KEYS_SLOT);

/** Blake3 of the keys in Borsh; 32 zero bytes for none. */
export const authKeysHash = (keys: AuthKeys): Hash =>
  keys.kind === 'none' ? ZERO_HASH : toHash(blake3(encodeAuthKeys(keys)));

export const hasAuthKeys = ({ authKeysHash }: Account): boolean =>
  !equalBytes(authKeysHash, ZERO_HASH);

/** Sets the keys; the record that is returned names them, and is the caller's to write. */
export function setAuthKeys(
  overlay: Overlay,
  address: Address,
  account: Account,
  keys: AuthKeys,
): Account {
  if (keys.kind === 'none') overlay.delete(authKeysKey(address));
  else overlay.set(authKeysKey(address), encodeAuthKeys(keys));
  return { ...account, authKeysHash: authKeysHash(keys) };
}

/** @param account the record of `address`, of the same state */
export function readAuthKeysOf(reader: StateReader, address: Address, account: Account): AuthKeys {
  if (!hasAuthKeys(account)) return NO_KEYS;
  const bytes = reader.get(authKeysKey(address));
  invariant(bytes !== undefined, 'keys that a record names are in the state');
  return decodeExactly(bytes, readAuthKeys);
}

/**
 * Are the keys of an account in a state from elsewhere those that its record names, and no others?
 * @throws PydeError `borsh.*`, `types.*` for an entry that is no keys
 */
export function holdsAuthKeysOf(reader: StateReader, address: Address, account: Account): boolean {
  const bytes = reader.get(authKeysKey(address));
  if (bytes === undefined) return !hasAuthKeys(account);
  const keys = decodeExactly(bytes, readAuthKeys);
  return keys.kind !== 'none' && equalBytes(authKeysHash(keys), account.authKeysHash);
}

const encodeAuthKeys = (keys: AuthKeys): Uint8Array => encode((w) => writeAuthKeys(w, keys));

interface Known {
  readonly hash: Hash;
  readonly keys: AuthKeys;
}

/** What of a hash the index goes by: as much as a number holds exactly. */
const INDEXED_BYTES = 6;

/** Keys that were read lately. They are found by their hash, so that they are never out of date. */
export class KnownAuthKeys {
  readonly #maxEntries: number;
  readonly #known = new Map<number, Known>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** As {@link readAuthKeysOf}. */
  of(reader: StateReader, address: Address, account: Account): AuthKeys {
    if (!hasAuthKeys(account)) return NO_KEYS;
    const index = indexOf(account.authKeysHash);
    const known = this.#known.get(index);
    if (known !== undefined && equalBytes(known.hash, account.authKeysHash)) return known.keys;
    const keys = readAuthKeysOf(reader, address, account);
    this.#known.delete(index);
    this.#known.set(index, { hash: account.authKeysHash, keys });
    if (this.#known.size > this.#maxEntries) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return keys;
  }
}

function indexOf(hash: Uint8Array): number {
  let index = 0;
  for (let i = 0; i < INDEXED_BYTES; i++) index = index * 256 + (hash[i] ?? 0);
  return index;
}

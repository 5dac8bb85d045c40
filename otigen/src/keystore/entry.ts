/**
 * One account of the keystore (spec/wire.md, Keystore): its shape, its bounds, and the seal around
 * its secret key. An entry of a file is untrusted: shape and bounds first, then that the address is
 * the public key's, and after opening that the public key is the secret key's.
 */
import { randomFillSync } from 'node:crypto';
import { equalBytes, fromHex, isPydeError, toHex } from '@pyde/core/bytes';
import {
  AEAD_TAG_BYTES,
  type Aead,
  aes256Gcm,
  chacha20Poly1305,
  eoaAddress,
  FALCON_PUBLIC_KEY_BYTES,
  FALCON_SECRET_KEY_BYTES,
  type FalconKeyPair,
  falconPublicKeyOf,
  isFalconPublicKey,
} from '@pyde/core/crypto';
import { type Address, type FalconPublicKey, toAddress, toFalconPublicKey } from '@pyde/core/types';
import {
  DEFAULT_KEY_DERIVATION,
  deriveKey,
  type KeyDerivation,
  keyDerivationFault,
  SALT_BYTES,
} from '@pyde/platform-node/key-derivation';
import * as v from 'valibot';
import { Failure } from '../output/index.ts';

const NONCE_BYTES = 12;
const CIPHERS = { 'aes-256-gcm': aes256Gcm, 'chacha20-poly1305': chacha20Poly1305 };

/** An entry as JSON holds it; fields that otigen does not know stay where they are. */
export const EntryJson = v.looseObject({
  address: v.string(),
  pubkey: v.string(),
  ciphertext: v.string(),
  salt: v.string(),
  nonce: v.string(),
  cipher: v.optional(v.picklist(['aes-256-gcm', 'chacha20-poly1305'])),
  kdf: v.looseObject({
    name: v.literal('argon2id'),
    memory_kb: v.pipe(v.number(), v.safeInteger()),
    iterations: v.pipe(v.number(), v.safeInteger()),
    parallelism: v.pipe(v.number(), v.safeInteger()),
  }),
});
export type EntryJson = v.InferOutput<typeof EntryJson>;

/** A checked entry. */
export interface Entry {
  readonly name: string;
  readonly address: Address;
  readonly publicKey: FalconPublicKey;
  readonly sealed: Uint8Array;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly cipher: Aead;
  readonly kdf: KeyDerivation;
}

/** @throws Failure `DamagedEntry` naming the field; no password work is done on such an entry */
export function readEntry(name: string, json: unknown): Entry {
  const entry = shapeOf(name, json);
  const field = (key: 'address' | 'pubkey' | 'ciphertext' | 'salt' | 'nonce', bytes: number) => {
    try {
      return fromHex(entry[key], { exactBytes: bytes });
    } catch (error) {
      if (isPydeError(error)) throw damaged(name, `${key}: ${error.message}`);
      throw error;
    }
  };
  const publicKey = field('pubkey', FALCON_PUBLIC_KEY_BYTES);
  const address = field('address', 32);
  const sealed = field('ciphertext', FALCON_SECRET_KEY_BYTES + AEAD_TAG_BYTES);
  const salt = field('salt', SALT_BYTES);
  const nonce = field('nonce', NONCE_BYTES);
  const fault = keyDerivationFault(entry.kdf);
  if (fault !== undefined) throw damaged(name, fault);
  if (!isFalconPublicKey(publicKey)) throw damaged(name, 'pubkey: no FALCON-512 public key');
  if (!equalBytes(eoaAddress(publicKey), address)) {
    throw damaged(name, 'address: is not the address of pubkey');
  }
  return {
    name,
    address: toAddress(address),
    publicKey: toFalconPublicKey(publicKey),
    sealed,
    salt,
    nonce,
    cipher: CIPHERS[entry.cipher ?? 'aes-256-gcm'],
    kdf: entry.kdf,
  };
}

/** The entry as JSON, whole, after the checks of {@link readEntry}. @throws Failure `DamagedEntry` */
export function entryJson(name: string, json: unknown): EntryJson {
  readEntry(name, json);
  return shapeOf(name, json);
}

function shapeOf(name: string, json: unknown): EntryJson {
  const shape = v.safeParse(EntryJson, json);
  if (shape.success) return shape.output;
  const issue = shape.issues[0];
  throw damaged(name, `${v.getDotPath(issue) ?? 'the entry'}: ${issue.message}`);
}

/** Seals `keys` under `password`; salt and nonce are fresh unless a test gives them. */
export async function sealEntry(
  keys: FalconKeyPair,
  password: string,
  fixed: { readonly salt?: Uint8Array; readonly nonce?: Uint8Array } = {},
): Promise<EntryJson> {
  const salt = fixed.salt ?? randomFillSync(new Uint8Array(SALT_BYTES));
  const nonce = fixed.nonce ?? randomFillSync(new Uint8Array(NONCE_BYTES));
  const key = await deriveKey(password, salt, DEFAULT_KEY_DERIVATION);
  const sealed = aes256Gcm.seal(key, nonce, keys.secretKey);
  key.fill(0);
  return {
    address: toHex(eoaAddress(keys.publicKey)),
    pubkey: toHex(keys.publicKey),
    ciphertext: toHex(sealed),
    salt: toHex(salt),
    nonce: toHex(nonce),
    kdf: { ...DEFAULT_KEY_DERIVATION },
  };
}

/**
 * The secret key, 1281 bytes; the caller fills it with zeros after use.
 * @throws Failure `WrongPassword`; `DamagedEntry` when the key inside is not the entry's
 */
export async function openEntry(entry: Entry, password: string): Promise<Uint8Array> {
  const key = await deriveKey(password, entry.salt, entry.kdf);
  let secretKey: Uint8Array;
  try {
    secretKey = entry.cipher.open(key, entry.nonce, entry.sealed);
  } catch (error) {
    if (!isPydeError(error, 'crypto.aead')) throw error;
    throw new Failure(
      'wallet',
      'WrongPassword',
      `the password does not open the account "${entry.name}"`,
      { next: 'try again with its password; devnet accounts have the password "devnet"' },
    );
  } finally {
    key.fill(0);
  }
  if (!holdsKeyOf(secretKey, entry.publicKey)) {
    throw damaged(entry.name, 'ciphertext: holds the secret key of another public key');
  }
  return secretKey;
}

function holdsKeyOf(secretKey: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return equalBytes(falconPublicKeyOf(secretKey), publicKey);
  } catch (error) {
    if (isPydeError(error)) return false;
    throw error;
  }
}

function damaged(name: string, what: string): Failure {
  return new Failure('wallet', 'DamagedEntry', `account "${name}" cannot be used: ${what}`, {
    next: `restore it with otigen wallet import --from-file <BACKUP> ${name} after otigen wallet delete ${name}`,
  });
}

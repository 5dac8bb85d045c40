/**
 * A validator's key file (docs/operators/keys.md): the FALCON secret key under Argon2id and
 * AES-256-GCM as a keystore entry has it (spec/wire.md, Keystore), and what the key signed before it
 * came here. The seal covers the public part too, so that nobody without the password can take the
 * mark of what was signed away. A file is untrusted: size, shape and bounds first, then that the
 * address is the public key's, and after opening that the public key is the secret key's.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encode, equalBytes, isPydeError, PydeError, toHex } from '@pyde/core/bytes';
import { type ImportedMark, type Signer, writeSigningMark } from '@pyde/core/consensus';
import {
  AEAD_TAG_BYTES,
  aes256Gcm,
  eoaAddress,
  FALCON_PUBLIC_KEY_BYTES,
  FALCON_SECRET_KEY_BYTES,
  FALCON_SEED_BYTES,
  type FalconKeyPair,
  FalconSigner,
  falconKeygen,
  falconPublicKeyOf,
  isFalconPublicKey,
} from '@pyde/core/crypto';
import type { Random } from '@pyde/core/platform';
import {
  type Address,
  type FalconPublicKey,
  HASH_BYTES,
  type Hash,
  toAddress,
  toEpoch,
  toFalconPublicKey,
  toFalconSignature,
  toHash,
  toWaveId,
} from '@pyde/core/types';
import { type JsonObject, parseJsonObject } from './json-object.ts';
import {
  DEFAULT_KEY_DERIVATION,
  deriveKey,
  type KeyDerivation,
  keyDerivationFault,
  SALT_BYTES,
} from './key-derivation.ts';
import { readSecretFile, writeSecretFile } from './whole-file.ts';

export type KeyFileErrorCode = 'keys.damaged' | 'keys.password' | 'keys.empty-password';

/** What the key signed on another node. */
export interface SignedElsewhere extends ImportedMark {
  /** Hash of the genesis. */
  readonly chain: Hash;
}

/** The public part, checked but for the seal. */
export interface KeyFile {
  readonly address: Address;
  readonly publicKey: FalconPublicKey;
  /** Undefined for a key that signed nothing before it came here. */
  readonly signed: SignedElsewhere | undefined;
}

export interface OpenedKey extends KeyFile {
  /** 1281 bytes; whoever opened it fills it with zeros after use. */
  readonly secretKey: Uint8Array;
}

interface SealedKey extends KeyFile {
  readonly sealed: Uint8Array;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly kdf: KeyDerivation;
}

const VERSION = 1;
const KIND = 'pyde-validator-key';
const NONCE_BYTES = 12;
const MAX_KEY_FILE_BYTES = 64 * 1024;
const DOMAIN = 'pyde/validator-key/1';

export function newValidatorKey(random: Random): FalconKeyPair {
  return falconKeygen(random.bytes(FALCON_SEED_BYTES));
}

/** Signs as the validator of this key. */
export function validatorSigner(key: FalconKeyPair, random: Random): Signer {
  const signer = new FalconSigner(key.secretKey, (length) => random.bytes(length));
  return {
    publicKey: toFalconPublicKey(key.publicKey),
    sign: (message) => toFalconSignature(signer.sign(message)),
  };
}

/** The public part; needs no password, so nothing says yet that the file is whole. */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const { address, publicKey, signed } = parse(path, await read(path));
  return { address, publicKey, signed };
}

/**
 * @throws PydeError `keys.missing`, `keys.mode`, `keys.damaged` naming the field, `keys.password`
 */
export async function openKeyFile(path: string, password: string): Promise<OpenedKey> {
  const file = parse(path, await read(path));
  const key = await deriveKey(password, file.salt, file.kdf);
  let secretKey: Uint8Array;
  try {
    secretKey = aes256Gcm.open(key, file.nonce, file.sealed, publicPart(file));
  } catch (error) {
    if (!isPydeError(error, 'crypto.aead')) throw error;
    throw new PydeError<KeyFileErrorCode>(
      'keys.password',
      `the password does not open ${path}, or somebody has changed the file; try again with its ` +
        'password, or restore a copy',
      { path },
    );
  } finally {
    key.fill(0);
  }
  if (!holdsKeyOf(secretKey, file.publicKey)) {
    throw damaged(path, 'ciphertext: it holds the secret key of another public key');
  }
  const { address, publicKey, signed } = file;
  return { address, publicKey, signed, secretKey };
}

/**
 * Seals a key into a file of mode 0600, whole or not at all; its folder is made when it is missing.
 * @param replaces a file that is there is an error without it
 * @throws PydeError `keys.exists`, `keys.empty-password`
 */
export async function writeKeyFile(
  path: string,
  key: FalconKeyPair & { readonly signed?: SignedElsewhere | undefined },
  password: string,
  random: Random,
  { replaces = false }: { readonly replaces?: boolean } = {},
): Promise<void> {
  const text = await sealKey(key, password, random);
  await mkdir(dirname(path), { recursive: true });
  await writeSecretFile(path, text, { replaces });
}

/** The text of a key file. @throws PydeError `keys.empty-password` */
export async function sealKey(
  key: FalconKeyPair & { readonly signed?: SignedElsewhere | undefined },
  password: string,
  random: Random,
): Promise<string> {
  if (password === '') {
    throw new PydeError<KeyFileErrorCode>('keys.empty-password', 'a password cannot be empty');
  }
  const publicKey = toFalconPublicKey(key.publicKey);
  const { signed } = key;
  const [salt, nonce] = [random.bytes(SALT_BYTES), random.bytes(NONCE_BYTES)];
  const derived = await deriveKey(password, salt, DEFAULT_KEY_DERIVATION);
  const sealed = aes256Gcm.seal(derived, nonce, key.secretKey, publicPart({ publicKey, signed }));
  derived.fill(0);
  const json = {
    version: VERSION,
    kind: KIND,
    address: toHex(eoaAddress(publicKey)),
    pubkey: toHex(publicKey),
    ciphertext: toHex(sealed),
    salt: toHex(salt),
    nonce: toHex(nonce),
    kdf: DEFAULT_KEY_DERIVATION,
    ...(signed === undefined ? {} : { signed: signedJson(signed) }),
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

/** As key files and `--json` show it. */
export function signedJson({ id, chain, mark }: SignedElsewhere) {
  return {
    id: toHex(id),
    chain: toHex(chain),
    epoch: mark.epoch,
    round: mark.round,
    attested_wave: mark.waveId.toString(),
    attested_digest: mark.digest === undefined ? null : toHex(mark.digest),
  };
}

const read = (path: string): Promise<string> =>
  readSecretFile(path, 'key file', MAX_KEY_FILE_BYTES);

function parse(path: string, text: string): SealedKey {
  const file = parseJsonObject(text, (what) => damaged(path, what));
  file.literal('version', VERSION);
  file.literal('kind', KIND);
  const publicKey = file.hex('pubkey', FALCON_PUBLIC_KEY_BYTES);
  const address = file.hex('address', 32);
  const sealed = file.hex('ciphertext', FALCON_SECRET_KEY_BYTES + AEAD_TAG_BYTES);
  const [salt, nonce] = [file.hex('salt', SALT_BYTES), file.hex('nonce', NONCE_BYTES)];
  const kdf = readKdf(path, file.object('kdf'));
  if (!isFalconPublicKey(publicKey)) throw damaged(path, 'pubkey: no FALCON-512 public key');
  if (!equalBytes(eoaAddress(publicKey), address)) {
    throw damaged(path, 'address: it is not the address of pubkey');
  }
  return {
    address: toAddress(address),
    publicKey: toFalconPublicKey(publicKey),
    signed: file.has('signed') ? readSigned(file.object('signed')) : undefined,
    sealed,
    salt,
    nonce,
    kdf,
  };
}

function readKdf(path: string, json: JsonObject): KeyDerivation {
  json.literal('name', 'argon2id');
  const kdf: KeyDerivation = {
    name: 'argon2id',
    memory_kb: json.whole('memory_kb'),
    iterations: json.whole('iterations'),
    parallelism: json.whole('parallelism'),
  };
  const fault = keyDerivationFault(kdf);
  if (fault !== undefined) throw damaged(path, fault);
  return kdf;
}

function readSigned(json: JsonObject): SignedElsewhere {
  const digest = json.isNull('attested_digest')
    ? undefined
    : toHash(json.hex('attested_digest', HASH_BYTES));
  return {
    id: toHash(json.hex('id', HASH_BYTES)),
    chain: toHash(json.hex('chain', HASH_BYTES)),
    mark: {
      epoch: toEpoch(json.whole('epoch')),
      round: json.whole('round'),
      waveId: toWaveId(json.u64('attested_wave')),
      digest,
    },
  };
}

function publicPart({ publicKey, signed }: Pick<KeyFile, 'publicKey' | 'signed'>): Uint8Array {
  return encode((w) =>
    w
      .string(DOMAIN)
      .fixed(publicKey)
      .option(signed, (out, { id, chain, mark }) => {
        out.fixed(id).fixed(chain);
        writeSigningMark(out, mark);
      }),
  );
}

function holdsKeyOf(secretKey: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return equalBytes(falconPublicKeyOf(secretKey), publicKey);
  } catch (error) {
    if (isPydeError(error)) return false;
    throw error;
  }
}

function damaged(path: string, what: string): PydeError<KeyFileErrorCode> {
  return new PydeError('keys.damaged', `${path} is no usable key file: ${what}; restore a copy`, {
    path,
  });
}

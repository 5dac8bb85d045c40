/**
 * Key pairs for the tests of every package: the devnet's own accounts (spec/wire.md, Addresses), so
 * `testKey(0)` is the first prefunded account. Generation takes about 150 ms a key, so pairs are
 * kept in node_modules/.cache/pyde/test-keys/<i>.bin (public key, then secret key); the folder may
 * be deleted at any time, and a file that does not hold key i is made again.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { concatBytes, equalBytes, u64LittleEndian } from '../bytes/index.ts';
import {
  blake3,
  eoaAddress,
  FALCON_PUBLIC_KEY_BYTES,
  FALCON_SECRET_KEY_BYTES,
  type FalconKeyPair,
  falconKeygen,
  falconPublicKeyOf,
} from './index.ts';

const CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/pyde/test-keys/', import.meta.url),
);

export interface TestKey extends FalconKeyPair {
  readonly seed: Uint8Array;
  readonly address: Uint8Array;
}

const loaded = new Map<number, TestKey>();

/** Key pair, seed and address of devnet account `i`, 0 ≤ i < 1000. */
export function testKey(i: number): TestKey {
  if (!Number.isInteger(i) || i < 0 || i >= 1000) throw new Error(`no test key ${i}`);
  const known = loaded.get(i);
  if (known !== undefined) return known;
  const seed = blake3(new TextEncoder().encode('pyde-devnet-v1/'), u64LittleEndian(BigInt(i)));
  const pair = readCached(i) ?? generate(i, seed);
  const key = { ...pair, seed, address: eoaAddress(pair.publicKey) };
  loaded.set(i, key);
  return key;
}

function readCached(i: number): FalconKeyPair | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(`${CACHE}${i}.bin`);
  } catch {
    return undefined;
  }
  if (bytes.length !== FALCON_PUBLIC_KEY_BYTES + FALCON_SECRET_KEY_BYTES) return undefined;
  const publicKey = Uint8Array.from(bytes.subarray(0, FALCON_PUBLIC_KEY_BYTES));
  const secretKey = Uint8Array.from(bytes.subarray(FALCON_PUBLIC_KEY_BYTES));
  return equalBytes(falconPublicKeyOf(secretKey), publicKey) ? { publicKey, secretKey } : undefined;
}

/** Written under another name first, so that test processes running at once see whole files. */
function generate(i: number, seed: Uint8Array): FalconKeyPair {
  const pair = falconKeygen(seed);
  mkdirSync(CACHE, { recursive: true });
  const unfinished = `${CACHE}${i}.${process.pid}`;
  writeFileSync(unfinished, concatBytes(pair.publicKey, pair.secretKey));
  renameSync(unfinished, `${CACHE}${i}.bin`);
  return pair;
}

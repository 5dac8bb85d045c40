/**
 * Argon2id version 1.3 (RFC 9106), noble's, inside the bounds a keystore reader must keep
 * (spec/wire.md, Keystore): the parameters come from a file that anybody may have written.
 */
import {
  argon2id as nobleArgon2id,
  argon2idAsync as nobleArgon2idAsync,
} from '@noble/hashes/argon2.js';
import { PydeError } from '../bytes/index.ts';
import type { CryptoErrorCode } from './bounds.ts';

export const ARGON2_MAX_MEMORY_KB = 1024 * 1024;
export const ARGON2_MAX_ITERATIONS = 16;
export const ARGON2_MAX_PARALLELISM = 16;

const KEY_BYTES = 32;
const MIN_SALT_BYTES = 8;
const MAX_SALT_BYTES = 1024;
/** Slice of work between two turns of the host's event loop in the asynchronous form. */
const ASYNC_TICK_MS = 20;

export interface Argon2Parameters {
  readonly memoryKb: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/**
 * 32-byte key of `password` and `salt`. Blocks for as long as the parameters ask (about a second
 * for the keystore's 64 MiB and 3 iterations).
 * @throws PydeError `crypto.argon2` for parameters or a salt out of bounds
 */
export function argon2id(
  password: Uint8Array,
  salt: Uint8Array,
  parameters: Argon2Parameters,
): Uint8Array {
  return nobleArgon2id(password, salt, checked(salt, parameters));
}

/**
 * `argon2id` that returns to the event loop every few milliseconds and reports its progress as a
 * fraction from 0 to 1, for pages and prompts that must stay alive.
 * @throws PydeError `crypto.argon2` for parameters or a salt out of bounds
 */
export async function argon2idAsync(
  password: Uint8Array,
  salt: Uint8Array,
  parameters: Argon2Parameters,
  onProgress?: (fraction: number) => void,
): Promise<Uint8Array> {
  const options = { ...checked(salt, parameters), asyncTick: ASYNC_TICK_MS };
  return nobleArgon2idAsync(
    password,
    salt,
    onProgress === undefined ? options : { ...options, onProgress },
  );
}

function checked(salt: Uint8Array, { memoryKb, iterations, parallelism }: Argon2Parameters) {
  requireBetween('salt bytes', salt.length, MIN_SALT_BYTES, MAX_SALT_BYTES);
  requireBetween('iterations', iterations, 1, ARGON2_MAX_ITERATIONS);
  requireBetween('parallelism', parallelism, 1, ARGON2_MAX_PARALLELISM);
  // RFC 9106 §3.1: at least 8 KiB for every lane.
  requireBetween('memory in KiB', memoryKb, 8 * parallelism, ARGON2_MAX_MEMORY_KB);
  return { t: iterations, m: memoryKb, p: parallelism, dkLen: KEY_BYTES, version: 0x13 };
}

function requireBetween(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new PydeError<CryptoErrorCode>(
    'crypto.argon2',
    `Argon2id ${what} must be a whole number from ${least} to ${most}, not ${value}`,
    { what, value, least, most },
  );
}

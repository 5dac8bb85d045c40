/**
 * The key that seals a secret key: Argon2id v1.3 (RFC 9106) of a password (spec/wire.md, Keystore).
 * Node's own implementation runs off the main thread and is nine times as fast as the portable one
 * in core; the test holds them equal. The parameters come from a file that anybody may have
 * written, so they are bounded before any work.
 */
import { argon2 } from 'node:crypto';
import {
  ARGON2_MAX_ITERATIONS,
  ARGON2_MAX_MEMORY_KB,
  ARGON2_MAX_PARALLELISM,
} from '@pyde/core/crypto';

export interface KeyDerivation {
  readonly name: 'argon2id';
  readonly memory_kb: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/** What is written here, and by every other wallet (spec/wire.md). */
export const DEFAULT_KEY_DERIVATION: KeyDerivation = {
  name: 'argon2id',
  memory_kb: 65_536,
  iterations: 3,
  parallelism: 4,
};

export const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** What is out of bounds in `kdf`, or undefined when it may be used. */
export function keyDerivationFault(kdf: KeyDerivation): string | undefined {
  const least = 8 * kdf.parallelism;
  if (kdf.iterations < 1 || kdf.iterations > ARGON2_MAX_ITERATIONS) {
    return `kdf.iterations is ${kdf.iterations}, allowed are 1 to ${ARGON2_MAX_ITERATIONS}`;
  }
  if (kdf.parallelism < 1 || kdf.parallelism > ARGON2_MAX_PARALLELISM) {
    return `kdf.parallelism is ${kdf.parallelism}, allowed are 1 to ${ARGON2_MAX_PARALLELISM}`;
  }
  if (kdf.memory_kb < least || kdf.memory_kb > ARGON2_MAX_MEMORY_KB) {
    return `kdf.memory_kb is ${kdf.memory_kb}, allowed are ${least} to ${ARGON2_MAX_MEMORY_KB}`;
  }
  return undefined;
}

/** 32 bytes. `kdf` must be within bounds ({@link keyDerivationFault}). About 0.1 s by default. */
export function deriveKey(
  password: string,
  salt: Uint8Array,
  kdf: KeyDerivation,
): Promise<Uint8Array> {
  const parameters = {
    message: new TextEncoder().encode(password),
    nonce: salt,
    parallelism: kdf.parallelism,
    tagLength: KEY_BYTES,
    memory: kdf.memory_kb,
    passes: kdf.iterations,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => {
      if (error === null) resolve(new Uint8Array(key));
      else reject(error);
    });
  });
}

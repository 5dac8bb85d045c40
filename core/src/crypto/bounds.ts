/** The two refusals every function of this folder shares: a wrong length and a failed operation. */
import { PydeError } from '../bytes/index.ts';

export type CryptoErrorCode =
  | 'crypto.length'
  | 'crypto.aead'
  | 'crypto.argon2'
  | 'crypto.ml-kem'
  | 'crypto.falcon-key'
  | 'crypto.falcon-signature';

/** @throws PydeError `crypto.length` unless `bytes` holds exactly `length` bytes */
export function requireLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length === length) return;
  throw new PydeError<CryptoErrorCode>(
    'crypto.length',
    `${what} has ${bytes.length} bytes where ${length} are needed`,
    { what, length: bytes.length, needed: length },
  );
}

/**
 * Authenticated encryption, noble's: AES-256-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439)
 * for the keystore (spec/wire.md, Keystore), XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) for
 * sealed transactions. Nonces are always passed in: core has no randomness, and the caller proves
 * that a nonce never meets the same key twice. The 16-byte tag follows the ciphertext.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { PydeError } from '../bytes/index.ts';
import { type CryptoErrorCode, requireLength } from './bounds.ts';

export const AEAD_KEY_BYTES = 32;
export const AEAD_TAG_BYTES = 16;

export interface Aead {
  readonly nonceBytes: number;
  /**
   * Ciphertext ‖ tag.
   * @throws PydeError `crypto.length` for a key or nonce of another length
   */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    associatedData?: Uint8Array,
  ): Uint8Array;
  /**
   * The plaintext, when the tag proves it.
   * @throws PydeError `crypto.length` for a key or nonce of another length, `crypto.aead` when the
   * key, nonce, ciphertext or associated data is not the one that was sealed
   */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    associatedData?: Uint8Array,
  ): Uint8Array;
}

type NobleAead = (
  key: Uint8Array,
  nonce: Uint8Array,
  associatedData?: Uint8Array,
) => {
  encrypt(plaintext: Uint8Array): Uint8Array;
  decrypt(sealed: Uint8Array): Uint8Array;
};

export const aes256Gcm: Aead = aead('AES-256-GCM', gcm, 12);
export const chacha20Poly1305: Aead = aead('ChaCha20-Poly1305', chacha20poly1305, 12);
export const xchacha20Poly1305: Aead = aead('XChaCha20-Poly1305', xchacha20poly1305, 24);

function aead(name: string, cipher: NobleAead, nonceBytes: number): Aead {
  const prepare = (key: Uint8Array, nonce: Uint8Array, associatedData?: Uint8Array) => {
    requireLength(`${name} key`, key, AEAD_KEY_BYTES);
    requireLength(`${name} nonce`, nonce, nonceBytes);
    return cipher(key, nonce, associatedData);
  };
  return {
    nonceBytes,
    seal: (key, nonce, plaintext, associatedData) =>
      prepare(key, nonce, associatedData).encrypt(plaintext),
    open(key, nonce, sealed, associatedData) {
      const opener = prepare(key, nonce, associatedData);
      try {
        return opener.decrypt(sealed);
      } catch {
        throw new PydeError<CryptoErrorCode>(
          'crypto.aead',
          `${name} refused ${sealed.length} sealed bytes: wrong key or password, or changed data`,
          { cipher: name, length: sealed.length },
        );
      }
    },
  };
}

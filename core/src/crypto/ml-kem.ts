/**
 * ML-KEM-768 (FIPS 203), noble's. Seeds and coins are passed in: core has no randomness.
 */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { PydeError } from '../bytes/index.ts';
import { type CryptoErrorCode, requireLength } from './bounds.ts';

/** Sizes of FIPS 203 table 3 in bytes; the seed is d ‖ z, the coin is m. */
export const ML_KEM_SEED_BYTES = 64;
export const ML_KEM_COIN_BYTES = 32;
export const ML_KEM_PUBLIC_KEY_BYTES = 1184;
export const ML_KEM_SECRET_KEY_BYTES = 2400;
export const ML_KEM_CIPHERTEXT_BYTES = 1088;

export interface MlKemKeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

export const mlKem768 = {
  /**
   * ML-KEM.KeyGen_internal (FIPS 203 algorithm 16) of seed = d ‖ z.
   * @throws PydeError `crypto.length`
   */
  keygen(seed: Uint8Array): MlKemKeyPair {
    requireLength('ML-KEM seed', seed, ML_KEM_SEED_BYTES);
    return ml_kem768.keygen(seed);
  },

  /**
   * ML-KEM.Encaps_internal (algorithm 17) with the coin m.
   * @throws PydeError `crypto.length`, `crypto.ml-kem` for a key that fails §7.2's modulus check
   */
  encapsulate(
    publicKey: Uint8Array,
    coin: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array } {
    requireLength('ML-KEM public key', publicKey, ML_KEM_PUBLIC_KEY_BYTES);
    requireLength('ML-KEM coin', coin, ML_KEM_COIN_BYTES);
    const { cipherText, sharedSecret } = refusing('public key', () =>
      ml_kem768.encapsulate(publicKey, coin),
    );
    return { ciphertext: cipherText, sharedSecret };
  },

  /**
   * ML-KEM.Decaps (algorithm 21). A ciphertext made for another key gives another secret, not an
   * error (implicit rejection).
   * @throws PydeError `crypto.length`, `crypto.ml-kem` for a secret key that fails §7.3's hash check
   */
  decapsulate(ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array {
    requireLength('ML-KEM ciphertext', ciphertext, ML_KEM_CIPHERTEXT_BYTES);
    requireLength('ML-KEM secret key', secretKey, ML_KEM_SECRET_KEY_BYTES);
    return refusing('secret key', () => ml_kem768.decapsulate(ciphertext, secretKey));
  },
};

/** Lengths are checked already, so what noble still refuses is the key's own consistency. */
function refusing<T>(key: string, operation: () => T): T {
  try {
    return operation();
  } catch {
    throw new PydeError<CryptoErrorCode>(
      'crypto.ml-kem',
      `ML-KEM-768 ${key} is malformed; ask its owner for it again`,
      { key },
    );
  }
}

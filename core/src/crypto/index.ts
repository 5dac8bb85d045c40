export { childAddress, contractAddress, eoaAddress } from './address.ts';
export {
  AEAD_KEY_BYTES,
  AEAD_TAG_BYTES,
  type Aead,
  aes256Gcm,
  chacha20Poly1305,
  xchacha20Poly1305,
} from './aead.ts';
export {
  ARGON2_MAX_ITERATIONS,
  ARGON2_MAX_MEMORY_KB,
  ARGON2_MAX_PARALLELISM,
  type Argon2Parameters,
  argon2id,
  argon2idAsync,
} from './argon2.ts';
export { blake3, blake3Batch, blake3Batch64, blake3InnerBatch, blake3LeafBatch } from './blake3.ts';
export type { CryptoErrorCode } from './bounds.ts';
export {
  type FalconKeyPair,
  falconKeygen,
  falconPublicKeyOf,
  isFalconPublicKey,
} from './falcon-keys.ts';
export {
  type FalconSignErrorCode,
  FalconSigner,
  falconSign,
} from './falcon-sign.ts';
export { falconSignatureToConstantTime, falconSignatureToPadded } from './falcon-signature.ts';
export {
  FALCON_CONSTANT_TIME_SIGNATURE_BYTES,
  FALCON_MAX_MESSAGE_BYTES,
  FALCON_MAX_SIGNATURE_BYTES,
  FALCON_NONCE_BYTES,
  FALCON_PUBLIC_KEY_BYTES,
  FALCON_SECRET_KEY_BYTES,
  FALCON_SEED_BYTES,
  FALCON_SIGN_RANDOM_BYTES,
} from './falcon-sizes.ts';
export { type FalconVerifyItem, falconVerify, falconVerifyBatch } from './falcon-verify.ts';
export { keccak256 } from './keccak.ts';
export {
  ML_KEM_CIPHERTEXT_BYTES,
  ML_KEM_COIN_BYTES,
  ML_KEM_PUBLIC_KEY_BYTES,
  ML_KEM_SECRET_KEY_BYTES,
  ML_KEM_SEED_BYTES,
  type MlKemKeyPair,
  mlKem768,
} from './ml-kem.ts';
export {
  isCanonicalPoseidon2,
  type Poseidon2Domain,
  poseidon2,
  poseidon2Compress,
  poseidon2CompressBatch,
  poseidon2State,
  poseidon2StateBatch,
} from './poseidon2.ts';

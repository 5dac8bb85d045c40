export {
  DEFAULT_KEY_DERIVATION,
  deriveKey,
  type KeyDerivation,
  keyDerivationFault,
  SALT_BYTES,
} from './key-derivation.ts';
export {
  type KeyFile,
  type KeyFileErrorCode,
  newValidatorKey,
  type OpenedKey,
  openKeyFile,
  readKeyFile,
  type SignedElsewhere,
  sealKey,
  signedJson,
  validatorSigner,
  writeKeyFile,
} from './key-file.ts';
export { type MovedKeyErrorCode, markFor, signedBy } from './moved-key.ts';
export { readSecretFile, type SecretFileErrorCode, writeSecretFile } from './whole-file.ts';

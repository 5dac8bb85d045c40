export {
  ACCOUNT_TYPES,
  type Account,
  type AccountErrorCode,
  type AccountType,
  accountExists,
  accountKey,
  decodeAccount,
  encodeAccount,
  readAccount,
  writeAccount,
  ZERO_ACCOUNT,
} from './account.ts';
export {
  authKeysHash,
  authKeysKey,
  hasAuthKeys,
  holdsAuthKeysOf,
  isAuthKeysKey,
  KnownAuthKeys,
  readAuthKeysOf,
  setAuthKeys,
} from './auth-keys.ts';
export {
  type AuthorizationErrorCode,
  decodeMultisigSignature,
  encodeMultisigSignature,
  MAX_SIGNATURE_FIELD_BYTES,
  type SignerSignature,
  signatureChecks,
} from './authorization.ts';
export {
  decodeName,
  encodeName,
  isName,
  type NameErrorCode,
  nameKey,
  registerName,
  resolveName,
} from './name.ts';
export { NONCE_WINDOW, type NonceStanding, nonceStanding, useNonce } from './nonce.ts';
export { REWARD_POOL_ADDRESS, TREASURY_ADDRESS } from './system.ts';

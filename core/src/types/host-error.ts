/**
 * Results of host functions as contracts see them: negative i32 (book, HOST_FN_ABI_SPEC §4, and
 * spec/host-functions.md for −30 … −34).
 */
export const HOST_ERROR = {
  invalidInput: -1,
  notFound: -2,
  insufficientBalance: -3,
  outOfGas: -4,
  forbidden: -5,
  accessListViolation: -6,
  outputBufferTooSmall: -7,
  invalidAddress: -8,
  reentrancyBlocked: -9,
  crossCallFailed: -10,
  crossCallOutOfGas: -11,
  valueTransferNotPayable: -12,
  invalidFunctionName: -13,
  xcallRateLimited: -14,
  parachainOnly: -15,
  ciphertextInvalid: -16,
  signatureInvalid: -17,
  schemaMissing: -30,
  unknownField: -31,
  fieldKind: -32,
  keyType: -33,
  valueType: -34,
  constructorReverted: -40,
  templateNotFound: -43,
  childAddressOccupied: -44,
  constructorMismatch: -45,
  prefixCollision: -46,
  instantiateCapExceeded: -48,
  internal: -100,
} as const;

export type HostErrorCode = (typeof HOST_ERROR)[keyof typeof HOST_ERROR];

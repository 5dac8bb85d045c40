/**
 * FALCON-512 constants (Falcon specification, round 3, tables 3.3 and §3.11; spec/wire.md,
 * FALCON-512).
 */

export const FALCON_DEGREE = 512;
export const FALCON_PUBLIC_KEY_BYTES = 897;
export const FALCON_SECRET_KEY_BYTES = 1281;
export const FALCON_SEED_BYTES = 32;
export const FALCON_NONCE_BYTES = 40;
/** Nonce and sampler seed of one signature. */
export const FALCON_SIGN_RANDOM_BYTES = FALCON_NONCE_BYTES + 48;

export const FALCON_PADDED_SIGNATURE_BYTES = 666;
export const FALCON_CONSTANT_TIME_SIGNATURE_BYTES = 809;
/** Header, nonce and at most 711 bytes of compressed coefficients. */
export const FALCON_MAX_COMPRESSED_SIGNATURE_BYTES = 752;
/** No accepted encoding is longer. */
export const FALCON_MAX_SIGNATURE_BYTES = FALCON_CONSTANT_TIME_SIGNATURE_BYTES;

export const PUBLIC_KEY_HEADER = 0x09;
export const COMPRESSED_HEADER = 0x39;
export const CONSTANT_TIME_HEADER = 0x59;

/** Longest message that is signed or verified; what the chain signs is a hash or a short header. */
export const FALCON_MAX_MESSAGE_BYTES = 1_048_576;

/** `0x00 ‖ 0x0e ‖ "pyde-falcon-v1"`: what is signed is this, then the message. */
export const FALCON_CONTEXT_PREFIX: Uint8Array = new Uint8Array([
  0x00, 0x0e, 0x70, 0x79, 0x64, 0x65, 0x2d, 0x66, 0x61, 0x6c, 0x63, 0x6f, 0x6e, 0x2d, 0x76, 0x31,
]);

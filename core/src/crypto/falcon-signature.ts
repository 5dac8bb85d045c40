/**
 * The encodings of a FALCON-512 signature (Falcon specification, round 3, §3.11.2 and §3.11.3;
 * spec/wire.md, FALCON-512) and the way from one to another.
 *
 * Each encoding has one byte string per (nonce, s2): negative zero, non-zero padding, trailing
 * bytes and out-of-range coefficients are refused. Nothing here says that a signature is valid;
 * `falconVerify` does. Bytes come from outside and are not trusted.
 */
import { PydeError } from '../bytes/index.ts';
import type { CryptoErrorCode } from './bounds.ts';
import {
  COMPRESSED_HEADER,
  CONSTANT_TIME_HEADER,
  FALCON_CONSTANT_TIME_SIGNATURE_BYTES,
  FALCON_DEGREE,
  FALCON_MAX_COMPRESSED_SIGNATURE_BYTES,
  FALCON_NONCE_BYTES,
  FALCON_PADDED_SIGNATURE_BYTES,
} from './falcon-sizes.ts';

const BODY = 1 + FALCON_NONCE_BYTES;
const MAX_COEFFICIENT = 2047;
/** High part of |s| in unary: at most 2047 >> 7 zeros. */
const MAX_UNARY = MAX_COEFFICIENT >> 7;

/**
 * The 666-byte padded encoding of a signature in any of the three.
 * @throws PydeError `crypto.falcon-signature` when the bytes are no canonical signature, or its
 * coefficients do not fit into 625 bytes
 */
export function falconSignatureToPadded(signature: Uint8Array): Uint8Array {
  const coefficients = readFalconCoefficients(signature);
  const out = new Uint8Array(FALCON_PADDED_SIGNATURE_BYTES);
  out[0] = COMPRESSED_HEADER;
  out.set(signature.subarray(1, BODY), 1);
  writeCompressed(coefficients, out);
  return out;
}

/**
 * The 809-byte constant-time encoding of a signature in any of the three.
 * @throws PydeError `crypto.falcon-signature` when the bytes are no canonical signature
 */
export function falconSignatureToConstantTime(signature: Uint8Array): Uint8Array {
  const coefficients = readFalconCoefficients(signature);
  const out = new Uint8Array(FALCON_CONSTANT_TIME_SIGNATURE_BYTES);
  out[0] = CONSTANT_TIME_HEADER;
  out.set(signature.subarray(1, BODY), 1);
  let at = BODY;
  for (let i = 0; i < FALCON_DEGREE; i += 2) {
    const first = coefficients[i] ?? 0;
    const second = coefficients[i + 1] ?? 0;
    out[at] = first >> 4;
    out[at + 1] = (first << 4) | ((second >> 8) & 15);
    out[at + 2] = second;
    at += 3;
  }
  return out;
}

/**
 * The 512 coefficients of s2, each at most 2047 in absolute value.
 * @throws PydeError `crypto.falcon-signature` when the bytes are no canonical signature
 */
export function readFalconCoefficients(signature: Uint8Array): Int16Array {
  const { length } = signature;
  switch (signature[0]) {
    case COMPRESSED_HEADER:
      if (length <= BODY || length > FALCON_MAX_COMPRESSED_SIGNATURE_BYTES) {
        throw refused(`a compressed signature cannot have ${length} bytes`, length);
      }
      return readCompressed(signature);
    case CONSTANT_TIME_HEADER:
      if (length !== FALCON_CONSTANT_TIME_SIGNATURE_BYTES) {
        throw refused(`a constant-time signature cannot have ${length} bytes`, length);
      }
      return readConstantTime(signature);
    default:
      throw refused(`a signature of ${length} bytes has neither header 0x39 nor 0x59`, length);
  }
}

/** Decompress, algorithm 18; padding zeros only where the encoding is the padded one. */
function readCompressed(signature: Uint8Array): Int16Array {
  const out = new Int16Array(FALCON_DEGREE);
  const bits = 8 * signature.length;
  let at = 8 * BODY;
  const bit = (): number => {
    if (at >= bits) throw refused('its coefficients are cut short', signature.length);
    const value = ((signature[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
    at++;
    return value;
  };
  for (let i = 0; i < FALCON_DEGREE; i++) {
    const negative = bit() === 1;
    let magnitude = 0;
    for (let j = 0; j < 7; j++) magnitude = (magnitude << 1) | bit();
    for (let unary = 0; bit() === 0; ) {
      unary++;
      if (unary > MAX_UNARY) throw refused(`coefficient ${i} is above 2047`, signature.length);
      magnitude += 128;
    }
    if (negative && magnitude === 0) {
      throw refused(`coefficient ${i} is a negative zero`, signature.length);
    }
    out[i] = negative ? -magnitude : magnitude;
  }
  const end = (at + 7) >> 3;
  if (end !== signature.length && signature.length !== FALCON_PADDED_SIGNATURE_BYTES) {
    throw refused('bytes follow its coefficients', signature.length);
  }
  while (at < bits) if (bit() === 1) throw refused('its padding is not zero', signature.length);
  return out;
}

/** 512 signed 12-bit big-endian numbers; −2048 has no place in the reference's encoding. */
function readConstantTime(signature: Uint8Array): Int16Array {
  const out = new Int16Array(FALCON_DEGREE);
  let at = BODY;
  for (let i = 0; i < FALCON_DEGREE; i += 2) {
    const triple =
      ((signature[at] ?? 0) << 16) | ((signature[at + 1] ?? 0) << 8) | (signature[at + 2] ?? 0);
    out[i] = (triple << 8) >> 20;
    out[i + 1] = (triple << 20) >> 20;
    at += 3;
  }
  if (out.includes(-MAX_COEFFICIENT - 1)) {
    throw refused('a coefficient is -2048', signature.length);
  }
  return out;
}

/** Compress, algorithm 17, after the nonce in `out`; what is left of `out` stays zero. */
function writeCompressed(coefficients: Int16Array, out: Uint8Array): void {
  const bits = 8 * out.length;
  let at = 8 * BODY;
  for (const coefficient of coefficients) {
    const magnitude = Math.abs(coefficient);
    const unary = magnitude >> 7;
    if (at + 9 + unary > bits) {
      throw refused(`its coefficients do not fit into ${out.length} bytes`, out.length);
    }
    const field = ((coefficient < 0 ? 0x80 : 0) | (magnitude & 0x7f)) << 1;
    // Sign and low bits, then `unary` zeros, then a one.
    for (let j = 8; j >= 1; j--) setBit(out, at++, (field >> j) & 1);
    at += unary;
    setBit(out, at++, 1);
  }
}

function setBit(out: Uint8Array, at: number, bit: number): void {
  if (bit === 1) out[at >> 3] = (out[at >> 3] ?? 0) | (0x80 >> (at & 7));
}

function refused(reason: string, length: number): PydeError<CryptoErrorCode> {
  return new PydeError('crypto.falcon-signature', `not a FALCON-512 signature: ${reason}`, {
    length,
  });
}

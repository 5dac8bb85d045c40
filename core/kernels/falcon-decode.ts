/**
 * Signature bytes to the 512 coefficients of s2, each in i16 and at most 2047 (Falcon specification,
 * round 3, §3.11; spec/wire.md, FALCON-512). The bytes are hostile: a signature has one byte string
 * in each encoding, and everything else is refused.
 */

/** Header and nonce. */
const BODY: u32 = 41;
const COMPRESSED_HEADER: u32 = 0x39;
const CONSTANT_TIME_HEADER: u32 = 0x59;
const PADDED_BYTES: u32 = 666;
const CONSTANT_TIME_BYTES: u32 = 809;
const MAX_COMPRESSED_BYTES: u32 = 752;
const COEFFICIENTS_BYTES: usize = 1024;
/** |s| ≤ 2047 leaves at most 15 for its part above the seven low bits. */
const MAX_UNARY: i32 = 15;

/** The compressed body as big-endian 32-bit words: 711 bytes and what is read ahead of need. */
const WORDS: usize = memory.data(768, 16);

/**
 * Writes s2 to `out`; false for bytes that are no signature. Up to 16 bytes after the signature are
 * read, and have no say.
 */
export function decodeSignature(signature: usize, length: u32, out: usize): bool {
  if (length <= BODY) return false;
  const header = <u32>load<u8>(signature);
  if (header == COMPRESSED_HEADER) {
    return length <= MAX_COMPRESSED_BYTES && decompress(signature + BODY, length - BODY, out);
  }
  return header == CONSTANT_TIME_HEADER && length == CONSTANT_TIME_BYTES && unpack(signature + BODY, out);
}

/**
 * Decompress (algorithm 18): a coefficient is its sign, seven low bits, the high bits in unary and
 * a one. Zero bits fill the last byte; zero bytes follow only in the padded encoding.
 */
function decompress(body: usize, bodyLength: u32, out: usize): bool {
  swapWords(body, bodyLength);
  // The next bits, left-aligned; `held` of them are loaded, the bits below are zero.
  let bits: u64 = 0;
  let held: i32 = 0;
  let used: u32 = 0;
  let word = WORDS;
  const limit = bodyLength << 3;
  for (let i: usize = 0; i < COEFFICIENTS_BYTES; i += 2) {
    // At most 24 bits a coefficient: `used` stays near `limit`, and `word` inside WORDS.
    if (used > limit) return false;
    if (held < 32) {
      bits |= <u64>load<u32>(word) << <u64>(32 - held);
      held += 32;
      word += 4;
    }
    const unary = <i32>clz<u64>((bits << 8) | 1);
    if (unary > MAX_UNARY) return false;
    const magnitude = <i32>((bits >> 56) & 127) | (unary << 7);
    const sign = <i32>(<i64>bits >> 63);
    if (sign != 0 && magnitude == 0) return false;
    store<i16>(out + i, <i16>((magnitude ^ sign) - sign));
    const size = 9 + unary;
    bits <<= <u64>size;
    held -= size;
    used += size;
  }
  if (used > limit) return false;
  const bytes = (used + 7) >> 3;
  if (bytes != bodyLength && bodyLength != PADDED_BYTES - BODY) return false;
  const spare = (bytes << 3) - used;
  if (<u32>load<u8>(body + bytes - 1) & ((1 << spare) - 1)) return false;
  for (let i = bytes; i < bodyLength; i++) if (load<u8>(body + i) != 0) return false;
  return true;
}

/** WORDS = the body with the bytes of every 32-bit word in reverse. */
function swapWords(body: usize, bodyLength: u32): void {
  for (let i: u32 = 0; i < bodyLength; i += 16) {
    const x = v128.load(body + i);
    const swapped = v128.shuffle<u8>(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    v128.store(WORDS + i, swapped);
  }
}

/** 12-bit signed big-endian numbers (trim_i16_decode of the reference), never -2048. */
function unpack(body: usize, out: usize): bool {
  let refused = i16x8.splat(0);
  for (let i: usize = 0, p = body; i < COEFFICIENTS_BYTES; i += 16, p += 12) {
    // Twelve bytes are eight numbers; each goes into a lane with the neighbour it shares a byte with.
    const lanes = v128.swizzle(v128.load(p), i8x16(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
    const even = i16x8.shr_s(lanes, 4);
    const odd = i16x8.shr_s(i16x8.shl(lanes, 4), 4);
    const numbers = v128.bitselect(even, odd, i32x4.splat(0xffff));
    refused = v128.or(refused, i16x8.eq(numbers, i16x8.splat(-2048)));
    v128.store(out + i, numbers);
  }
  return !v128.any_true(refused);
}

/**
 * The sampler's random stream: ChaCha20 as the round-3 reference uses it.
 *
 * A 56-byte seed is key (32), nonce (16, the first word standing at the counter's usual place) and
 * a 64-bit block counter xored into the last two nonce words. Eight blocks are made at a time and
 * interleaved word by word, which is how four SIMD lanes leave them in memory anyway.
 */

export const STREAM_SEED_BYTES: usize = 56;
const BUFFER_BYTES: usize = 512;
const BUFFER: usize = memory.data(512, 16);
const KEY: usize = memory.data(112, 16); // key and nonce words, then the counters: a u32 a block
const COUNTER_LOW: usize = KEY + 48;
const COUNTER_HIGH: usize = COUNTER_LOW + 32;
const KEY_AND_COUNTERS_BYTES: usize = 112;

let counter: u64 = 0;
/** Next unread byte of the buffer. */
let next: usize = BUFFER_BYTES;

/** Takes key, nonce and counter from a seed. Bytes still unread in the buffer are used first. */
export function streamSeed(seed: usize): void {
  memory.copy(KEY, seed, 48);
  counter = load<u64>(seed, 48);
}

/** Forgets everything secret and empties the buffer. */
export function streamWipe(): void {
  memory.fill(KEY, 0, KEY_AND_COUNTERS_BYTES);
  memory.fill(BUFFER, 0, BUFFER_BYTES);
  counter = 0;
  next = BUFFER_BYTES;
}

/** Makes the stream go on with the given bytes, at most one buffer of them. For known answers. */
export function streamPreset(from: usize, length: usize): void {
  next = BUFFER_BYTES - length;
  memory.copy(BUFFER + next, from, length);
}

// @ts-ignore: decorator
@inline
export function streamByte(): u32 {
  if (next == BUFFER_BYTES) refill();
  return load<u8>(BUFFER + next++);
}

/** Address of the next `length` bytes, which are consumed; a shorter rest is thrown away. */
// @ts-ignore: decorator
@inline
export function streamTake(length: usize): usize {
  if (BUFFER_BYTES - next < length) refill();
  const at = BUFFER + next;
  next += length;
  return at;
}

function refill(): void {
  for (let block: usize = 0; block < 8; block++) {
    const value = counter + block;
    store<u32>(COUNTER_LOW + (block << 2), <u32>value);
    store<u32>(COUNTER_HIGH + (block << 2), <u32>(value >> 32));
  }
  fourBlocks(0);
  fourBlocks(16);
  counter += 8;
  next = 0;
}

// @ts-ignore: decorator
@inline
function rotate16(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}
// @ts-ignore: decorator
@inline
function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
}
// @ts-ignore: decorator
@inline
function rotate8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}
// @ts-ignore: decorator
@inline
function rotate7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
}
// @ts-ignore: decorator
@inline
function add(x: v128, y: v128): v128 {
  return i32x4.add(x, y);
}
// @ts-ignore: decorator
@inline
function xor(x: v128, y: v128): v128 {
  return v128.xor(x, y);
}
// @ts-ignore: decorator
@inline
function word(index: usize): v128 {
  return v128.load32_splat(KEY + (index << 2));
}

/** Blocks 0-3 (half 0) or 4-7 (half 16): word j of block i goes to u32 8j + i of the buffer. */
function fourBlocks(half: usize): void {
  const n2 = xor(word(10), v128.load(COUNTER_LOW + half));
  const n3 = xor(word(11), v128.load(COUNTER_HIGH + half));
  let a0 = i32x4.splat(0x61707865), a1 = i32x4.splat(0x3320646e);
  let a2 = i32x4.splat(0x79622d32), a3 = i32x4.splat(0x6b206574);
  let b0 = word(0), b1 = word(1), b2 = word(2), b3 = word(3);
  let c0 = word(4), c1 = word(5), c2 = word(6), c3 = word(7);
  let d0 = word(8), d1 = word(9), d2 = n2, d3 = n3;
  for (let round = 0; round < 20; round += 2) {
    // columns
    a0 = add(a0, b0); a1 = add(a1, b1); a2 = add(a2, b2); a3 = add(a3, b3);
    d0 = rotate16(xor(d0, a0)); d1 = rotate16(xor(d1, a1));
    d2 = rotate16(xor(d2, a2)); d3 = rotate16(xor(d3, a3));
    c0 = add(c0, d0); c1 = add(c1, d1); c2 = add(c2, d2); c3 = add(c3, d3);
    b0 = rotate12(xor(b0, c0)); b1 = rotate12(xor(b1, c1));
    b2 = rotate12(xor(b2, c2)); b3 = rotate12(xor(b3, c3));
    a0 = add(a0, b0); a1 = add(a1, b1); a2 = add(a2, b2); a3 = add(a3, b3);
    d0 = rotate8(xor(d0, a0)); d1 = rotate8(xor(d1, a1));
    d2 = rotate8(xor(d2, a2)); d3 = rotate8(xor(d3, a3));
    c0 = add(c0, d0); c1 = add(c1, d1); c2 = add(c2, d2); c3 = add(c3, d3);
    b0 = rotate7(xor(b0, c0)); b1 = rotate7(xor(b1, c1));
    b2 = rotate7(xor(b2, c2)); b3 = rotate7(xor(b3, c3));
    // diagonals
    a0 = add(a0, b1); a1 = add(a1, b2); a2 = add(a2, b3); a3 = add(a3, b0);
    d3 = rotate16(xor(d3, a0)); d0 = rotate16(xor(d0, a1));
    d1 = rotate16(xor(d1, a2)); d2 = rotate16(xor(d2, a3));
    c2 = add(c2, d3); c3 = add(c3, d0); c0 = add(c0, d1); c1 = add(c1, d2);
    b1 = rotate12(xor(b1, c2)); b2 = rotate12(xor(b2, c3));
    b3 = rotate12(xor(b3, c0)); b0 = rotate12(xor(b0, c1));
    a0 = add(a0, b1); a1 = add(a1, b2); a2 = add(a2, b3); a3 = add(a3, b0);
    d3 = rotate8(xor(d3, a0)); d0 = rotate8(xor(d0, a1));
    d1 = rotate8(xor(d1, a2)); d2 = rotate8(xor(d2, a3));
    c2 = add(c2, d3); c3 = add(c3, d0); c0 = add(c0, d1); c1 = add(c1, d2);
    b1 = rotate7(xor(b1, c2)); b2 = rotate7(xor(b2, c3));
    b3 = rotate7(xor(b3, c0)); b0 = rotate7(xor(b0, c1));
  }
  const to = BUFFER + half;
  v128.store(to, add(a0, i32x4.splat(0x61707865)));
  v128.store(to, add(a1, i32x4.splat(0x3320646e)), 32);
  v128.store(to, add(a2, i32x4.splat(0x79622d32)), 64);
  v128.store(to, add(a3, i32x4.splat(0x6b206574)), 96);
  v128.store(to, add(b0, word(0)), 128);
  v128.store(to, add(b1, word(1)), 160);
  v128.store(to, add(b2, word(2)), 192);
  v128.store(to, add(b3, word(3)), 224);
  v128.store(to, add(c0, word(4)), 256);
  v128.store(to, add(c1, word(5)), 288);
  v128.store(to, add(c2, word(6)), 320);
  v128.store(to, add(c3, word(7)), 352);
  v128.store(to, add(d0, word(8)), 384);
  v128.store(to, add(d1, word(9)), 416);
  v128.store(to, add(d2, n2), 448);
  v128.store(to, add(d3, n3), 480);
}

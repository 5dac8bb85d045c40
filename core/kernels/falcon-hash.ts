/**
 * HashToPoint (Falcon specification, round 3, algorithm 3) of nonce ‖ prefix ‖ message, for two
 * messages at a time: SHAKE256 (FIPS 202, §6.2) in the two halves of i64x2, then rejection sampling.
 */
import { keccakPair } from "./keccak.generated";
import { PACK_ACCEPTED } from "./falcon-hash-tables.generated";

const RATE: u32 = 136;
const NONCE_BYTES: u32 = 40;
const PREFIX_BYTES: u32 = 16;
const HEAD_BYTES: u32 = NONCE_BYTES + PREFIX_BYTES;
const COEFFICIENTS: u32 = 512;
/** 5q: the largest multiple of q below 2^16. */
const ACCEPTED_BELOW: i32 = 61445;
/** 9 blocks are usual; the chance to need more than 16 is below 2^-1000. */
const MAX_SQUEEZED_BLOCKS: u32 = 16;

/** `0x00 ‖ 0x0e ‖ "pyde-falcon-v1"` (spec/wire.md, FALCON-512). */
const PREFIX: usize = memory.data<u8>([0, 14, 112, 121, 100, 101, 45, 102, 97, 108, 99, 111, 110, 45, 118, 49], 16);
/** Lane i of state j at 16·i + 8·j. */
const STATES: usize = memory.data(400, 16);
/** One padded block to absorb. */
const BLOCK: usize = memory.data(136, 16);

/**
 * Writes the points of both messages to `point0` and `point1`: 512 samples of u16 below 5q, equal to
 * the coefficients modulo q, with 16 bytes of room after them. A `point1` of 0 leaves the second
 * message out. False in the case, never seen, of a hash without enough samples.
 */
export function hashToPoints(
  nonce0: usize, message0: usize, length0: u32, point0: usize,
  nonce1: usize, message1: usize, length1: u32, point1: usize,
): bool {
  const two = point1 != 0;
  const blocks0 = blocksOf(length0);
  const blocks1 = two ? blocksOf(length1) : blocks0;
  const longest = max<u32>(blocks0, blocks1);
  memory.fill(STATES, 0, 400);
  for (let k: u32 = 0; k < longest; k++) {
    // The shorter message begins later, on a fresh state, so that both end together.
    absorb(0, nonce0, message0, length0, k, longest - blocks0);
    if (two) absorb(8, nonce1, message1, length1, k, longest - blocks1);
    keccakPair(STATES);
  }
  let count0: u32 = 0;
  let count1: u32 = two ? 0 : COEFFICIENTS;
  for (let squeezed: u32 = 0; squeezed < MAX_SQUEEZED_BLOCKS; squeezed++) {
    if (squeezed > 0) keccakPair(STATES);
    if (count0 < COEFFICIENTS) count0 = sample(0, point0, count0);
    if (count1 < COEFFICIENTS) count1 = sample(8, point1, count1);
    if (count0 == COEFFICIENTS && count1 == COEFFICIENTS) return true;
  }
  return false;
}

/** Padding takes at least one byte. */
// @ts-ignore: decorator
@inline function blocksOf(messageLength: u32): u32 {
  return (HEAD_BYTES + messageLength) / RATE + 1;
}

/** Takes part in step k of absorbing two messages, for the one whose first block is block `start`. */
function absorb(lane: usize, nonce: usize, message: usize, length: u32, k: u32, start: u32): void {
  if (k < start) return;
  if (k == start) for (let i: usize = 0; i < 400; i += 16) store<u64>(STATES + lane + i, 0);
  const index = k - start;
  // Where the block lies in nonce ‖ prefix ‖ message.
  const from = index * RATE;
  const total = HEAD_BYTES + length;
  const used = min<u32>(total - from, RATE);
  if (index == 0) {
    memory.copy(BLOCK, nonce, NONCE_BYTES);
    memory.copy(BLOCK + NONCE_BYTES, PREFIX, PREFIX_BYTES);
    memory.copy(BLOCK + HEAD_BYTES, message, used - HEAD_BYTES);
  } else {
    memory.copy(BLOCK, message + (from - HEAD_BYTES), used);
  }
  if (used < RATE) {
    memory.fill(BLOCK + used, 0, RATE - used);
    store<u8>(BLOCK + used, 0x1f);
    store<u8>(BLOCK, load<u8>(BLOCK, 135) | 0x80, 135);
  }
  for (let i: usize = 0; i < 17; i++) {
    const at = STATES + lane + (i << 4);
    store<u64>(at, load<u64>(at) ^ load<u64>(BLOCK + (i << 3)));
  }
}

/** Takes the 68 samples of a squeezed block; returns how many coefficients there are now, ≤ 512. */
function sample(lane: usize, point: usize, count: u32): u32 {
  let have = count;
  const state = STATES + lane;
  for (let i: usize = 0; i < 256; i += 32) {
    const eight = v128.load64_lane(state + i, v128.load64_zero(state + i), 1, 16);
    have = takeAccepted(eight, 0xff, point, have);
  }
  return takeAccepted(v128.load64_zero(state, 256), 0x0f, point, have);
}

// @ts-ignore: decorator
@inline function takeAccepted(samples: v128, present: i32, point: usize, count: u32): u32 {
  const values = v128.shuffle<u8>(samples, samples, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  const accepted = i16x8.bitmask(i16x8.lt_u(values, i16x8.splat(<i16>ACCEPTED_BELOW))) & present;
  // Eight lanes are stored whatever their number; what lies past the 512th is never read.
  const packed = v128.swizzle(samples, v128.load(PACK_ACCEPTED + (<usize>accepted << 4)));
  v128.store(point + (count << 1), packed);
  return min<u32>(count + popcnt<i32>(accepted), COEFFICIENTS);
}

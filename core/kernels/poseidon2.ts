/**
 * Poseidon2 over Goldilocks: the wire sponge (spec/wire.md, Hashes), the padded sponge of the state
 * and the pair compression of the state tree.
 *
 * The caller writes at `inputOffset()`, at most WINDOW_BYTES at a time, calls, and reads at
 * `outputOffset()`. A message longer than a window is absorbed window by window, and only the last
 * one may be shorter. Lengths are the caller's to keep; core/src/crypto/poseidon2.ts does.
 */
import { P, addCanonical, canonical } from "./goldilocks";
import { permute, permuteThree } from "./poseidon2-permutation.generated";

const CHUNK_BYTES: u32 = 7;
/** Four chunks, one a lane of the rate. */
const BLOCK_BYTES: u32 = 28;
/** 2340 blocks: a window never ends inside one. */
const WINDOW_BYTES: u32 = 65520;
const CHUNK_MASK: u64 = 0x00ffffffffffffff;
const DIGEST_BYTES: u32 = 32;
const PAIR_BYTES: u32 = 64;

/** Chunks are read as eight bytes, and the last block is padded in place: 64 bytes of slack. */
const INPUT: usize = memory.data(65520 + 64, 16);
const OUTPUT: usize = memory.data(32768, 16);
const STATE: usize = memory.data(64, 16);
/** Two states, lane by lane. */
const TWO_STATES: usize = memory.data(128, 16);

/** Bytes absorbed since `begin`. */
let absorbed: u64 = 0;

export function inputOffset(): usize {
  return INPUT;
}

export function outputOffset(): usize {
  return OUTPUT;
}

export function windowBytes(): u32 {
  return WINDOW_BYTES;
}

/** Begins a message of the wire sponge: zero state. */
export function wireBegin(): void {
  memory.fill(STATE, 0, 64);
  absorbed = 0;
}

/** Absorbs a full window that is not the end of the message. */
export function wireAbsorbWindow(): void {
  wireAbsorbBlocks(WINDOW_BYTES / BLOCK_BYTES);
  absorbed += WINDOW_BYTES;
}

/** Absorbs the last `length` bytes, 0 to WINDOW_BYTES, then the message's length; digest at OUTPUT. */
export function wireFinish(length: u32): void {
  const blocks = length / BLOCK_BYTES;
  wireAbsorbBlocks(blocks);
  let at = INPUT + blocks * BLOCK_BYTES;
  let left = length - blocks * BLOCK_BYTES;
  let lane: usize = 0;
  for (; left >= CHUNK_BYTES; left -= CHUNK_BYTES, at += CHUNK_BYTES, lane += 8) {
    store<u64>(STATE + lane, load<u64>(at) & CHUNK_MASK);
  }
  if (left > 0) {
    store<u64>(STATE + lane, load<u64>(at) & ((<u64>1 << (left << 3)) - 1));
    lane += 8;
  }
  // The length is one element more, and may be the first of a block of its own.
  if (lane == 32) {
    permute(STATE);
    lane = 0;
  }
  store<u64>(STATE + lane, absorbed + length);
  permute(STATE);
  storeDigest();
}

/** Overwrites the rate with each block: the wire's sponge does not add. */
function wireAbsorbBlocks(count: u32): void {
  let block = INPUT;
  for (let left = count; left > 0; left--, block += BLOCK_BYTES) {
    for (let i: usize = 0; i < 4; i++) {
      store<u64>(STATE + (i << 3), load<u64>(block + <usize>CHUNK_BYTES * i) & CHUNK_MASK);
    }
    permute(STATE);
  }
}

/** Begins a message of `length` bytes of the state sponge: length and domain are in the capacity. */
export function stateBegin(length: u32, domain: u32): void {
  memory.fill(STATE, 0, 64);
  store<u64>(STATE, length, 32);
  store<u64>(STATE, domain, 40);
}

/** Absorbs a full window that is not the end of the message. */
export function stateAbsorbWindow(): void {
  stateAbsorbBlocks(WINDOW_BYTES / BLOCK_BYTES);
}

/** Absorbs the last `length` bytes, 0 to WINDOW_BYTES, and the 10* padding; digest at OUTPUT. */
export function stateFinish(length: u32): void {
  const blocks = length / BLOCK_BYTES + 1;
  memory.fill(INPUT + length, 0, blocks * BLOCK_BYTES - length);
  store<u8>(INPUT + length, 1);
  stateAbsorbBlocks(blocks);
  storeDigest();
}

/** Adds each block to the rate; a chunk is below 2^56 and so below p. */
function stateAbsorbBlocks(count: u32): void {
  let block = INPUT;
  for (let left = count; left > 0; left--, block += BLOCK_BYTES) {
    for (let i: usize = 0; i < 4; i++) {
      const chunk = load<u64>(block + <usize>CHUNK_BYTES * i) & CHUNK_MASK;
      store<u64>(STATE + (i << 3), addCanonical(load<u64>(STATE + (i << 3)), chunk));
    }
    permute(STATE);
  }
}

/**
 * `count` pair compressions P(left ‖ right)[0..4] + left, from INPUT to OUTPUT; 0 ≤ count ≤ 1023.
 * Elements of the input that are not canonical count modulo p.
 */
export function compressBatch(count: u32): void {
  let from = INPUT;
  let out = OUTPUT;
  let left = count;
  for (; left >= 3; left -= 3, from += 3 * PAIR_BYTES, out += 3 * DIGEST_BYTES) {
    memory.copy(STATE, from, PAIR_BYTES);
    for (let at: usize = 0; at < 64; at += 8) {
      store<u64>(TWO_STATES + (at << 1), load<u64>(from + at, 64));
      store<u64>(TWO_STATES + (at << 1), load<u64>(from + at, 128), 8);
    }
    permuteThree(STATE, TWO_STATES);
    for (let at: usize = 0; at < 32; at += 8) {
      feedForward(load<u64>(STATE + at), from + at, out + at);
      feedForward(load<u64>(TWO_STATES + (at << 1)), from + 64 + at, out + 32 + at);
      feedForward(load<u64>(TWO_STATES + (at << 1), 8), from + 128 + at, out + 64 + at);
    }
  }
  for (; left > 0; left--, from += PAIR_BYTES, out += DIGEST_BYTES) {
    memory.copy(STATE, from, PAIR_BYTES);
    permute(STATE);
    for (let at: usize = 0; at < 32; at += 8) {
      feedForward(load<u64>(STATE + at), from + at, out + at);
    }
  }
}

/** Stores lane + left as a canonical element; two canonical elements add up to less than 2p. */
// @ts-ignore: decorator
@inline function feedForward(lane: u64, leftElement: usize, out: usize): void {
  const a = canonical(lane);
  const sum = a + canonical(load<u64>(leftElement));
  store<u64>(out, sum < a || sum >= P ? sum - P : sum);
}

function storeDigest(): void {
  for (let at: usize = 0; at < 32; at += 8) {
    store<u64>(OUTPUT + at, canonical(load<u64>(STATE + at)));
  }
}

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
/** Lengths of the messages of a batch, u32 each. */
const LENGTHS: usize = memory.data(4096, 16);
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

export function lengthsOffset(): usize {
  return LENGTHS;
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
  beginState(length, domain);
}

/** Absorbs a full window that is not the end of the message. */
export function stateAbsorbWindow(): void {
  absorbBlocks(INPUT, WINDOW_BYTES / BLOCK_BYTES);
}

/** Absorbs the last `length` bytes, 0 to WINDOW_BYTES, and the 10* padding; digest at OUTPUT. */
export function stateFinish(length: u32): void {
  const blocks = length / BLOCK_BYTES + 1;
  memory.fill(INPUT + length, 0, blocks * BLOCK_BYTES - length);
  store<u8>(INPUT + length, 1);
  absorbBlocks(INPUT, blocks);
  storeDigest();
}

/**
 * `count` messages of the state sponge that take `blocks` blocks each with their padding: message i
 * at INPUT + 28 · blocks · i, its bytes at LENGTHS + 4 · i, its digest at OUTPUT + 32 · i. They fit
 * into a window; 0 ≤ count ≤ 1024.
 */
export function stateBatch(count: u32, blocks: u32, domain: u32): void {
  const stride = blocks * BLOCK_BYTES;
  let message = INPUT;
  let lengths = LENGTHS;
  let out = OUTPUT;
  for (let i: u32 = 0; i < count; i++) {
    const length = load<u32>(LENGTHS + (i << 2));
    memory.fill(INPUT + stride * i + length, 0, stride - length);
    store<u8>(INPUT + stride * i + length, 1);
  }
  let left = count;
  for (; left >= 3; left -= 3, message += 3 * stride, lengths += 12, out += 3 * DIGEST_BYTES) {
    beginState(load<u32>(lengths), domain);
    memory.fill(TWO_STATES, 0, 128);
    store<u64>(TWO_STATES, load<u32>(lengths, 4), 64);
    store<u64>(TWO_STATES, load<u32>(lengths, 8), 72);
    store<u64>(TWO_STATES, domain, 80);
    store<u64>(TWO_STATES, domain, 88);
    const end = message + stride;
    for (let block = message; block < end; block += BLOCK_BYTES) {
      for (let i: usize = 0; i < 4; i++) {
        const chunk = block + <usize>CHUNK_BYTES * i;
        absorbChunk(STATE + (i << 3), chunk);
        absorbChunk(TWO_STATES + (i << 4), chunk + stride);
        absorbChunk(TWO_STATES + (i << 4) + 8, chunk + 2 * stride);
      }
      permuteThree(STATE, TWO_STATES);
    }
    for (let i: usize = 0; i < 4; i++) {
      store<u64>(out + (i << 3), canonical(load<u64>(STATE + (i << 3))));
      store<u64>(out + (i << 3), canonical(load<u64>(TWO_STATES + (i << 4))), 32);
      store<u64>(out + (i << 3), canonical(load<u64>(TWO_STATES + (i << 4), 8)), 64);
    }
  }
  for (; left > 0; left--, message += stride, lengths += 4, out += DIGEST_BYTES) {
    beginState(load<u32>(lengths), domain);
    absorbBlocks(message, blocks);
    for (let at: usize = 0; at < 32; at += 8) {
      store<u64>(out + at, canonical(load<u64>(STATE + at)));
    }
  }
}

function beginState(length: u32, domain: u32): void {
  memory.fill(STATE, 0, 64);
  store<u64>(STATE, length, 32);
  store<u64>(STATE, domain, 40);
}

/** Adds each of the blocks at `from` to the rate. */
function absorbBlocks(from: usize, count: u32): void {
  let block = from;
  for (let left = count; left > 0; left--, block += BLOCK_BYTES) {
    for (let i: usize = 0; i < 4; i++) absorbChunk(STATE + (i << 3), block + <usize>CHUNK_BYTES * i);
    permute(STATE);
  }
}

/** Adds seven bytes to a lane; a chunk is below 2^56 and so below p. */
// @ts-ignore: decorator
@inline function absorbChunk(lane: usize, chunk: usize): void {
  store<u64>(lane, addCanonical(load<u64>(lane), load<u64>(chunk) & CHUNK_MASK));
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

/**
 * BLAKE3, 32-byte digests in the default hash mode (BLAKE3 paper, §2).
 *
 * The caller writes at `inputOffset()`, at most WINDOW_BYTES at a time, calls, and reads at
 * `outputOffset()`. A message longer than a window is absorbed window by window, and only the last
 * one may be shorter. Lengths are the caller's to keep; core/src/crypto/blake3.ts does.
 */
import { IV, compress, compressFour } from "./blake3-compress.generated";

const BLOCK_BYTES: u32 = 64;
const CHUNK_BYTES: u32 = 1024;
/** 64 chunks: a whole subtree, so a window never ends inside one. */
const WINDOW_BYTES: u32 = 65536;
const DIGEST_BYTES: u32 = 32;

// Domain flags, table 3.
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const PARENT: u32 = 4;
const ROOT: u32 = 8;

/** One readable byte precedes the input, and a block may be read past its end: 64 bytes of slack. */
const FRONT: usize = 16;
const INPUT: usize = memory.data(16 + 65536 + 64, 16) + FRONT;
const OUTPUT: usize = memory.data(32768, 16);
/** Lengths of the messages of a batch, u32 each. */
const LENGTHS: usize = memory.data(4096, 16);

/** Last block of a message, padded with zeros. */
const BLOCK: usize = memory.data(64, 16);
/** Chaining value of the chunk in work. */
const CHUNK_CV: usize = memory.data(32, 16);
/** Four chaining values and four blocks, word by word. */
const FOUR_CVS: usize = memory.data(128, 16);
const FOUR_BLOCKS: usize = memory.data(256, 16);

/**
 * Chaining values of finished subtrees, largest first (§5.1.2): one for each one-bit of
 * `chunksDone`, which is below 2^32, and room for one more and for the pair being merged.
 */
const STACK: usize = memory.data(34 * 32, 16);
let stackDepth: u32 = 0;
let chunksDone: u32 = 0;

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

/** Begins a message. */
export function begin(): void {
  stackDepth = 0;
  chunksDone = 0;
}

/** Absorbs a full window that is not the end of the message. */
export function absorbWindow(): void {
  absorbChunks(WINDOW_BYTES / CHUNK_BYTES);
}

/** Absorbs the last `length` bytes, 1 to WINDOW_BYTES, or 0 for the empty message; digest at OUTPUT. */
export function finish(length: u32): void {
  const whole = length == 0 ? 0 : (length - 1) / CHUNK_BYTES;
  absorbChunks(whole);
  const last = INPUT + whole * CHUNK_BYTES;
  const lastLength = length - whole * CHUNK_BYTES;
  if (stackDepth == 0) {
    hashChunk(last, lastLength, 0, ROOT, OUTPUT);
    return;
  }
  // The right edge of the tree: the last chunk joins one finished subtree after another, and the
  // join with the largest is the root.
  hashChunk(last, lastLength, chunksDone, 0, top(0));
  while (stackDepth > 1) {
    stackDepth -= 1;
    compress(IV, top(0), 0, BLOCK_BYTES, PARENT, top(0));
  }
  stackDepth = 0;
  compress(IV, STACK, 0, BLOCK_BYTES, PARENT | ROOT, OUTPUT);
}

/** Where the chaining value `i` places above the top of the stack goes. */
// @ts-ignore: decorator
@inline function top(i: u32): usize {
  return STACK + ((stackDepth + i) << 5);
}

/** Hashes `count` whole chunks at INPUT and puts them into the tree; none of them is the last. */
function absorbChunks(count: u32): void {
  let chunk = INPUT;
  let left = count;
  for (; left >= 4; left -= 4, chunk += 4 * CHUNK_BYTES) {
    hashFourChunks(chunk, chunksDone);
    for (let i: u32 = 0; i < 4; i++) {
      storeLane(FOUR_CVS, i, top(0));
      pushSubtree();
    }
  }
  for (; left > 0; left--, chunk += CHUNK_BYTES) {
    hashChunk(chunk, CHUNK_BYTES, chunksDone, 0, top(0));
    pushSubtree();
  }
}

/** Takes the chaining value just above the stack as the next chunk's and merges equal subtrees. */
function pushSubtree(): void {
  chunksDone += 1;
  for (let done = chunksDone; (done & 1) == 0; done >>= 1) {
    stackDepth -= 1;
    compress(IV, top(0), 0, BLOCK_BYTES, PARENT, top(0));
  }
  stackDepth += 1;
}

/** One chunk of 0 to 1024 bytes (§2.4) to its chaining value, or to the digest with ROOT. */
function hashChunk(chunk: usize, length: u32, counter: u32, rootFlag: u32, out: usize): void {
  let cv = IV;
  let block = chunk;
  let flags = CHUNK_START;
  let left = length;
  for (; left > BLOCK_BYTES; left -= BLOCK_BYTES, block += BLOCK_BYTES) {
    compress(cv, block, counter, BLOCK_BYTES, flags, CHUNK_CV);
    cv = CHUNK_CV;
    flags = 0;
  }
  if (left < BLOCK_BYTES) {
    memory.fill(BLOCK, 0, BLOCK_BYTES);
    memory.copy(BLOCK, block, left);
    block = BLOCK;
  }
  compress(cv, block, counter, left, flags | CHUNK_END | rootFlag, out);
}

/** Four whole chunks that lie one after another, to FOUR_CVS. */
function hashFourChunks(chunks: usize, counter: u32): void {
  const counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  startFour();
  for (let at: u32 = 0; at < CHUNK_BYTES; at += BLOCK_BYTES) {
    let flags: u32 = at == 0 ? CHUNK_START : 0;
    if (at == CHUNK_BYTES - BLOCK_BYTES) flags |= CHUNK_END;
    gatherBlocks(chunks + at, CHUNK_BYTES);
    compressFour(FOUR_CVS, FOUR_BLOCKS, counters, i32x4.splat(BLOCK_BYTES), flags);
  }
}

/**
 * `count` times H(prefix ‖ 64 bytes): the tree's inner nodes (prefix 1) and leaves (prefix 0).
 * The 64-byte parts lie one after another at INPUT, the digests at OUTPUT; 0 ≤ count ≤ 1024.
 */
export function hashPrefixedBatch(prefix: u32, count: u32): void {
  let pair = INPUT;
  let out = OUTPUT;
  let left = count;
  const firstByte = i32x4.splat(prefix);
  for (; left >= 4; left -= 4, pair += 4 * 64, out += 4 * DIGEST_BYTES) {
    // The first block is the prefix and 63 bytes: the same words, begun one byte earlier.
    startFour();
    gatherBlocks(pair - 1, 64);
    const first = v128.load(FOUR_BLOCKS);
    v128.store(FOUR_BLOCKS, v128.or(v128.and(first, i32x4.splat(~0xff)), firstByte));
    compressFour(FOUR_CVS, FOUR_BLOCKS, i32x4.splat(0), i32x4.splat(BLOCK_BYTES), CHUNK_START);
    // The second block is the last byte.
    memory.fill(FOUR_BLOCKS, 0, 256);
    for (let i: usize = 0; i < 4; i++) store<u8>(FOUR_BLOCKS + 4 * i, load<u8>(pair + 64 * i, 63));
    compressFour(FOUR_CVS, FOUR_BLOCKS, i32x4.splat(0), i32x4.splat(1), CHUNK_END | ROOT);
    storeFour(out);
  }
  for (; left > 0; left--, pair += 64, out += DIGEST_BYTES) {
    memory.copy(BLOCK, pair - 1, BLOCK_BYTES);
    store<u8>(BLOCK, <u8>prefix);
    compress(IV, BLOCK, 0, BLOCK_BYTES, CHUNK_START, CHUNK_CV);
    memory.fill(BLOCK, 0, BLOCK_BYTES);
    store<u8>(BLOCK, load<u8>(pair, 63));
    compress(CHUNK_CV, BLOCK, 0, 1, CHUNK_END | ROOT, out);
  }
}

/** `count` times H(64 bytes), from INPUT to OUTPUT; 0 ≤ count ≤ 1024. */
export function hash64Batch(count: u32): void {
  const flags = CHUNK_START | CHUNK_END | ROOT;
  let block = INPUT;
  let out = OUTPUT;
  let left = count;
  for (; left >= 4; left -= 4, block += 4 * 64, out += 4 * DIGEST_BYTES) {
    startFour();
    gatherBlocks(block, 64);
    compressFour(FOUR_CVS, FOUR_BLOCKS, i32x4.splat(0), i32x4.splat(BLOCK_BYTES), flags);
    storeFour(out);
  }
  for (; left > 0; left--, block += 64, out += DIGEST_BYTES) {
    compress(IV, block, 0, BLOCK_BYTES, flags, out);
  }
}

/**
 * `count` messages of `blocks` blocks each, 1 to 16, of which only the last may be short: message i
 * at INPUT + 64 · blocks · i, its bytes at LENGTHS + 4 · i, its digest at OUTPUT + 32 · i. They fit
 * into a window; 0 ≤ count ≤ 1024.
 */
export function hashBatch(count: u32, blocks: u32): void {
  const stride: usize = blocks << 6;
  const lastBlock: usize = stride - BLOCK_BYTES;
  const before: u32 = <u32>lastBlock;
  let message = INPUT;
  let lengths = LENGTHS;
  let out = OUTPUT;
  let left = count;
  for (; left >= 4; left -= 4, message += 4 * stride, lengths += 16, out += 4 * DIGEST_BYTES) {
    for (let i: usize = 0; i < 4; i++) clearTail(message + stride * i, load<u32>(lengths + 4 * i), stride);
    startFour();
    let flags = CHUNK_START;
    for (let at: usize = 0; at < lastBlock; at += BLOCK_BYTES) {
      gatherBlocks(message + at, stride);
      compressFour(FOUR_CVS, FOUR_BLOCKS, i32x4.splat(0), i32x4.splat(BLOCK_BYTES), flags);
      flags = 0;
    }
    gatherBlocks(message + lastBlock, stride);
    const lastLengths = i32x4.sub(v128.load(lengths), i32x4.splat(before));
    compressFour(FOUR_CVS, FOUR_BLOCKS, i32x4.splat(0), lastLengths, flags | CHUNK_END | ROOT);
    storeFour(out);
  }
  for (; left > 0; left--, message += stride, lengths += 4, out += DIGEST_BYTES) {
    hashChunk(message, load<u32>(lengths), 0, ROOT, out);
  }
}

/** The last block of a message is padded with zeros. */
// @ts-ignore: decorator
@inline function clearTail(message: usize, length: u32, stride: usize): void {
  memory.fill(message + length, 0, stride - length);
}

/** FOUR_CVS = four times the initial chaining value. */
function startFour(): void {
  for (let i: usize = 0; i < 8; i++) v128.store(FOUR_CVS + (i << 4), v128.load32_splat(IV + (i << 2)));
}

/** FOUR_BLOCKS = the 64-byte blocks at `from`, `from` + stride …, turned to word-by-word order. */
function gatherBlocks(from: usize, stride: usize): void {
  for (let at: usize = 0; at < 64; at += 16) {
    const source = from + at;
    transpose(
      v128.load(source),
      v128.load(source + stride),
      v128.load(source + 2 * stride),
      v128.load(source + 3 * stride),
      FOUR_BLOCKS + (at << 2),
      16,
    );
  }
}

/** Writes the four chaining values one after another. */
function storeFour(out: usize): void {
  for (let half: usize = 0; half < 2; half++) {
    const cvs = FOUR_CVS + (half << 6);
    transpose(v128.load(cvs), v128.load(cvs, 16), v128.load(cvs, 32), v128.load(cvs, 48), out + (half << 4), 32);
  }
}

/** Writes one of the four chaining values. */
function storeLane(cvs: usize, lane: u32, out: usize): void {
  for (let i: usize = 0; i < 8; i++) store<u32>(out + (i << 2), load<u32>(cvs + (i << 4) + (lane << 2)));
}

/** Transposes four rows of four words; the results go `step` bytes apart. */
// @ts-ignore: decorator
@inline function transpose(a: v128, b: v128, c: v128, d: v128, out: usize, step: usize): void {
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const AB = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const CD = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<u64>(ab, cd, 0, 2));
  v128.store(out + step, v128.shuffle<u64>(ab, cd, 1, 3));
  v128.store(out + 2 * step, v128.shuffle<u64>(AB, CD, 0, 2));
  v128.store(out + 3 * step, v128.shuffle<u64>(AB, CD, 1, 3));
}

/**
 * FALCON-512 signing (round-3 specification, Algorithm 10) with keys expanded beforehand.
 *
 * The caller writes bytes at `input()`, at most INPUT_BYTES of them, and calls: `expandKey` once a
 * key; then, a signature, `hashStart`, `hashAbsorb` over nonce and wrapped message, `sign` with the
 * seed at `input()`; the compressed s2 is at `output()`. Output depends on these inputs alone.
 */
import {
  BASIS_CAPITAL_G, BASIS_G, BASIS_MINUS_CAPITAL_F, BASIS_MINUS_F, EXPANDED_BYTES, TREE,
  expandSecretKey,
} from "./falcon-sign-key";
import { FFT_BYTES, fft, inverseFft, times } from "./falcon-sign-fft";
import { sampleLattice } from "./falcon-sign-lattice";
import { samplerZ } from "./falcon-sign-sampler";
import {
  shakeAbsorb, shakeFinish, shakeSqueeze, shakeSqueezeU16, shakeStart,
} from "./falcon-sign-shake";
import { STREAM_SEED_BYTES, streamPreset, streamSeed, streamWipe } from "./falcon-sign-stream";

const Q: u32 = 12289;
/** floor(beta^2): the largest squared norm of a signature. */
const NORM_BOUND: f64 = 34034726;
const SEED_BYTES: usize = 48;
const INPUT_BYTES: usize = 4096;
const OUTPUT_BYTES: usize = 1024;

const INPUT: usize = memory.data(4096, 16);
const OUTPUT: usize = memory.data(1024, 16);
const POINT: usize = memory.data(1024, 16); // c: u16[512]
const SHORT: usize = memory.data(1024, 16); // s2: i16[512]
const STREAM_SEED: usize = memory.data(64, 16);
// Polynomials, and scratch of two more for the sampler.
const HASH_FFT: usize = memory.data(28672, 16);
const T0: usize = HASH_FFT + FFT_BYTES;
const T1: usize = T0 + FFT_BYTES;
const SCRATCH: usize = T1 + FFT_BYTES;
const S1: usize = SCRATCH + 2 * FFT_BYTES;
const S2: usize = S1 + FFT_BYTES;
const WORK_BYTES: usize = 7 * FFT_BYTES;

let slots: u32 = 0;

// @ts-ignore: decorator
@inline
function slotAt(slot: u32): usize {
  return ((__heap_base + 15) & ~15) + <usize>slot * EXPANDED_BYTES;
}

/** Makes room for `count` expanded keys; false if memory cannot grow. Called once. */
export function reserve(count: u32): bool {
  const needed = (slotAt(count) + 0xffff) >> 16;
  const present = <usize>memory.size();
  if (needed > present && memory.grow(<i32>(needed - present)) < 0) return false;
  slots = count;
  return true;
}

export function input(): usize {
  return INPUT;
}

export function inputBytes(): usize {
  return INPUT_BYTES;
}

export function output(): usize {
  return OUTPUT;
}

export function outputBytes(): usize {
  return OUTPUT_BYTES;
}

/** Where an expanded key lies: the FFTs of g, -f, G, -F, then the tree. For known answers. */
export function expandedKey(slot: u32): usize {
  return slotAt(slot);
}

/** Expands the 1281 bytes at `input()`, which are wiped; 0 or the reason of refusal. */
export function expandKey(slot: u32): i32 {
  if (slot >= slots) return -1;
  const outcome = expandSecretKey(INPUT, slotAt(slot));
  memory.fill(INPUT, 0, INPUT_BYTES);
  return outcome;
}

export function clearKey(slot: u32): void {
  if (slot < slots) memory.fill(slotAt(slot), 0, EXPANDED_BYTES);
}

export function hashStart(): void {
  shakeStart();
}

export function hashAbsorb(length: u32): void {
  shakeAbsorb(INPUT, length);
}

/**
 * Signs what was absorbed with the 48-byte seed at `input()`. Tries until a short enough signature
 * fits into `bodyBytes`, at most `maxAttempts` times; answers the number of attempts, 0 for none.
 */
export function sign(slot: u32, bodyBytes: u32, maxAttempts: u32): u32 {
  if (slot >= slots || <usize>bodyBytes > OUTPUT_BYTES) return 0;
  const key = slotAt(slot);
  hashToPoint();
  shakeStart();
  shakeAbsorb(INPUT, SEED_BYTES);
  shakeFinish();
  let attempt: u32 = 1;
  for (; attempt <= maxAttempts; attempt++) {
    shakeSqueeze(STREAM_SEED, STREAM_SEED_BYTES);
    streamSeed(STREAM_SEED);
    target(key);
    sampleLattice(9, key + TREE, T0, T1, SCRATCH);
    if (shortVector(key) <= NORM_BOUND && compress(bodyBytes)) break;
  }
  wipe();
  return attempt <= maxAttempts ? attempt : 0;
}

function wipe(): void {
  streamWipe();
  shakeStart();
  memory.fill(INPUT, 0, INPUT_BYTES);
  memory.fill(STREAM_SEED, 0, STREAM_SEED_BYTES);
  memory.fill(SHORT, 0, 1024);
  memory.fill(HASH_FFT, 0, WORK_BYTES);
}

/** Algorithm 3: c, kept as integers and in FFT form. */
function hashToPoint(): void {
  shakeFinish();
  for (let i: usize = 0; i < 512; ) {
    const sample = shakeSqueezeU16();
    if (sample < 5 * Q) store<u16>(POINT + (i++ << 1), sample % Q);
  }
  for (let i: usize = 0; i < 256; i++) {
    store<f64>(HASH_FFT + (i << 4), <f64>load<u16>(POINT + (i << 1)));
    store<f64>(HASH_FFT + (i << 4), <f64>load<u16>(POINT + (i << 1), 512), 8);
  }
  fft(HASH_FFT);
}

/** t = (c, 0) * B^-1 = (-c F, c f) / q, up to the signs the basis already carries. */
function target(key: usize): void {
  const inverse = f64x2.splat(1.0 / 12289.0), minusInverse = f64x2.splat(-1.0 / 12289.0);
  for (let at: usize = 0; at < FFT_BYTES; at += 16) {
    const c = v128.load(HASH_FFT + at);
    const minusF = v128.load(key + at, BASIS_MINUS_F);
    const minusCapitalF = v128.load(key + at, BASIS_MINUS_CAPITAL_F);
    v128.store(T0 + at, f64x2.mul(times(c, minusCapitalF), inverse));
    v128.store(T1 + at, f64x2.mul(times(c, minusF), minusInverse));
  }
}

/** s = (c, 0) - z * B; keeps s2 and answers the squared norm of (s1, s2). */
function shortVector(key: usize): f64 {
  for (let at: usize = 0; at < FFT_BYTES; at += 16) {
    const z0 = v128.load(T0 + at), z1 = v128.load(T1 + at);
    const g = v128.load(key + at, BASIS_G), capitalG = v128.load(key + at, BASIS_CAPITAL_G);
    const minusF = v128.load(key + at, BASIS_MINUS_F);
    const minusCapitalF = v128.load(key + at, BASIS_MINUS_CAPITAL_F);
    v128.store(S1 + at, f64x2.add(times(z0, g), times(z1, capitalG)));
    v128.store(S2 + at, f64x2.add(times(z1, minusCapitalF), times(z0, minusF)));
  }
  inverseFft(S1);
  inverseFft(S2);
  let norm: f64 = 0;
  for (let i: usize = 0; i < 512; i++) {
    const at = ((i & 255) << 4) | ((i >> 8) << 3);
    const s1 = <f64>load<u16>(POINT + (i << 1)) - nearest<f64>(load<f64>(S1 + at));
    const s2 = -nearest<f64>(load<f64>(S2 + at));
    norm += s1 * s1 + s2 * s2;
    // Saturates; past the norm bound the value is not used.
    store<i16>(SHORT + (i << 1), <i16><i32>s2);
  }
  return norm;
}

/** Algorithm 17: s2 to `output()`, zero-padded to `limit` bytes; false if it does not fit. */
function compress(limit: usize): bool {
  let bits: u64 = 0;
  let pending: u32 = 0;
  let length: usize = 0;
  for (let i: usize = 0; i < 1024; i += 2) {
    const value = <i32>load<i16>(SHORT + i);
    const magnitude = <u32>(value < 0 ? -value : value);
    if (magnitude > 2047) return false;
    const high = magnitude >> 7;
    const head = (value < 0 ? 128 : 0) | (magnitude & 127);
    bits = (bits << (9 + high)) | (<u64>head << (high + 1)) | 1;
    pending += 9 + high;
    while (pending >= 8) {
      if (length == limit) return false;
      pending -= 8;
      store<u8>(OUTPUT + length++, <u8>(bits >> pending));
    }
  }
  if (pending > 0) {
    if (length == limit) return false;
    store<u8>(OUTPUT + length++, <u8>(bits << (8 - pending)));
  }
  memory.fill(OUTPUT + length, 0, limit - length);
  return true;
}

/** Makes the sampler read the `length` bytes at `input()`, at most 512. For known answers. */
export function presetStream(length: u32): void {
  streamPreset(INPUT, length);
}

/** One SamplerZ draw. For known answers. */
export function sampleInteger(mu: f64, inverseSigma: f64, sigmaMin: f64): f64 {
  return samplerZ(mu, inverseSigma * inverseSigma * 0.5, inverseSigma * sigmaMin);
}

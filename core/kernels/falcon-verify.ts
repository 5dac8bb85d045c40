/**
 * FALCON-512 verification (Falcon specification, round 3, algorithm 16), two signatures at a time.
 *
 * The caller writes keys, messages and signatures anywhere from `stagingOffset()` on, leaving 16
 * bytes after the last, describes each item at `itemsOffset()`, calls `verify` and reads one byte an
 * item at `verdictsOffset()`. It grows the memory when it needs more; keys are 897 bytes, and
 * signature lengths are checked here. core/src/crypto/falcon-verify.ts does this.
 */
import { decodeSignature } from "./falcon-decode";
import { hashToPoints } from "./falcon-hash";
import { factorOfKey } from "./falcon-keycache";
import { POLYNOMIAL_BYTES, Q, multiplyInverse, reduced, transform } from "./falcon-ntt";

/** β² of the specification, table 3.3: the largest squared norm of (s1, s2). */
const MAX_SQUARED_NORM: i64 = 34034726;
const HALF_Q: i16 = 6144;

const MAX_ITEMS: u32 = 64;
/** u32 each: key, message, message length, signature, signature length. */
const ITEM_BYTES: usize = 20;
const ITEMS: usize = memory.data(64 * 20, 16);
const VERDICTS: usize = memory.data(64, 16);

const S2_0: usize = memory.data(1024, 16);
const S2_1: usize = memory.data(1024, 16);
const POINT_0: usize = memory.data(1024 + 16, 16);
const POINT_1: usize = memory.data(1024 + 16, 16);

export function stagingOffset(): usize {
  return __heap_base;
}

export function itemsOffset(): usize {
  return ITEMS;
}

export function verdictsOffset(): usize {
  return VERDICTS;
}

export function maxItems(): u32 {
  return MAX_ITEMS;
}

export { decodeSignature };

/**
 * s2 · h mod q between -q/2 and q/2, in place, for coefficients of at most q/2 in absolute value;
 * false when the 897 bytes are no public key. The tests check the transform with it.
 */
export function multiplyByKey(key: usize, polynomial: usize): bool {
  const factor = factorOfKey(key);
  if (factor == 0) return false;
  transform(polynomial);
  multiplyInverse(polynomial, factor);
  for (let i: usize = 0; i < POLYNOMIAL_BYTES; i += 16) {
    v128.store(polynomial + i, centred(v128.load(polynomial + i)));
  }
  return true;
}

/** Verifies `count` items, at most MAX_ITEMS. */
export function verify(count: u32): void {
  let i: u32 = 0;
  // Items whose bytes cannot be a signature are settled first; the others are hashed in pairs.
  let waiting: usize = 0;
  let waitingVerdict: usize = 0;
  for (; i < count; i++) {
    const item = ITEMS + <usize>i * ITEM_BYTES;
    const verdict = VERDICTS + i;
    store<u8>(verdict, 0);
    const s2 = waiting == 0 ? S2_0 : S2_1;
    if (!decodeSignature(signatureOf(item), load<u32>(item, 16), s2)) continue;
    if (squaredNorm(s2) > MAX_SQUARED_NORM) continue;
    if (waiting == 0) {
      waiting = item;
      waitingVerdict = verdict;
      continue;
    }
    if (hashItems(waiting, item, POINT_1)) {
      store<u8>(waitingVerdict, isShort(S2_0, POINT_0, waiting));
      store<u8>(verdict, isShort(S2_1, POINT_1, item));
    }
    waiting = 0;
  }
  if (waiting != 0 && hashItems(waiting, waiting, 0)) {
    store<u8>(waitingVerdict, isShort(S2_0, POINT_0, waiting));
  }
}

// @ts-ignore: decorator
@inline function signatureOf(item: usize): usize {
  return load<u32>(item, 12);
}

function hashItems(a: usize, b: usize, pointOfB: usize): bool {
  return hashToPoints(
    signatureOf(a) + 1, load<u32>(a, 4), load<u32>(a, 8), POINT_0,
    signatureOf(b) + 1, load<u32>(b, 4), load<u32>(b, 8), pointOfB,
  );
}

/** s1 = c - s2·h mod q between -q/2 and q/2, and ‖(s1, s2)‖² ≤ β². `s2` is used up. */
function isShort(s2: usize, point: usize, item: usize): bool {
  const factor = factorOfKey(load<u32>(item));
  if (factor == 0) return false;
  const normOfS2 = squaredNorm(s2);
  transform(s2);
  multiplyInverse(s2, factor);

  const q = i16x8.splat(<i16>Q);
  let sums = i32x4.splat(0);
  let overflow = i32x4.splat(0);
  for (let i: usize = 0; i < POLYNOMIAL_BYTES; i += 16) {
    // Samples are below 5q: take off 3q, 2q and q where what remains is not negative.
    let c = v128.load(point + i);
    c = i16x8.min_u(c, i16x8.sub(c, i16x8.splat(<i16>(3 * Q))));
    c = i16x8.min_u(c, i16x8.sub(c, i16x8.splat(<i16>(2 * Q))));
    c = i16x8.min_u(c, i16x8.sub(c, q));
    c = i16x8.sub(c, v128.and(i16x8.gt_s(c, i16x8.splat(HALF_Q)), q));
    // |c| ≤ 0.5 q and |s2·h| ≤ 0.82 q.
    const s1 = centred(i16x8.sub(c, v128.load(s2 + i)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(s1, s1));
    // A step adds at most 2 · 6144² < 2^27, so a sum that passes 2^31 is negative at some step.
    overflow = v128.or(overflow, sums);
  }
  if (i32x4.bitmask(overflow) != 0) return false;
  return normOfS2 + total(sums) <= MAX_SQUARED_NORM;
}

/** The representative between -q/2 and q/2 of |a| ≤ 1.33 q: `reduced` leaves at most 0.556 q. */
// @ts-ignore: decorator
@inline function centred(a: v128): v128 {
  const q = i16x8.splat(<i16>Q);
  let x = reduced(a);
  x = i16x8.sub(x, v128.and(i16x8.gt_s(x, i16x8.splat(HALF_Q)), q));
  return i16x8.add(x, v128.and(i16x8.lt_s(x, i16x8.splat(-HALF_Q)), q));
}

/** Of coefficients at most 2047: a lane's sum is at most 128 · 2047² < 2^30. */
function squaredNorm(polynomial: usize): i64 {
  let sums = i32x4.splat(0);
  for (let i: usize = 0; i < POLYNOMIAL_BYTES; i += 16) {
    const x = v128.load(polynomial + i);
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(x, x));
  }
  return total(sums);
}

// @ts-ignore: decorator
@inline function total(sums: v128): i64 {
  return <i64>i32x4.extract_lane(sums, 0) + <i64>i32x4.extract_lane(sums, 1) +
    <i64>i32x4.extract_lane(sums, 2) + <i64>i32x4.extract_lane(sums, 3);
}

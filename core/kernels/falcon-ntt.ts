/**
 * Multiplication in Z_q[x] / (x^512 + 1), q = 12289 (Falcon specification, §3.7), by the
 * number-theoretic transform on vectors of eight i16.
 *
 * A coefficient is kept as some representative in i16, not one in particular. Every bound below is
 * on its absolute value, and q·2.66 = 32767 is what a lane holds:
 * - multiply(a, w) is at most q·(1/2 + |a| / 2^16), so at most q, and 0.60 q for |a| ≤ q/2;
 * - reduced(a) is at most 9560 = 0.778 q for any a, 8194 = 0.667 q for |a| < 27307, and
 *   6827 = 0.556 q for |a| < 16384.
 */
import { INVERSE_PAIR_ROOTS, INVERSE_ROOTS, PAIR_ROOTS, ROOTS } from "./falcon-ntt-tables.generated";

export const Q: i32 = 12289;
/** A polynomial: 512 coefficients of i16. */
export const POLYNOMIAL_BYTES: usize = 1024;

/**
 * a · w - round(a · w' / 2^15) · q, where w' = round(w · 2^15 / q) is the companion of the fixed
 * factor |w| ≤ q/2. The quotient is off by at most 1/2 + |a| / 2^16; products wrap, the difference
 * does not.
 */
// @ts-ignore: decorator
@inline export function multiply(a: v128, w: v128, companion: v128): v128 {
  const quotient = i16x8.q15mulr_sat_s(a, companion);
  return i16x8.sub(i16x8.mul(a, w), i16x8.mul(quotient, i16x8.splat(<i16>Q)));
}

/** a - round(3a / 2^15) · q: 3 / 2^15 is a little more than 1 / q. */
// @ts-ignore: decorator
@inline export function reduced(a: v128): v128 {
  return i16x8.sub(a, i16x8.mul(i16x8.q15mulr_sat_s(a, i16x8.splat(3)), i16x8.splat(<i16>Q)));
}

/** Butterfly root i of a table of (root, companion) pairs, in all lanes. */
// @ts-ignore: decorator
@inline function rootAt(table: usize, i: usize): v128 {
  return v128.load16_splat(table + (i << 2));
}

// @ts-ignore: decorator
@inline function companionAt(table: usize, i: usize): v128 {
  return v128.load16_splat(table + (i << 2), 2);
}

/**
 * The transform, in place. Coefficients of at most q/2 become values of at most 1.77 q, in an order
 * that only `multiplyInverse` knows. Three levels at a time stay in registers.
 *
 * Bounds, level by level: 0.5 → 1.10 → 1.80 → (reduced 0.667) 1.51 | → 2.29 → (reduced 0.778) 1.71
 * → 2.53 | → (reduced 0.778) 1.76 → 2.59 → (reduced 0.778) 1.77, all times q.
 */
export function transform(a: usize): void {
  for (let j: usize = 0; j < 8; j++) forwardLevels(a + (j << 4), 128, 1, false, true);
  for (let i: usize = 0; i < 8; i++) forwardLevels(a + (i << 7), 16, 8 + i, true, false);
  let roots = PAIR_ROOTS;
  for (let p = a; p < a + POLYNOMIAL_BYTES; p += 32, roots += 96) forwardPair(p, roots);
}

/**
 * Three levels over eight vectors that lie `stride` bytes apart; `block` numbers their block in the
 * first of the levels, counting from the number of blocks of that level.
 */
// @ts-ignore: decorator
@inline function forwardLevels(p: usize, stride: usize, block: usize, reduceSecond: bool, reduceThird: bool): void {
  let v0 = v128.load(p), v1 = v128.load(p + stride);
  let v2 = v128.load(p + 2 * stride), v3 = v128.load(p + 3 * stride);
  let v4 = v128.load(p + 4 * stride), v5 = v128.load(p + 5 * stride);
  let v6 = v128.load(p + 6 * stride), v7 = v128.load(p + 7 * stride);

  let w = rootAt(ROOTS, block), c = companionAt(ROOTS, block);
  let t = multiply(v4, w, c); v4 = i16x8.sub(v0, t); v0 = i16x8.add(v0, t);
  t = multiply(v5, w, c); v5 = i16x8.sub(v1, t); v1 = i16x8.add(v1, t);
  t = multiply(v6, w, c); v6 = i16x8.sub(v2, t); v2 = i16x8.add(v2, t);
  t = multiply(v7, w, c); v7 = i16x8.sub(v3, t); v3 = i16x8.add(v3, t);

  if (reduceSecond) { v0 = reduced(v0); v1 = reduced(v1); v4 = reduced(v4); v5 = reduced(v5); }
  w = rootAt(ROOTS, 2 * block); c = companionAt(ROOTS, 2 * block);
  t = multiply(v2, w, c); v2 = i16x8.sub(v0, t); v0 = i16x8.add(v0, t);
  t = multiply(v3, w, c); v3 = i16x8.sub(v1, t); v1 = i16x8.add(v1, t);
  w = rootAt(ROOTS, 2 * block + 1); c = companionAt(ROOTS, 2 * block + 1);
  t = multiply(v6, w, c); v6 = i16x8.sub(v4, t); v4 = i16x8.add(v4, t);
  t = multiply(v7, w, c); v7 = i16x8.sub(v5, t); v5 = i16x8.add(v5, t);

  if (reduceThird) { v0 = reduced(v0); v2 = reduced(v2); v4 = reduced(v4); v6 = reduced(v6); }
  t = multiply(v1, rootAt(ROOTS, 4 * block), companionAt(ROOTS, 4 * block));
  v1 = i16x8.sub(v0, t); v0 = i16x8.add(v0, t);
  t = multiply(v3, rootAt(ROOTS, 4 * block + 1), companionAt(ROOTS, 4 * block + 1));
  v3 = i16x8.sub(v2, t); v2 = i16x8.add(v2, t);
  t = multiply(v5, rootAt(ROOTS, 4 * block + 2), companionAt(ROOTS, 4 * block + 2));
  v5 = i16x8.sub(v4, t); v4 = i16x8.add(v4, t);
  t = multiply(v7, rootAt(ROOTS, 4 * block + 3), companionAt(ROOTS, 4 * block + 3));
  v7 = i16x8.sub(v6, t); v6 = i16x8.add(v6, t);

  v128.store(p, v0); v128.store(p + stride, v1);
  v128.store(p + 2 * stride, v2); v128.store(p + 3 * stride, v3);
  v128.store(p + 4 * stride, v4); v128.store(p + 5 * stride, v5);
  v128.store(p + 6 * stride, v6); v128.store(p + 7 * stride, v7);
}

/** The last three levels, inside sixteen coefficients; shuffles bring partners face to face. */
// @ts-ignore: decorator
@inline function forwardPair(p: usize, roots: usize): void {
  let x = v128.load(p), y = v128.load(p, 16);
  let a = reduced(v128.shuffle<u64>(x, y, 0, 2));
  let b = multiply(v128.shuffle<u64>(x, y, 1, 3), v128.load(roots), v128.load(roots, 16));
  x = i16x8.add(a, b); y = i16x8.sub(a, b);
  a = v128.shuffle<u32>(x, y, 0, 2, 4, 6);
  b = multiply(v128.shuffle<u32>(x, y, 1, 3, 5, 7), v128.load(roots, 32), v128.load(roots, 48));
  x = i16x8.add(a, b); y = i16x8.sub(a, b);
  a = reduced(v128.shuffle<u16>(x, y, 0, 2, 4, 6, 8, 10, 12, 14));
  b = multiply(v128.shuffle<u16>(x, y, 1, 3, 5, 7, 9, 11, 13, 15), v128.load(roots, 64), v128.load(roots, 80));
  v128.store(p, i16x8.add(a, b)); v128.store(p, i16x8.sub(a, b), 16);
}

/**
 * `a`, transformed, times a fixed factor, and back to coefficients of at most 0.82 q, in place. The
 * factor is transformed, divided by 512 and at most q/2, with its companions 1024 bytes after it.
 *
 * Bounds: the product is at most 0.84 q; each level reduces a sum of at most 1.67 q to 0.667 q and
 * multiplies such a difference to at most 0.82 q.
 */
export function multiplyInverse(a: usize, factor: usize): void {
  let roots = INVERSE_PAIR_ROOTS;
  let f = factor;
  for (let p = a; p < a + POLYNOMIAL_BYTES; p += 32, roots += 96, f += 32) inversePair(p, f, roots);
  for (let i: usize = 0; i < 8; i++) inverseLevels(a + (i << 7), 16, 8 + i);
  for (let j: usize = 0; j < 8; j++) inverseLevels(a + (j << 4), 128, 1);
}

// @ts-ignore: decorator
@inline function inversePair(p: usize, factor: usize, roots: usize): void {
  let a = multiply(v128.load(p), v128.load(factor), v128.load(factor, 1024));
  let b = multiply(v128.load(p, 16), v128.load(factor, 16), v128.load(factor, 1040));
  let x = reduced(i16x8.add(a, b));
  let y = multiply(i16x8.sub(a, b), v128.load(roots, 64), v128.load(roots, 80));
  a = v128.shuffle<u16>(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
  b = v128.shuffle<u16>(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
  x = reduced(i16x8.add(a, b));
  y = multiply(i16x8.sub(a, b), v128.load(roots, 32), v128.load(roots, 48));
  a = v128.shuffle<u32>(x, y, 0, 4, 1, 5);
  b = v128.shuffle<u32>(x, y, 2, 6, 3, 7);
  x = reduced(i16x8.add(a, b));
  y = multiply(i16x8.sub(a, b), v128.load(roots), v128.load(roots, 16));
  v128.store(p, v128.shuffle<u64>(x, y, 0, 2)); v128.store(p, v128.shuffle<u64>(x, y, 1, 3), 16);
}

/** The inverse of `forwardLevels`. */
// @ts-ignore: decorator
@inline function inverseLevels(p: usize, stride: usize, block: usize): void {
  let v0 = v128.load(p), v1 = v128.load(p + stride);
  let v2 = v128.load(p + 2 * stride), v3 = v128.load(p + 3 * stride);
  let v4 = v128.load(p + 4 * stride), v5 = v128.load(p + 5 * stride);
  let v6 = v128.load(p + 6 * stride), v7 = v128.load(p + 7 * stride);

  let i: usize = 4 * block;
  let t = v0; v0 = reduced(i16x8.add(t, v1));
  v1 = multiply(i16x8.sub(t, v1), rootAt(INVERSE_ROOTS, i), companionAt(INVERSE_ROOTS, i));
  t = v2; v2 = reduced(i16x8.add(t, v3));
  v3 = multiply(i16x8.sub(t, v3), rootAt(INVERSE_ROOTS, i + 1), companionAt(INVERSE_ROOTS, i + 1));
  t = v4; v4 = reduced(i16x8.add(t, v5));
  v5 = multiply(i16x8.sub(t, v5), rootAt(INVERSE_ROOTS, i + 2), companionAt(INVERSE_ROOTS, i + 2));
  t = v6; v6 = reduced(i16x8.add(t, v7));
  v7 = multiply(i16x8.sub(t, v7), rootAt(INVERSE_ROOTS, i + 3), companionAt(INVERSE_ROOTS, i + 3));

  i = 2 * block;
  let w = rootAt(INVERSE_ROOTS, i), c = companionAt(INVERSE_ROOTS, i);
  t = v0; v0 = reduced(i16x8.add(t, v2)); v2 = multiply(i16x8.sub(t, v2), w, c);
  t = v1; v1 = reduced(i16x8.add(t, v3)); v3 = multiply(i16x8.sub(t, v3), w, c);
  w = rootAt(INVERSE_ROOTS, i + 1); c = companionAt(INVERSE_ROOTS, i + 1);
  t = v4; v4 = reduced(i16x8.add(t, v6)); v6 = multiply(i16x8.sub(t, v6), w, c);
  t = v5; v5 = reduced(i16x8.add(t, v7)); v7 = multiply(i16x8.sub(t, v7), w, c);

  w = rootAt(INVERSE_ROOTS, block); c = companionAt(INVERSE_ROOTS, block);
  t = v0; v0 = reduced(i16x8.add(t, v4)); v4 = multiply(i16x8.sub(t, v4), w, c);
  t = v1; v1 = reduced(i16x8.add(t, v5)); v5 = multiply(i16x8.sub(t, v5), w, c);
  t = v2; v2 = reduced(i16x8.add(t, v6)); v6 = multiply(i16x8.sub(t, v6), w, c);
  t = v3; v3 = reduced(i16x8.add(t, v7)); v7 = multiply(i16x8.sub(t, v7), w, c);

  v128.store(p, v0); v128.store(p + stride, v1);
  v128.store(p + 2 * stride, v2); v128.store(p + 3 * stride, v3);
  v128.store(p + 4 * stride, v4); v128.store(p + 5 * stride, v5);
  v128.store(p + 6 * stride, v6); v128.store(p + 7 * stride, v7);
}

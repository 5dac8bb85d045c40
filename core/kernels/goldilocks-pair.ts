/**
 * The arithmetic of goldilocks.ts on two lanes at once, in i64x2; the bounds proved there hold here.
 *
 * SIMD has no unsigned 64-bit comparison: both sides get 2^63 added (BIAS) and are compared signed.
 * Products are taken of limbs "spread" over a vector as [lo₀ lo₁ hi₀ hi₁].
 */

// @ts-ignore: decorator
@inline function bias(): v128 {
  return i64x2.splat(0x8000000000000000);
}

// @ts-ignore: decorator
@inline export function lowPair(a: v128): v128 {
  return v128.and(a, i64x2.splat(0xffffffff));
}

// @ts-ignore: decorator
@inline export function highPair(a: v128): v128 {
  return i64x2.shr_u(a, 32);
}

/** EPSILON where a < b, else 0. */
// @ts-ignore: decorator
@inline function epsilonWhereLess(a: v128, b: v128): v128 {
  return i64x2.shr_u(i64x2.gt_s(v128.xor(b, bias()), v128.xor(a, bias())), 32);
}

// @ts-ignore: decorator
@inline export function addCanonicalPair(a: v128, c: v128): v128 {
  const sum = i64x2.add(a, c);
  return i64x2.add(sum, epsilonWhereLess(sum, c));
}

// @ts-ignore: decorator
@inline export function fromLimbSumsPair(lo: v128, hi: v128): v128 {
  const top = highPair(hi);
  const small = i64x2.sub(i64x2.add(lo, i64x2.shl(top, 32)), top);
  const sum = i64x2.add(i64x2.shl(hi, 32), small);
  return i64x2.add(sum, epsilonWhereLess(sum, small));
}

/** `reduce`, with lo biased throughout so that each comparison needs no flip of its own. */
// @ts-ignore: decorator
@inline function reducePair(hi: v128, lo: v128): v128 {
  const hh = highPair(hi);
  const hlShifted = i64x2.shl(hi, 32);
  const biasedLo = v128.xor(lo, bias());
  const wrapped = i64x2.sub(biasedLo, hh);
  const difference = i64x2.sub(wrapped, i64x2.shr_u(i64x2.gt_s(wrapped, biasedLo), 32));
  const sum = i64x2.add(difference, i64x2.sub(hlShifted, i64x2.shr_u(hlShifted, 32)));
  return v128.xor(i64x2.add(sum, i64x2.shr_u(i64x2.gt_s(difference, sum), 32)), bias());
}

// @ts-ignore: decorator
@inline function spread(a: v128): v128 {
  return v128.shuffle<u32>(a, a, 0, 2, 1, 3);
}

/** [lo₀ lo₁ hi₀ hi₁] to [hi₀ hi₁ lo₀ lo₁]. */
// @ts-ignore: decorator
@inline function exchanged(a: v128): v128 {
  return v128.shuffle<u64>(a, a, 1, 0);
}

/** Joins the four partial products of `multiply`. */
// @ts-ignore: decorator
@inline function joined(ll: v128, hl: v128, lh: v128, hh: v128): v128 {
  const middle = i64x2.add(hl, highPair(ll));
  const other = i64x2.add(lh, lowPair(middle));
  const hi = i64x2.add(hh, i64x2.add(highPair(middle), highPair(other)));
  return reducePair(hi, v128.or(i64x2.shl(other, 32), lowPair(ll)));
}

// @ts-ignore: decorator
@inline export function multiplyPair(a: v128, b: v128): v128 {
  const x = spread(a), y = spread(b), z = exchanged(y);
  return joined(
    i64x2.extmul_low_i32x4_u(x, y),
    i64x2.extmul_high_i32x4_u(x, z),
    i64x2.extmul_low_i32x4_u(x, z),
    i64x2.extmul_high_i32x4_u(x, y),
  );
}

/** a · d + s, with d spread already and the limbs of s in two vectors. */
// @ts-ignore: decorator
@inline export function multiplyAddPair(a: v128, d: v128, sl: v128, sh: v128): v128 {
  const x = spread(a), z = exchanged(d);
  return joined(
    i64x2.add(i64x2.extmul_low_i32x4_u(x, d), sl),
    i64x2.extmul_high_i32x4_u(x, z),
    i64x2.add(i64x2.extmul_low_i32x4_u(x, z), sh),
    i64x2.extmul_high_i32x4_u(x, d),
  );
}

// @ts-ignore: decorator
@inline export function squarePair(a: v128): v128 {
  const x = spread(a);
  const cross = i64x2.extmul_low_i32x4_u(x, exchanged(x));
  return joined(i64x2.extmul_low_i32x4_u(x, x), cross, cross, i64x2.extmul_high_i32x4_u(x, x));
}

// @ts-ignore: decorator
@inline export function power7Pair(x: v128): v128 {
  const x2 = squarePair(x);
  return multiplyPair(multiplyPair(x2, x), squarePair(x2));
}

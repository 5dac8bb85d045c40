/**
 * Arithmetic modulo p = 2^64 - 2^32 + 1 on u64 lanes.
 *
 * A lane is any u64, not only one below p; `canonical` gives the one representative. Since
 * 2^64 ≡ EPSILON = 2^32 - 1 and 2^96 ≡ -1 (mod p), a wrap past 2^64 is mended by adding EPSILON and
 * a wrap below 0 by subtracting it. Each function says why one mending is enough.
 */

export const P: u64 = 0xffffffff00000001;
const EPSILON: u64 = 0xffffffff;

// @ts-ignore: decorator
@inline export function low32(a: u64): u64 {
  return a & 0xffffffff;
}

// @ts-ignore: decorator
@inline export function high32(a: u64): u64 {
  return a >> 32;
}

// @ts-ignore: decorator
@inline export function canonical(a: u64): u64 {
  return a >= P ? a - P : a;
}

/** a + c for c < p. A wrapped sum is at most p - 2, so adding EPSILON does not wrap again. */
// @ts-ignore: decorator
@inline export function addCanonical(a: u64, c: u64): u64 {
  const sum = a + c;
  return select<u64>(sum + EPSILON, sum, sum < c);
}

/**
 * hi · 2^64 + lo = (hh · 2^32 + hl) · 2^64 + lo ≡ lo - hh + hl · EPSILON.
 * - lo - hh: a wrapped difference is at least 2^64 - 2^32 + 1, so subtracting EPSILON does not wrap.
 * - + hl · EPSILON ≤ 2^64 - 2^33 + 1: a wrapped sum is below that, so adding EPSILON does not wrap.
 */
// @ts-ignore: decorator
@inline export function reduce(hi: u64, lo: u64): u64 {
  const hh = high32(hi);
  const hl = low32(hi);
  let difference = lo - hh;
  if (lo < hh) difference -= EPSILON;
  const product = (hl << 32) - hl;
  const sum = difference + product;
  return select<u64>(sum + EPSILON, sum, sum < product);
}

/** Schoolbook in 32-bit limbs; every partial sum is at most (2^32 - 1)^2 + 2 · (2^32 - 1) < 2^64. */
// @ts-ignore: decorator
@inline export function multiply(a: u64, b: u64): u64 {
  const al = low32(a), ah = high32(a), bl = low32(b), bh = high32(b);
  const ll = al * bl;
  const middle = ah * bl + high32(ll);
  const other = al * bh + low32(middle);
  return reduce(ah * bh + high32(middle) + high32(other), (other << 32) | low32(ll));
}

/** a · d + s with both d and s in limbs below 2^32; partial sums as in `multiply`. */
// @ts-ignore: decorator
@inline export function multiplyAdd(a: u64, dl: u64, dh: u64, sl: u64, sh: u64): u64 {
  const al = low32(a), ah = high32(a);
  const ll = al * dl + sl;
  const middle = ah * dl + high32(ll);
  const other = al * dh + low32(middle) + sh;
  return reduce(ah * dh + high32(middle) + high32(other), (other << 32) | low32(ll));
}

// @ts-ignore: decorator
@inline export function square(a: u64): u64 {
  const al = low32(a), ah = high32(a);
  const ll = al * al;
  const cross = al * ah;
  const lo = ll + (cross << 33);
  return reduce(ah * ah + (cross >> 31) + u64(lo < ll), lo);
}

// @ts-ignore: decorator
@inline export function power7(x: u64): u64 {
  const x2 = square(x);
  return multiply(multiply(x2, x), square(x2));
}

/**
 * lo + hi · 2^32 for limb sums lo, hi < 2^40. With hi = top · 2^32 + rest the value is
 * rest · 2^32 + lo + top · EPSILON, whose second part is below 2^42: a wrapped sum is too.
 */
// @ts-ignore: decorator
@inline export function fromLimbSums(lo: u64, hi: u64): u64 {
  const top = high32(hi);
  const small = lo + (top << 32) - top;
  const sum = (hi << 32) + small;
  return select<u64>(sum + EPSILON, sum, sum < small);
}

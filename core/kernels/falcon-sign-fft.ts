/**
 * Complex arithmetic and the FFT over Q[x]/(x^512 + 1), binary64, a complex number a v128.
 *
 * A polynomial is 256 complex numbers (4096 bytes). Before the transform, number i holds
 * coefficients i and i + 256; after it, the values at half of the roots in the reference's order
 * (the other half are conjugates). Operations keep the reference's order, so results are its bits.
 */
import { FFT_ROOTS } from "./falcon-sign-tables.generated";

export const FFT_BYTES: usize = 4096;

// @ts-ignore: decorator
@inline
export function swapped(a: v128): v128 {
  return v128.shuffle<u64>(a, a, 1, 0);
}

/** Address of root `k` of a level with `count` roots. */
// @ts-ignore: decorator
@inline
export function rootAt(count: usize, k: usize): usize {
  return FFT_ROOTS + ((count + k) << 5);
}

/** a * root */
// @ts-ignore: decorator
@inline
export function timesRoot(a: v128, root: usize): v128 {
  return f64x2.add(f64x2.mul(a, v128.load(root)), f64x2.mul(swapped(a), v128.load(root, 16)));
}

/** a * conjugate(root) */
// @ts-ignore: decorator
@inline
export function timesConjugateRoot(a: v128, root: usize): v128 {
  return f64x2.sub(f64x2.mul(a, v128.load(root)), f64x2.mul(swapped(a), v128.load(root, 16)));
}

/** a * b */
// @ts-ignore: decorator
@inline
export function times(a: v128, b: v128): v128 {
  const re = v128.shuffle<u64>(b, b, 0, 0);
  const im = v128.xor(v128.shuffle<u64>(b, b, 1, 1), i64x2(i64.MIN_VALUE, 0));
  return f64x2.add(f64x2.mul(a, re), f64x2.mul(swapped(a), im));
}

export function fft(p: usize): void {
  for (let count: usize = 1, span: usize = FFT_BYTES >> 1; count < 256; count <<= 1, span >>= 1) {
    for (let k: usize = 0, a = p; k < count; k++, a += span) {
      const root = rootAt(count, k);
      for (let end = a + span; a < end; a += 16) {
        const x = v128.load(a);
        const y = timesRoot(v128.load(a + span), root);
        v128.store(a, f64x2.add(x, y));
        v128.store(a + span, f64x2.sub(x, y));
      }
    }
  }
}

export function inverseFft(p: usize): void {
  for (let count: usize = 128, span: usize = 16; count > 0; count >>= 1, span <<= 1) {
    for (let k: usize = 0, a = p; k < count; k++, a += span) {
      const root = rootAt(count, k);
      for (let end = a + span; a < end; a += 16) {
        const x = v128.load(a);
        const y = v128.load(a + span);
        v128.store(a, f64x2.add(x, y));
        v128.store(a + span, timesConjugateRoot(f64x2.sub(x, y), root));
      }
    }
  }
  const scale = f64x2.splat(1.0 / 256.0);
  for (let a = p, end = p + FFT_BYTES; a < end; a += 16) {
    v128.store(a, f64x2.mul(v128.load(a), scale));
  }
}

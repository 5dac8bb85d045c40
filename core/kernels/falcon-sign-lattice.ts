/**
 * ffSampling (Algorithm 11 of the round-3 specification): a lattice point near a target, walking
 * the ffLDL tree. Targets and results are polynomials in FFT form.
 */
import { rootAt, times, timesConjugateRoot, timesRoot } from "./falcon-sign-fft";
import { SIGMA_MIN } from "./falcon-sign-key";
import { samplerZ } from "./falcon-sign-sampler";

/**
 * Replaces the targets t0 and t1, of 2^logn coefficients each, by samples. `scratch` takes twice
 * the bytes of t0.
 */
export function sampleLattice(
  logn: usize, tree: usize, t0: usize, t1: usize, scratch: usize,
): void {
  if (logn == 1) {
    sampleLeaves(tree, t0, t1);
    return;
  }
  const half = (<usize>1) << (logn - 1);
  const quarter = half >> 1;
  const left = tree + (half << 4);
  const right = left + ((logn * half) << 3);
  // The two halves of a split polynomial, at the address i << 4 of each.
  const even = scratch;
  const odd = scratch + (quarter << 4);
  const rest = scratch + (half << 4);

  for (let i: usize = 0; i < quarter; i++) {
    const pair = t1 + (i << 5);
    const a = v128.load(pair), b = v128.load(pair, 16);
    split(a, b, rootAt(quarter, i), even + (i << 4), odd + (i << 4));
  }
  sampleLattice(logn - 1, right, even, odd, rest);

  // z1 = merge; t0' = t0 + (t1 - z1) * L10; split t0'
  for (let i: usize = 0; i < quarter; i++) {
    const root = rootAt(quarter, i);
    const z = v128.load(even + (i << 4));
    const w = timesRoot(v128.load(odd + (i << 4)), root);
    const pair = i << 5;
    const za = f64x2.add(z, w), zb = f64x2.sub(z, w);
    const da = f64x2.sub(v128.load(t1 + pair), za), db = f64x2.sub(v128.load(t1 + pair, 16), zb);
    v128.store(t1 + pair, za);
    v128.store(t1 + pair, zb, 16);
    const a = f64x2.add(v128.load(t0 + pair), times(v128.load(tree + pair), da));
    const b = f64x2.add(v128.load(t0 + pair, 16), times(v128.load(tree + pair, 16), db));
    split(a, b, root, even + (i << 4), odd + (i << 4));
  }
  sampleLattice(logn - 1, left, even, odd, rest);

  for (let i: usize = 0; i < quarter; i++) {
    const z = v128.load(even + (i << 4));
    const w = timesRoot(v128.load(odd + (i << 4)), rootAt(quarter, i));
    v128.store(t0 + (i << 5), f64x2.add(z, w));
    v128.store(t0 + (i << 5), f64x2.sub(z, w), 16);
  }
}

// @ts-ignore: decorator
@inline
function split(a: v128, b: v128, root: usize, even: usize, odd: usize): void {
  const half = f64x2.splat(0.5);
  v128.store(even, f64x2.mul(f64x2.add(a, b), half));
  v128.store(odd, f64x2.mul(timesConjugateRoot(f64x2.sub(a, b), root), half));
}

/** Two coefficients: t0 and t1 are one complex number each, whose parts are the coefficients. */
function sampleLeaves(tree: usize, t0: usize, t1: usize): void {
  const t1Re = load<f64>(t1), t1Im = load<f64>(t1, 8);
  const right = load<f64>(tree, 24);
  const rightInverse = right * right * 0.5, rightCcs = right * SIGMA_MIN;
  const z1Re = samplerZ(t1Re, rightInverse, rightCcs);
  const z1Im = samplerZ(t1Im, rightInverse, rightCcs);
  store<f64>(t1, z1Re);
  store<f64>(t1, z1Im, 8);
  const re = t1Re - z1Re, im = t1Im - z1Im;
  const lRe = load<f64>(tree), lIm = load<f64>(tree, 8);
  const t0Re = load<f64>(t0) + (lRe * re - lIm * im);
  const t0Im = load<f64>(t0, 8) + (lRe * im + lIm * re);
  const left = load<f64>(tree, 16);
  const leftInverse = left * left * 0.5, leftCcs = left * SIGMA_MIN;
  store<f64>(t0, samplerZ(t0Re, leftInverse, leftCcs));
  store<f64>(t0, samplerZ(t0Im, leftInverse, leftCcs), 8);
}

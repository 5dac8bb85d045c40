/**
 * The discrete Gaussian over the integers: Algorithms 12 to 15 of the round-3 specification.
 *
 * The exponential is the reference's binary64 polynomial (`fpr_expm_p63` over native floats), with
 * its order of operations kept: another order would give other, equally good signatures, and the
 * tests compare bytes.
 */
import { BASE_SAMPLER_ROWS } from "./falcon-sign-tables.generated";
import { streamByte, streamTake } from "./falcon-sign-stream";

/** 1 / (2 * sigma_max^2), sigma_max = 1.8205. */
const BASE_HALF_INVERSE_VARIANCE: f64 = 0.1508650488753727203494747755;

/**
 * An integer from the Gaussian of centre `mu` and deviation sigma' (Algorithm 15).
 * `halfInverseVariance` is 1 / (2 sigma'^2) and `ccs` is sigma_min / sigma'.
 */
export function samplerZ(mu: f64, halfInverseVariance: f64, ccs: f64): f64 {
  const whole = Math.floor(mu);
  const fraction = mu - whole;
  while (true) {
    const base = baseSampler();
    const sign = streamByte() & 1;
    // b + (2b - 1) z0 without a branch
    const z = <f64>((((base << 1) + 1) & -sign) - base);
    const distance = z - fraction;
    const z0 = <f64>base;
    const x = distance * distance * halfInverseVariance - z0 * z0 * BASE_HALF_INVERSE_VARIANCE;
    if (bernoulliExp(x, ccs)) return whole + z;
  }
}

/** z0 in 0..18 from the half Gaussian of deviation sigma_max (Algorithm 12), without a branch. */
// @ts-ignore: decorator
@inline
function baseSampler(): i32 {
  const at = streamTake(9);
  const low = load<u64>(at);
  const upper = i64x2.splat(<i64>((low >> 9) | (<u64>load<u8>(at, 8) << 55)));
  const lower = i64x2.splat(<i64>(low & 511));
  let count = i64x2.splat(0);
  for (let row: usize = 0; row < 9; row++) {
    const rows = BASE_SAMPLER_ROWS + (row << 5);
    const bound = v128.load(rows);
    const below = v128.or(
      i64x2.lt_s(upper, bound),
      v128.and(i64x2.eq(upper, bound), i64x2.lt_s(lower, v128.load(rows, 16))),
    );
    count = i64x2.sub(count, below);
  }
  return <i32>(i64x2.extract_lane(count, 0) + i64x2.extract_lane(count, 1));
}

/** True with probability ccs * exp(-x), x >= 0 (Algorithm 14). */
// @ts-ignore: decorator
@inline
function bernoulliExp(x: f64, ccs: f64): bool {
  const quotient = <i32>(x * 1.4426950408889633870046509401); // 1 / ln 2
  const rest = x - <f64>quotient * 0.69314718055994530941723212146;
  const shift: i32 = quotient < 63 ? quotient : 63;
  const z = ((scaledExp(rest, ccs) << 1) - 1) >> (<u64>shift);
  let bits: i32 = 64;
  let difference: i32;
  do {
    bits -= 8;
    difference = <i32>streamByte() - <i32>((z >> (<u64>bits)) & 0xff);
  } while (difference == 0 && bits > 0);
  return difference < 0;
}

/** floor(2^63 * ccs * exp(-x)) for x in [0, ln 2] (Algorithm 13). */
// @ts-ignore: decorator
@inline
function scaledExp(x: f64, ccs: f64): u64 {
  const y = -x;
  let z: f64 = 0.000000002073772366009083061987;
  z = z * y + 0.000000025299506379442070029551;
  z = z * y + 0.000000275607356160477811864927;
  z = z * y + 0.000002755586350219122514855659;
  z = z * y + 0.000024801566833585381209939524;
  z = z * y + 0.000198412739277311890541063977;
  z = z * y + 0.001388888894063186997887560103;
  z = z * y + 0.008333333327800835146903501993;
  z = z * y + 0.041666666666110491190622155955;
  z = z * y + 0.166666666666984014666397229121;
  z = z * y + 0.500000000000019206858326015208;
  z = z * y + 0.99999999999999489297408672428;
  return <u64><i64>(ccs * (1.0 + z * y) * 9223372036854775808.0);
}

/**
 * The numeric operators of the reference interpreter: what each opcode makes of its operands, with
 * every value as its bits in an unsigned bigint, so that no NaN ever passes through a JS number.
 * Written from the specification's chapter on numerics; it shares nothing with the rewriter.
 */
import { Trap } from './interpreter-trap.ts';

/** A value's bits, unsigned: 32 of them for i32 and f32, 64 for i64 and f64. */
export type Bits = bigint;
export type NumericOperator = (...operands: readonly Bits[]) => Bits;

interface Numeric {
  readonly operands: number;
  readonly apply: NumericOperator;
  /** A NaN that this operator makes is the canonical one. */
  readonly canonical: boolean;
}

export const CANONICAL_NAN_32 = 0x7fc00000n;
export const CANONICAL_NAN_64 = 0x7ff8000000000000n;

const view = new DataView(new ArrayBuffer(8));

/** The number that 32 or 64 bits stand for; of a NaN only that it is one. */
export function floatOf(width: 32 | 64, bits: Bits): number {
  if (width === 32) {
    view.setUint32(0, Number(bits));
    return view.getFloat32(0);
  }
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** The bits of a number, rounded to the width; of any NaN the canonical ones. */
export function bitsOf(width: 32 | 64, value: number): Bits {
  if (Number.isNaN(value)) return width === 32 ? CANONICAL_NAN_32 : CANONICAL_NAN_64;
  if (width === 32) {
    view.setFloat32(0, Math.fround(value));
    return BigInt(view.getUint32(0));
  }
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

const truth = (value: boolean): Bits => (value ? 1n : 0n);

/** The integer operators of one width, from `i32.eqz` at `test` and `i32.clz` at `first` on. */
function integers(width: 32 | 64, test: number, first: number): [number, Numeric][] {
  const w = BigInt(width);
  const u = (value: bigint): Bits => BigInt.asUintN(width, value);
  const s = (bits: Bits): bigint => BigInt.asIntN(width, bits);
  const least = -(1n << (w - 1n));
  const leadingZeros = (a: Bits): Bits => w - BigInt(a === 0n ? 0 : a.toString(2).length);
  const trailingZeros = (a: Bits): Bits => (a === 0n ? w : BigInt((a & -a).toString(2).length - 1));
  const ones = (a: Bits): Bits => BigInt(a.toString(2).replaceAll('0', '').length);
  const divisor = (b: Bits): Bits => {
    if (b === 0n) throw new Trap('integer-divide-by-zero');
    return b;
  };
  const divideSigned: NumericOperator = (a, b) => {
    divisor(b);
    if (s(a) === least && s(b) === -1n) throw new Trap('integer-overflow');
    return u(s(a) / s(b));
  };
  const rotateLeft = (a: Bits, by: Bits): Bits => u((a << by) | (a >> (w - by)));
  const one = (apply: (a: Bits) => Bits): Numeric => ({ operands: 1, apply, canonical: false });
  const two = (apply: (a: Bits, b: Bits) => Bits): Numeric => ({
    operands: 2,
    apply,
    canonical: false,
  });
  const tests: Numeric[] = [
    one((a) => truth(a === 0n)), // eqz
    two((a, b) => truth(a === b)), // eq
    two((a, b) => truth(a !== b)), // ne
    two((a, b) => truth(s(a) < s(b))), // lt_s
    two((a, b) => truth(a < b)), // lt_u
    two((a, b) => truth(s(a) > s(b))), // gt_s
    two((a, b) => truth(a > b)), // gt_u
    two((a, b) => truth(s(a) <= s(b))), // le_s
    two((a, b) => truth(a <= b)), // le_u
    two((a, b) => truth(s(a) >= s(b))), // ge_s
    two((a, b) => truth(a >= b)), // ge_u
  ];
  const operators: Numeric[] = [
    one(leadingZeros), // clz
    one(trailingZeros), // ctz
    one(ones), // popcnt
    two((a, b) => u(a + b)), // add
    two((a, b) => u(a - b)), // sub
    two((a, b) => u(a * b)), // mul
    two(divideSigned), // div_s
    two((a, b) => a / divisor(b)), // div_u
    two((a, b) => u(s(a) % s(divisor(b)))), // rem_s: of the least by −1 it is 0
    two((a, b) => a % divisor(b)), // rem_u
    two((a, b) => a & b), // and
    two((a, b) => a | b), // or
    two((a, b) => a ^ b), // xor
    two((a, b) => u(a << (b % w))), // shl
    two((a, b) => u(s(a) >> (b % w))), // shr_s
    two((a, b) => a >> (b % w)), // shr_u
    two((a, b) => rotateLeft(a, b % w)), // rotl
    two((a, b) => rotateLeft(a, (w - (b % w)) % w)), // rotr
  ];
  return [
    ...tests.map((operator, i): [number, Numeric] => [test + i, operator]),
    ...operators.map((operator, i): [number, Numeric] => [first + i, operator]),
  ];
}

/** Rounds to the nearest integer, ties to even; −0 and everything from −0.5 up to −0 give −0. */
function nearest(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 52) return value;
  const below = Math.floor(value);
  const part = value - below;
  const up = part > 0.5 || (part === 0.5 && below % 2 !== 0);
  const rounded = up ? below + 1 : below;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

/** The float operators of one width, from `f32.eq` at `compare` and `f32.abs` at `first` on. */
function floats(width: 32 | 64, compare: number, first: number): [number, Numeric][] {
  const sign = 1n << BigInt(width - 1);
  const f = (bits: Bits): number => floatOf(width, bits);
  const comparison = (holds: (a: number, b: number) => boolean): Numeric => ({
    operands: 2,
    apply: (a, b) => truth(holds(f(a), f(b))),
    canonical: false,
  });
  const one = (compute: (a: number) => number): Numeric => ({
    operands: 1,
    apply: (a) => bitsOf(width, compute(f(a))),
    canonical: true,
  });
  // Of f32 operands, the double's result rounded once more is the right one: 53 ≥ 2 · 24 + 2.
  const two = (compute: (a: number, b: number) => number): Numeric => ({
    operands: 2,
    apply: (a, b) => bitsOf(width, compute(f(a), f(b))),
    canonical: true,
  });
  const onBits = (operands: number, apply: NumericOperator): Numeric => ({
    operands,
    apply,
    canonical: false,
  });
  const comparisons: Numeric[] = [
    comparison((a, b) => a === b), // eq
    comparison((a, b) => a !== b), // ne
    comparison((a, b) => a < b), // lt
    comparison((a, b) => a > b), // gt
    comparison((a, b) => a <= b), // le
    comparison((a, b) => a >= b), // ge
  ];
  const operators: Numeric[] = [
    onBits(1, (a) => a & ~sign), // abs
    onBits(1, (a) => a ^ sign), // neg
    one(Math.ceil),
    one(Math.floor),
    one(Math.trunc),
    one(nearest),
    one(Math.sqrt),
    two((a, b) => a + b),
    two((a, b) => a - b),
    two((a, b) => a * b),
    two((a, b) => a / b),
    two(Math.min),
    two(Math.max),
    onBits(2, (a, b) => (a & ~sign) | (b & sign)), // copysign
  ];
  return [
    ...comparisons.map((operator, i): [number, Numeric] => [compare + i, operator]),
    ...operators.map((operator, i): [number, Numeric] => [first + i, operator]),
  ];
}

/** Float to integer: `saturating` bounds what does not fit and makes 0 of NaN; else both trap. */
function truncation(from: 32 | 64, to: 32 | 64, signed: boolean, saturating: boolean): Numeric {
  const least = signed ? -(1n << BigInt(to - 1)) : 0n;
  const most = (1n << BigInt(signed ? to - 1 : to)) - 1n;
  const apply: NumericOperator = (a) => {
    const value = floatOf(from, a);
    if (Number.isNaN(value)) {
      if (saturating) return 0n;
      throw new Trap('invalid-conversion');
    }
    const isInfinite = !Number.isFinite(value);
    const whole = isInfinite ? 0n : BigInt(Math.trunc(value));
    const isLow = isInfinite ? value < 0 : whole < least;
    const isHigh = isInfinite ? value > 0 : whole > most;
    if ((isLow || isHigh) && !saturating) throw new Trap('integer-overflow');
    return BigInt.asUintN(to, isLow ? least : isHigh ? most : whole);
  };
  return { operands: 1, apply, canonical: false };
}

/** The float nearest to an integer, ties to even. */
function conversion(from: 32 | 64, to: 32 | 64, signed: boolean): Numeric {
  const apply: NumericOperator = (a) => {
    const value = signed ? BigInt.asIntN(from, a) : a;
    // A bigint of more than 53 bits would round twice on its way to f32: fold what lies below the
    // double's reach into one sticky bit first.
    const magnitude = value < 0n ? -value : value;
    const extra = BigInt(Math.max(0, magnitude.toString(2).length - 40));
    const kept = magnitude >> extra;
    const sticky = kept << extra === magnitude ? 0n : 1n;
    const rounded = to === 64 ? Number(magnitude) : Number(((kept << 1n) | sticky) << extra) / 2;
    return bitsOf(to, value < 0n ? -rounded : rounded);
  };
  return { operands: 1, apply, canonical: false };
}

function others(): [number, Numeric][] {
  const plain = (apply: (a: Bits) => Bits): Numeric => ({ operands: 1, apply, canonical: false });
  const same = plain((a) => a);
  const extend = (from: number, to: 32 | 64): Numeric =>
    plain((a) => BigInt.asUintN(to, BigInt.asIntN(from, a)));
  return [
    [0xa7, plain((a) => BigInt.asUintN(32, a))], // i32.wrap_i64
    [0xa8, truncation(32, 32, true, false)],
    [0xa9, truncation(32, 32, false, false)],
    [0xaa, truncation(64, 32, true, false)],
    [0xab, truncation(64, 32, false, false)],
    [0xac, extend(32, 64)], // i64.extend_i32_s
    [0xad, same], // i64.extend_i32_u
    [0xae, truncation(32, 64, true, false)],
    [0xaf, truncation(32, 64, false, false)],
    [0xb0, truncation(64, 64, true, false)],
    [0xb1, truncation(64, 64, false, false)],
    [0xb2, conversion(32, 32, true)],
    [0xb3, conversion(32, 32, false)],
    [0xb4, conversion(64, 32, true)],
    [0xb5, conversion(64, 32, false)],
    [0xb6, { ...plain((a) => bitsOf(32, floatOf(64, a))), canonical: true }], // f32.demote_f64
    [0xb7, conversion(32, 64, true)],
    [0xb8, conversion(32, 64, false)],
    [0xb9, conversion(64, 64, true)],
    [0xba, conversion(64, 64, false)],
    [0xbb, { ...plain((a) => bitsOf(64, floatOf(32, a))), canonical: true }], // f64.promote_f32
    [0xbc, same], // the four reinterpretations
    [0xbd, same],
    [0xbe, same],
    [0xbf, same],
    [0xc0, extend(8, 32)],
    [0xc1, extend(16, 32)],
    [0xc2, extend(8, 64)],
    [0xc3, extend(16, 64)],
    [0xc4, extend(32, 64)],
    [0xfc00, truncation(32, 32, true, true)],
    [0xfc01, truncation(32, 32, false, true)],
    [0xfc02, truncation(64, 32, true, true)],
    [0xfc03, truncation(64, 32, false, true)],
    [0xfc04, truncation(32, 64, true, true)],
    [0xfc05, truncation(32, 64, false, true)],
    [0xfc06, truncation(64, 64, true, true)],
    [0xfc07, truncation(64, 64, false, true)],
  ];
}

/** Every numeric operator by its opcode; those after the prefix 0xfc stand at 0xfc00 + n. */
export const NUMERIC: ReadonlyMap<number, Numeric> = new Map([
  ...integers(32, 0x45, 0x67),
  ...integers(64, 0x50, 0x79),
  ...floats(32, 0x5b, 0x8b),
  ...floats(64, 0x61, 0x99),
  ...others(),
]);

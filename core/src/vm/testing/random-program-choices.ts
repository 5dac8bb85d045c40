/**
 * What a random program is made from: a row of numbers, read one after the other. Past its end every
 * choice is 0, which always means the simplest thing, so that fewer and smaller numbers make a
 * smaller program and fast-check can shrink the row without knowing what it stands for.
 */
import { VALUE_TYPE, type ValueType } from '../module.ts';

export class Choices {
  private readonly numbers: ArrayLike<number>;
  private at = 0;

  constructor(numbers: ArrayLike<number>) {
    this.numbers = numbers;
  }

  /** All numbers are used up: from here on there are only zeros. */
  get isSpent(): boolean {
    return this.at >= this.numbers.length;
  }

  /** From 0 to below `bound`. */
  next(bound: number): number {
    return (this.numbers[this.at++] ?? 0) % bound;
  }

  /** True once in `outOf`, and never when spent. */
  once(outOf: number): boolean {
    return this.next(outOf) === outOf - 1;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.next(items.length)] ?? items[0];
  }

  /** Up to `most` picks; `what` is asked for each. */
  several<T>(most: number, what: () => T): T[] {
    return Array.from({ length: this.next(most + 1) }, what);
  }
}

/** Numbers that a seed determines (SplitMix32), for many cases without fast-check's overhead. */
export function numbersOf(seed: number, length: number): number[] {
  let state = seed >>> 0;
  return Array.from({ length }, () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  });
}

const { i32, i64, f32, f64 } = VALUE_TYPE;
export const VALUE_TYPES: readonly [ValueType, ...ValueType[]] = [i32, i64, f32, f64];

/** Bits at which integer and float operators change what they do. */
export const INTERESTING = {
  [i32]: [
    0n,
    1n,
    2n,
    0xffff_ffffn,
    0x7fff_ffffn,
    0x8000_0000n,
    3n,
    8n,
    16n,
    31n,
    32n,
    33n,
    0x80n,
    0x7fffn,
    0x8000n,
    0xffffn,
    0x1_0000n,
    0x2_0000n,
    0xfffen,
    0xffff_0000n,
  ],
  [i64]: [
    0n,
    1n,
    2n,
    0xffff_ffff_ffff_ffffn,
    0x7fff_ffff_ffff_ffffn,
    0x8000_0000_0000_0000n,
    3n,
    63n,
    64n,
    65n,
    0x8000_0000n,
    0xffff_ffffn,
    0x1_0000_0000n,
    0x20_0000_0000_0001n,
    0x7fff_ff40_0000_0001n,
    0x7fff_ffbf_ffff_ffffn,
  ],
  [f32]: [
    0n,
    0x3f80_0000n,
    0x8000_0000n,
    0xbf80_0000n,
    0x3f00_0000n,
    0x7f80_0000n,
    0xff80_0000n,
    0x7fc0_0000n,
    0xffc0_0000n,
    0x7f80_0001n,
    0xff80_0001n,
    0x7fa0_0000n,
    0x7fc0_1234n,
    0xffff_ffffn,
    1n,
    0x8000_0001n,
    0x7f7f_ffffn,
    0x4f00_0000n,
    0xcf00_0000n,
    0x4f80_0000n,
    0x5f00_0000n,
    0xdf00_0000n,
    0x5f80_0000n,
    0x4020_0000n,
    0xc020_0000n,
    0x3eff_ffffn,
  ],
  [f64]: [
    0n,
    0x3ff0_0000_0000_0000n,
    0x8000_0000_0000_0000n,
    0xbff0_0000_0000_0000n,
    0x3fe0_0000_0000_0000n,
    0x7ff0_0000_0000_0000n,
    0xfff0_0000_0000_0000n,
    0x7ff8_0000_0000_0000n,
    0xfff8_0000_0000_0000n,
    0x7ff0_0000_0000_0001n,
    0xfff0_0000_0000_0001n,
    0x7ff4_0000_0000_0000n,
    0x7ff8_0000_1234_5678n,
    0xffff_ffff_ffff_ffffn,
    1n,
    0x7fef_ffff_ffff_ffffn,
    0x41e0_0000_0000_0000n,
    0xc1e0_0000_0020_0000n,
    0x41f0_0000_0000_0000n,
    0x43e0_0000_0000_0000n,
    0xc3e0_0000_0000_0000n,
    0x43f0_0000_0000_0000n,
    0x4004_0000_0000_0000n,
    0x47ef_ffff_f000_0000n,
    0x36a0_0000_0000_0000n,
  ],
} as const;

/** The bits of some value of the type. */
export function randomBits(type: ValueType, choices: Choices): bigint {
  const known = INTERESTING[type];
  const which = choices.next(known.length + 6);
  const bits = known[which];
  if (bits !== undefined) return bits;
  const low = BigInt(choices.next(2 ** 32));
  if (type === i32 || type === f32) return low;
  return (BigInt(choices.next(2 ** 32)) << 32n) | low;
}

/**
 * The simulator's source of chance: xoshiro128** 1.1 (Blackman and Vigna, public domain), seeded by
 * splitmix32. 32-bit integer arithmetic only, so that a seed gives the same run on every machine.
 * Good enough to search with; no secret is ever made from it.
 */
import type { Random } from '../platform/index.ts';

const TWO_TO_32 = 4_294_967_296;

const rotateLeft = (value: number, bits: number): number =>
  (value << bits) | (value >>> (32 - bits));

/** One step of splitmix32, which turns a counter into well-mixed words. */
function mixed(counter: number): number {
  let z = counter | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

export class Prng implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param state four words, not all zero */
  constructor(state: readonly [number, number, number, number]) {
    [this.#a, this.#b, this.#c, this.#d] = state;
  }

  /** @param seed a whole number; the stream keeps apart what one seed is used for */
  static seeded(seed: number, stream: number): Prng {
    let counter = mixed((seed % TWO_TO_32) ^ Math.imul(stream + 1, 0x9e3779b9));
    counter ^= mixed(Math.floor(seed / TWO_TO_32) + 0x632be5ab);
    const word = (): number => {
      counter = (counter + 0x9e3779b9) | 0;
      return mixed(counter);
    };
    return new Prng([word(), word(), word(), word() | 1]);
  }

  /** 32 bits. */
  next(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** 0 to limit − 1, for limits up to 2²⁰; the bias is below one in 4,000. */
  below(limit: number): number {
    return Math.floor((this.next() * limit) / TWO_TO_32);
  }

  /** Both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor((this.next() * (most - least + 1)) / TWO_TO_32);
  }

  /** True so many times in a million. */
  chance(perMillion: number): boolean {
    return perMillion > 0 && this.below(1_000_000) < perMillion;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.next();
      for (let i = at; i < Math.min(at + 4, length); i++) out[i] = word >>> (8 * (i - at));
    }
    return out;
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError, toHex, toQuantity, U64_MAX } from '../bytes/index.ts';
import {
  checkArity,
  optional,
  readAddress,
  readArray,
  readHash,
  readHex,
  readNumber,
  readObject,
  readQuantity,
  readSlot,
  readString,
  readTxHash,
  readU64,
} from './params.ts';

const refused = (read: () => unknown): boolean => {
  try {
    read();
    return false;
  } catch (error) {
    expect(isPydeError(error, 'rpc.params')).toBe(true);
    return true;
  }
};

describe('parameter readers', () => {
  it('read what the hex writer writes, in either letter case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const hex = toHex(bytes);
        for (const read of [readAddress, readHash, readSlot, readTxHash]) {
          expect(read(hex, 'x')).toEqual(bytes);
          expect(read(`0x${hex.slice(2).toUpperCase()}`, 'x')).toEqual(bytes);
        }
      }),
    );
  });

  it('read what the quantity writer writes, and exact numbers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: U64_MAX }), (value) => {
        expect(readU64(toQuantity(value), 'x')).toBe(value);
        expect(refused(() => readQuantity(toQuantity(value + 1n), 'x', value))).toBe(true);
      }),
    );
    expect(readU64(7, 'x')).toBe(7n);
    for (const bad of [-1, 0.5, 2 ** 53, Number.NaN, '7', '0x', '0xg', '', true, [], {}, -0.1]) {
      expect(refused(() => readU64(bad, 'x'))).toBe(true);
    }
  });

  it('let nothing but a refusal of the parameter escape, whatever the value', () => {
    const readers: readonly ((value: unknown) => unknown)[] = [
      (v) => readAddress(v, 'x'),
      (v) => readHex(v, 'x', 8),
      (v) => readU64(v, 'x'),
      (v) => readNumber(v, 'x', 1, 10),
      (v) => readString(v, 'x', 4),
      (v) => readObject(v, 'x', ['a', 'b']),
      (v) => readArray(v, 'x', 2),
      (v) => optional(v, 'x', readAddress),
    ];
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const read of readers) refused(() => read(value));
      }),
      { numRuns: 300 },
    );
  });

  it('hold their bounds', () => {
    expect(refused(() => readHex('0x112233', 'x', 2))).toBe(true);
    expect(readHex('0x1122', 'x', 2)).toEqual(Uint8Array.of(0x11, 0x22));
    expect(refused(() => readString('abcde', 'x', 4))).toBe(true);
    expect(refused(() => readArray([1, 2, 3], 'x', 2))).toBe(true);
    expect(refused(() => readNumber(0, 'x', 1, 10))).toBe(true);
    expect(refused(() => readNumber(11, 'x', 1, 10))).toBe(true);
    expect(readNumber('0xa', 'x', 1, 10)).toBe(10);
  });

  it('take null for absent, and refuse keys and parameters that nobody asked for', () => {
    expect(optional(null, 'x', readAddress)).toBeUndefined();
    expect(refused(() => readAddress(null, 'x'))).toBe(true);
    expect(refused(() => readObject({ a: 1, c: 2 }, 'x', ['a', 'b']))).toBe(true);
    expect(refused(() => readObject(JSON.parse('{"__proto__":1}'), 'x', ['a']))).toBe(true);
    expect(refused(() => checkArity('m', ['a', 'b?'], [1, 2, 3]))).toBe(true);
    checkArity('m', ['a', 'b?'], [1, 2]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  fromQuantity,
  readU64BigEndian,
  readU64LittleEndian,
  toHex,
  toQuantity,
  U64_MAX,
  u64BigEndian,
  u64LittleEndian,
} from './index.ts';

describe('hex', () => {
  it('round-trips and is lowercase with 0x', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = toHex(bytes);
        expect(text).toMatch(/^0x([0-9a-f]{2})*$/);
        expect(fromHex(text, { maxBytes: 200 })).toEqual(bytes);
        expect(fromHex(`0x${text.slice(2).toUpperCase()}`, { maxBytes: 200 })).toEqual(bytes);
      }),
    );
  });

  it.each([
    '',
    '0',
    '0x0',
    '12',
    '0xzz',
    '0X12',
    '0x1g',
    ' 0x12',
    '0x12 ',
    '0x1é',
    '0x12３４',
    '0x\ud800a',
  ])('refuses %j', (text) => {
    expect(() => fromHex(text, { maxBytes: 8 })).toThrowError(
      expect.objectContaining({ code: 'bytes.hex' }),
    );
  });

  it('holds the length to its bound', () => {
    expect(() => fromHex('0x0011', { maxBytes: 1 })).toThrow(/at most 1/);
    expect(() => fromHex('0x0011', { exactBytes: 32 })).toThrow(/32 are needed/);
  });

  it('quantities are the shortest form out and bounded in', () => {
    expect(toQuantity(0n)).toBe('0x0');
    expect(toQuantity(42)).toBe('0x2a');
    expect(fromQuantity('0x002A', 100n)).toBe(42n);
    for (const bad of ['0x', '42', '0x-1', '0x1.0', `0x${'f'.repeat(65)}`]) {
      expect(() => fromQuantity(bad, U64_MAX)).toThrow();
    }
    expect(() => fromQuantity('0x65', 100n)).toThrow(/above the largest/);
  });
});

describe('byte arrays', () => {
  it('compare as unsigned, prefix first, which is the order of big-endian integers', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, U64_MAX), fc.bigInt(0n, U64_MAX), (a, b) => {
        const order = compareBytes(u64BigEndian(a), u64BigEndian(b));
        expect(Math.sign(order)).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(readU64BigEndian(u64BigEndian(a))).toBe(a);
        expect(readU64LittleEndian(u64LittleEndian(a))).toBe(a);
      }),
    );
    expect(compareBytes(new Uint8Array([1]), new Uint8Array([1, 0]))).toBeLessThan(0);
  });

  it('join', () => {
    const joined = concatBytes(new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2, 3]));
    expect(equalBytes(joined, new Uint8Array([1, 2, 3]))).toBe(true);
    expect(equalBytes(joined, new Uint8Array([1, 2]))).toBe(false);
  });
});

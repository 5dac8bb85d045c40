import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../../bytes/index.ts';
import { leb, name, sleb } from '../testing/module-builder.ts';
import { ModuleReader } from './reader.ts';

const readerOf = (bytes: Uint8Array): ModuleReader =>
  new ModuleReader(bytes, 0, bytes.length, 'test');

/** Reads a value that must take all of the bytes. */
function readAll<T>(bytes: Uint8Array, read: (reader: ModuleReader) => T): T {
  const reader = readerOf(bytes);
  const value = read(reader);
  reader.finish();
  return value;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return isPydeError(error) ? error.code : String(error);
  }
  return 'read';
}

const padding = fc.integer({ min: 0, max: 10 });

/** Bytes a value needs, or as many more as its width allows. */
const padded = (encoded: Uint8Array, extra: number, max: number): number =>
  Math.min(encoded.length + extra, max);

describe('integers of a module', () => {
  it('reads back every unsigned 32-bit value in every length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), padding, (value, extra) => {
        const bytes = leb(value, padded(leb(value), extra, 5));
        expect(readAll(bytes, (r) => r.u32())).toBe(value);
      }),
    );
  });

  it('reads back every signed 32-bit value in every length', () => {
    fc.assert(
      fc.property(fc.integer(), padding, (value, extra) => {
        const bytes = sleb(value, padded(sleb(value), extra, 5));
        expect(readAll(bytes, (r) => r.s32())).toBe(value);
      }),
    );
  });

  it('reads back every signed 33-bit value in every length', () => {
    const range = { min: -(2 ** 32), max: 2 ** 32 - 1 };
    fc.assert(
      fc.property(fc.integer(range), padding, (value, extra) => {
        const bytes = sleb(value, padded(sleb(value), extra, 5));
        expect(readAll(bytes, (r) => r.s33())).toBe(value);
      }),
    );
  });

  it('reads and passes by every signed 64-bit value in every length', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        padding,
        (value, extra) => {
          const bytes = sleb(value, padded(sleb(value), extra, 10));
          expect(readAll(bytes, (r) => r.s64())).toBe(BigInt.asUintN(64, value));
          readAll(bytes, (r) => r.skipS64());
        },
      ),
    );
  });

  it.each<[string, (reader: ModuleReader) => unknown, Uint8Array]>([
    ['u32', (r: ModuleReader) => r.u32(), leb(2n ** 32n)],
    ['s32', (r: ModuleReader) => r.s32(), sleb(2n ** 31n)],
    ['s32', (r: ModuleReader) => r.s32(), sleb(-(2n ** 31n) - 1n)],
    ['s33', (r: ModuleReader) => r.s33(), sleb(2n ** 32n)],
    ['s33', (r: ModuleReader) => r.s33(), sleb(-(2n ** 32n) - 1n)],
    ['s64', (r: ModuleReader) => r.s64(), sleb(2n ** 63n)],
    ['s64', (r: ModuleReader) => r.s64(), sleb(-(2n ** 63n) - 1n)],
  ])('refuses the first value that is none of %s', (_, read, bytes) => {
    expect(codeOf(() => readAll(bytes, read))).toBe('wasm.leb');
  });

  it.each([
    ['u32', (r: ModuleReader) => r.u32(), 5],
    ['s32', (r: ModuleReader) => r.s32(), 5],
    ['s33', (r: ModuleReader) => r.s33(), 5],
    ['s64', (r: ModuleReader) => r.skipS64(), 10],
  ])('refuses zero as %s in one byte more than fits', (_, read, bytes) => {
    expect(readAll(sleb(0, bytes), read) ?? 0).toBe(0);
    expect(codeOf(() => readAll(sleb(0, bytes + 1), read))).toBe('wasm.leb');
  });

  it('never reads behind the end of its range, whatever follows', () => {
    const bytes = new Uint8Array(64).fill(0xff);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), (length) => {
        for (const read of [
          (r: ModuleReader) => r.u32(),
          (r: ModuleReader) => r.s32(),
          (r: ModuleReader) => r.s33(),
          (r: ModuleReader) => r.skipS64(),
          (r: ModuleReader) => r.bits64(),
        ]) {
          const reader = new ModuleReader(bytes, 10, 10 + length, 'test');
          expect(codeOf(() => read(reader))).toBe('wasm.truncated');
          expect(reader.at).toBeLessThanOrEqual(10 + length);
        }
      }),
    );
  });
});

describe('names and counts of a module', () => {
  it('reads back text, the byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        expect(readAll(name(text), (r) => r.name())).toBe(text);
      }),
    );
    expect(readAll(name('\ufeffa'), (r) => r.name())).toBe('\ufeffa');
  });

  it.each([
    ['a lone continuation', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a value above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a sequence that is cut', [0xe2, 0x82]],
  ])('refuses a name with %s', (_, bytes) => {
    expect(codeOf(() => readerOf(Uint8Array.of(bytes.length, ...bytes)).name())).toBe('wasm.utf8');
  });

  it('holds a count against its bound and against the bytes that are left', () => {
    expect(codeOf(() => readerOf(leb(10_001)).count('types', 3))).toBe('wasm.limit');
    expect(codeOf(() => readerOf(leb(10_000)).count('types', 3))).toBe('wasm.truncated');
    expect(readerOf(Uint8Array.of(1, 0, 0, 0)).count('types', 3)).toBe(1);
  });

  it('names the byte at which the range ends', () => {
    const reader = new ModuleReader(new Uint8Array(9), 5, 7, 'test');
    expect(() => reader.bits32()).toThrow(
      expect.objectContaining({ details: { needed: 4, remaining: 2, offset: 5 } }),
    );
  });
});

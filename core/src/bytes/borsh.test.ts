import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BorshReader,
  type BorshWriter,
  decodeExactly,
  encode,
  isPydeError,
  U64_MAX,
  U128_MAX,
} from './index.ts';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return isPydeError(error) ? error.code : `not a PydeError: ${String(error)}`;
  }
  return 'accepted';
};
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

describe('Borsh', () => {
  it('writes integers little-endian, counts as u32, options and tags as one byte', () => {
    const out = encode((w) =>
      w
        .u16(0x0102)
        .u64(1n)
        .bytes(bytes(7))
        .string('é')
        .option(undefined, (x, v: number) => x.u8(v))
        .option(5, (x, v) => x.u8(v))
        .vec([1, 2], (x, v) => x.u16(v))
        .bool(true),
    );
    expect([...out]).toEqual([
      2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7, 2, 0, 0, 0, 0xc3, 0xa9, 0, 1, 5, 2, 0, 0, 0, 1,
      0, 2, 0, 1,
    ]);
  });

  it('reads back every value it writes', () => {
    const shape = fc.record({
      a: fc.bigInt({ min: 0n, max: U64_MAX }),
      b: fc.bigInt({ min: 0n, max: U128_MAX }),
      c: fc.uint8Array({ maxLength: 40 }),
      d: fc.string({ maxLength: 20, unit: 'binary' }),
      e: fc.option(fc.nat(255), { nil: undefined }),
      f: fc.array(fc.nat(0xffff), { maxLength: 9 }),
      g: fc.boolean(),
      h: fc.nat(0xffff_ffff),
    });
    fc.assert(
      fc.property(shape, (v) => {
        const write = (w: BorshWriter): void => {
          w.u64(v.a).u128(v.b).bytes(v.c).string(v.d);
          w.option(v.e, (x, item) => x.u8(item)).vec(v.f, (x, item) => x.u16(item));
          w.bool(v.g).u32(v.h);
        };
        const back = decodeExactly(encode(write), (r) => ({
          a: r.u64(),
          b: r.u128(),
          c: r.bytes(40),
          d: r.string(80),
          e: r.option((x) => x.u8()),
          f: r.vec(9, 2, (x) => x.u16()),
          g: r.bool(),
          h: r.u32(),
        }));
        expect(back).toEqual(v);
      }),
    );
  });

  it('refuses trailing bytes, short buffers, other booleans and options, ill-formed text', () => {
    expect(code(() => decodeExactly(bytes(1, 2), (r) => r.u8()))).toBe('borsh.trailing-bytes');
    expect(code(() => decodeExactly(bytes(1), (r) => r.u16()))).toBe('borsh.truncated');
    expect(code(() => decodeExactly(bytes(2), (r) => r.bool()))).toBe('borsh.tag');
    expect(code(() => decodeExactly(bytes(2, 0), (r) => r.option((x) => x.u8())))).toBe(
      'borsh.tag',
    );
    expect(code(() => decodeExactly(bytes(1, 0, 0, 0, 0xff), (r) => r.string(9)))).toBe(
      'borsh.utf8',
    );
  });

  it('holds a count against its bound and the rest of the buffer before it allocates', () => {
    const huge = bytes(0xff, 0xff, 0xff, 0xff, 1);
    expect(code(() => new BorshReader(huge).bytes(0xffff_ffff))).toBe('borsh.truncated');
    expect(code(() => new BorshReader(huge).bytes(100))).toBe('borsh.count');
    expect(code(() => new BorshReader(huge).vec(0xffff_ffff, 1, (r) => r.u8()))).toBe(
      'borsh.truncated',
    );
    expect(code(() => new BorshReader(bytes(3, 0, 0, 0, 1, 1)).vec(9, 1, (r) => r.u8()))).toBe(
      'borsh.truncated',
    );
  });

  it('writes every kind of field across the end of its buffer', () => {
    for (let length = 230; length <= 260; length++) {
      const lead = new Uint8Array(length).fill(9);
      const bytes = encode((w) => w.fixed(lead).u8(1).u16(2).u32(3).u64(4n).u128(5n).bytes(lead));
      const back = decodeExactly(bytes, (r) => [
        [...r.fixed(length)].every((byte) => byte === 9),
        ...[r.u8(), r.u16(), r.u32(), r.u64(), r.u128(), r.bytes(300).length],
      ]);
      expect(back).toEqual([true, 1, 2, 3, 4n, 5n, length]);
    }
  });

  it('refuses to write what does not fit', () => {
    expect(code(() => encode((w) => w.u8(256)))).toBe('borsh.range');
    expect(code(() => encode((w) => w.u32(-1)))).toBe('borsh.range');
    expect(code(() => encode((w) => w.u16(0.5)))).toBe('borsh.range');
    expect(code(() => encode((w) => w.u64(U64_MAX + 1n)))).toBe('borsh.range');
    expect(code(() => encode((w) => w.u128(-1n)))).toBe('borsh.range');
  });

  it('copies what it reads, also out of a Buffer, whose slice shares memory', () => {
    const source = Buffer.from([1, 2, 3, 4]);
    const read = new BorshReader(source).fixed(2);
    source[0] = 9;
    expect([...read]).toEqual([1, 2]);
    expect(Object.getPrototypeOf(read)).toBe(Uint8Array.prototype);
  });
});

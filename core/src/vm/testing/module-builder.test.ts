import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BULK,
  dataAt,
  elementsAt,
  exportOf,
  flat,
  funcType,
  globalOf,
  i32,
  importOf,
  leb,
  limits,
  moduleOf,
  OP,
  passiveData,
  sleb,
  T,
} from './module-builder.ts';
import { wat } from './wat.ts';

const I64_MIN = -(1n << 63n);
const I64_MAX = (1n << 63n) - 1n;

function unsigned(bytes: Uint8Array): bigint {
  return bytes.reduceRight((rest, byte) => (rest << 7n) | BigInt(byte & 0x7f), 0n);
}

describe('module builder', () => {
  it('writes integers in as many bytes as they need, or as many as are asked for', () => {
    expect(leb(0)).toEqual(Uint8Array.of(0));
    expect(leb(624485)).toEqual(Uint8Array.of(0xe5, 0x8e, 0x26));
    expect(sleb(-123456)).toEqual(Uint8Array.of(0xc0, 0xbb, 0x78));
    expect(sleb(64)).toEqual(Uint8Array.of(0xc0, 0x00));
    expect(leb(1, 5)).toEqual(Uint8Array.of(0x81, 0x80, 0x80, 0x80, 0));
    expect(sleb(-1, 3)).toEqual(Uint8Array.of(0xff, 0xff, 0x7f));
  });

  it('writes integers that read back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: I64_MAX }), fc.nat(12), (value, length) => {
        const bytes = leb(value, length);
        expect(bytes.length).toBeGreaterThanOrEqual(length);
        expect(unsigned(bytes)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: I64_MIN, max: I64_MAX }), fc.nat(12), (value, length) => {
        const bytes = sleb(value, length);
        expect(bytes.length).toBeGreaterThanOrEqual(length);
        expect(BigInt.asIntN(7 * bytes.length, unsigned(bytes))).toBe(value);
      }),
    );
  });

  it('puts the same module together as a text says', () => {
    const built = moduleOf({
      types: [funcType([T.i32], [T.i64]), funcType()],
      imports: [importOf('pyde', 'wave_id', leb(0))],
      functions: [
        { type: 1, code: flat(i32(7), OP.call, leb(0), OP.drop) },
        { type: 1, locals: [[3, T.f32]], code: [BULK.data_drop, leb(1)] },
      ],
      table: limits(2, 3),
      memory: limits(1),
      globals: [globalOf(T.i32, true, i32(-5))],
      exports: [exportOf('run', 'function', 1), exportOf('memory', 'memory')],
      start: 2,
      elements: [elementsAt(i32(0), [1, 2])],
      dataCount: 2,
      data: [dataAt(i32(8), [1, 2, 3]), passiveData([4])],
    });
    const text = wat(`(module
      (type (func (param i32) (result i64)))
      (type (func))
      (import "pyde" "wave_id" (func (type 0)))
      (func (export "run") (type 1) i32.const 7 call 0 drop)
      (func (type 1) (local f32 f32 f32) data.drop 1)
      (table 2 3 funcref)
      (memory (export "memory") 1)
      (global (mut i32) (i32.const -5))
      (start 2)
      (elem (i32.const 0) 1 2)
      (data (i32.const 8) "\\01\\02\\03")
      (data "\\04"))`);
    expect(built).toEqual(text);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leb, sleb } from '../testing/module-builder.ts';
import { ByteSink, writeVector } from './byte-sink.ts';

const written = (write: (out: ByteSink) => void): Uint8Array => {
  const out = new ByteSink(1);
  write(out);
  return out.view();
};

describe('a byte sink', () => {
  test('writes every u32 in its shortest form', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        expect(written((out) => out.u32(value))).toEqual(leb(value));
      }),
    );
  });

  test('writes every s32 in its shortest form', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
        expect(written((out) => out.s32(value))).toEqual(sleb(value));
      }),
    );
    for (const edge of [-65, -64, 63, 64, 8191, 8192, -8192, -8193]) {
      expect(written((out) => out.s32(edge))).toEqual(sleb(edge));
    }
  });

  test('copies any part of other bytes, however short or long', () => {
    const source = Uint8Array.from({ length: 300 }, (_, i) => i);
    const range = fc
      .tuple(fc.nat(300), fc.nat(300))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
    fc.assert(
      fc.property(fc.array(range), (ranges) => {
        const expected = ranges.flatMap(([start, end]) => [...source.slice(start, end)]);
        const actual = written((out) => {
          for (const [start = 0, end = 0] of ranges) out.copy(source, start, end);
        });
        expect([...actual]).toEqual(expected);
      }),
    );
  });

  test('starts again from nothing', () => {
    const out = new ByteSink();
    out.name('memory');
    out.clear();
    out.u8(7);
    expect([...out.view()]).toEqual([7]);
  });
});

describe('a section', () => {
  test('is its number, its length, its count and its entries', () => {
    const bytes = written((out) => writeVector(out, 3, 2, (content) => content.bytes([8, 9])));
    expect([...bytes]).toEqual([3, 3, 2, 8, 9]);
  });

  test('is left out when it has no entries', () => {
    expect(written((out) => writeVector(out, 3, 0, () => undefined))).toHaveLength(0);
  });
});

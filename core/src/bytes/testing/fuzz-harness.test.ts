import { describe, expect, it } from 'vitest';
import { decodeExactly, encode } from '../borsh.ts';
import { PydeError } from '../error.ts';
import { bytesTarget, FuzzFailure } from './fuzz.ts';
import { recordLayout } from './layout.ts';
import { SeededRandom } from './random.ts';

const value = encode((w) =>
  w
    .u8(7)
    .u64(9n)
    .vec([1, 2], (v, item) => v.u16(item))
    .option(5, (v, item) => v.u32(item))
    .string('ab')
    .u128(1n),
);
const read = (bytes: Uint8Array) =>
  decodeExactly(bytes, (r) => ({
    a: r.u8(),
    b: r.u64(),
    c: r.vec(4, 2, (v) => v.u16()),
    d: r.option((v) => v.u32()),
    e: r.string(4),
    f: r.u128(),
  }));
const write = (v: ReturnType<typeof read>) =>
  encode((w) =>
    w
      .u8(v.a)
      .u64(v.b)
      .vec(v.c, (x, item) => x.u16(item))
      .option(v.d, (x, item) => x.u32(item))
      .string(v.e)
      .u128(v.f),
  );
const target = (decode: (bytes: Uint8Array) => ReturnType<typeof read>) =>
  bytesTarget({ name: 'test', seeds: [value], decode, encode: write }).run({ runs: 400 });

describe('the fuzzing harness', () => {
  it('finds the fields of an encoding by its decoder', () => {
    const { fields, lists, options } = recordLayout(value, read);
    expect(fields.map(({ kind, at, length }) => [kind, at, length])).toEqual([
      ['integer', 0, 1],
      ['integer', 1, 8],
      ['count', 9, 4],
      ['integer', 13, 2],
      ['integer', 15, 2],
      ['option', 17, 1],
      ['integer', 18, 4],
      ['count', 22, 4],
      ['text', 26, 2],
      ['integer', 28, 16],
    ]);
    expect(lists).toEqual([
      {
        countAt: 9,
        end: 17,
        items: [
          [13, 15],
          [15, 17],
        ],
      },
      { countAt: 22, end: 28, items: undefined },
    ]);
    expect(options).toEqual([{ tagAt: 17, end: 22 }]);
  });

  it('leaves the reader as it was', () => {
    const before = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(new SeededRandom('')));
    recordLayout(value, read);
    expect(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(new SeededRandom('')))).toEqual(
      before,
    );
    expect(write(read(value))).toEqual(value);
  });

  it('accepts a decoder that keeps the rules, and meets both acceptance and refusals', async () => {
    const { cases, accepted, refusals } = await target(read);
    expect(cases).toBe(400);
    expect(accepted).toBeGreaterThan(20);
    expect([...refusals.keys()]).toEqual(
      expect.arrayContaining(['borsh.truncated', 'borsh.count', 'borsh.tag', 'borsh.utf8']),
    );
  });

  it('is the same on every run', async () => {
    expect(await target(read)).toEqual(await target(read));
  });

  const broken: readonly (readonly [string, typeof read, RegExp])[] = [
    [
      'throws another error',
      (bytes) => {
        if (bytes[0] === 0) throw new RangeError('boom');
        return read(bytes);
      },
      /threw RangeError: boom; input 0x00/,
    ],
    ['takes in more than one encoding', (bytes) => ({ ...read(bytes), d: 5 }), /encodes to/],
    [
      'believes a count',
      (bytes) => {
        const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(9, true);
        return count > bytes.length ? read(new Uint8Array(count)) : read(bytes);
      },
      /asked for \d+ bytes at once/,
    ],
    [
      'changes what it was given',
      (bytes) => {
        bytes[0] = 1;
        return read(bytes);
      },
      /changed its input/,
    ],
  ];
  it.each(broken)('catches a decoder that %s', async (_what, decode, message) => {
    await expect(target(decode)).rejects.toThrow(FuzzFailure);
    await expect(target(decode)).rejects.toThrow(message);
  });

  it('refuses seeds that the decoder refuses', async () => {
    const refusing = () => {
      throw new PydeError('test.no', 'no');
    };
    await expect(target(refusing)).rejects.toThrow('refuses its own seed');
  });
});

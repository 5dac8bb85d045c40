/** Text and integer readers of this folder, over the bytes of their text. */
import { fromHex, fromQuantity, toHex, toQuantity } from '../hex.ts';
import { readU32BigEndian, readU64BigEndian, u32BigEndian, u64BigEndian } from '../integer.ts';
import { bytesTarget, type FuzzTarget } from './fuzz.ts';
import type { SeededRandom } from './random.ts';

const utf8 = new TextEncoder();
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const MAX_QUANTITY = (1n << 64n) - 1n;

const CHARACTERS = [...'0123456789abcdefABCDEFxX@`/:Gg{}[]" -+._,é\u{1f600}'];

/** Digits, and what stands beside them in the tables of characters. */
function hexLike(random: SeededRandom): Uint8Array {
  const length = random.pick([0, 1, 2, 3, 8, 16, 17, 32, 64, 65, 66]);
  const prefix = random.pick(['0x', '0x', '0x', '0X', '', '0']);
  const alphabet = random.oneIn(3) ? CHARACTERS : CHARACTERS.slice(0, 16);
  return utf8.encode(prefix + Array.from({ length }, () => random.pick(alphabet)).join(''));
}

/** Either letter case is read, lower case is written: texts are compared in it. */
const lower = (text: string): string => text.replace(/[A-F]/g, (digit) => digit.toLowerCase());

export const bytesTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'hex of at most 32 bytes',
    seeds: ['0x', '0x00', '0xa0b1c2d3', `0x${'9f'.repeat(32)}`].map((text) => utf8.encode(text)),
    decode: (bytes) => {
      const text = textOf(bytes);
      return { text, value: fromHex(text, { maxBytes: 32 }) };
    },
    encode: ({ text, value }) =>
      toHex(value) === lower(text) ? utf8.encode(text) : utf8.encode(toHex(value)),
    craft: hexLike,
  }),
  bytesTarget({
    name: 'hex of exactly 32 bytes',
    seeds: [utf8.encode(`0x${'A9'.repeat(32)}`)],
    decode: (bytes) => fromHex(textOf(bytes), { exactBytes: 32 }),
    craft: hexLike,
  }),
  bytesTarget({
    name: 'quantity',
    seeds: ['0x0', '0x2a', '0xffffffffffffffff'].map((text) => utf8.encode(text)),
    decode: (bytes) => {
      const text = textOf(bytes);
      return { text, value: fromQuantity(text, MAX_QUANTITY) };
    },
    // Leading zeros are read and not written.
    encode: ({ text, value }) =>
      toQuantity(value) === lower(text).replace(/^0x0+(?=.)/, '0x')
        ? utf8.encode(text)
        : utf8.encode(toQuantity(value)),
    craft: hexLike,
  }),
  bytesTarget({
    name: 'big-endian integers of store keys',
    seeds: [u64BigEndian(7n), new Uint8Array(12)],
    decode: (bytes) => [readU64BigEndian(bytes), readU32BigEndian(bytes, 4)] as const,
  }),
  bytesTarget({
    name: 'big-endian u32',
    seeds: [u32BigEndian(7)],
    decode: (bytes) => readU32BigEndian(bytes),
  }),
];

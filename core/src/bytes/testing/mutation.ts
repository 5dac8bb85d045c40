/**
 * Hostile encodings. Half of them are valid ones with a field changed, so that they reach the checks
 * behind the first: integers at their bounds, counts that lie, tags and options that do not exist,
 * lists with items repeated, missing or out of order, text that is no UTF-8, field elements above
 * the field, ends in every place. The other half knows nothing of fields: noise, and pieces of two
 * encodings put together.
 */
import { concatBytes } from '../array.ts';
import type { CountedList, Field, Layout } from './layout.ts';
import type { SeededRandom } from './random.ts';

/** The order of the Goldilocks field, and 2⁵³: bounds that layouts have besides those of u64. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  10n,
  100n,
  10_000n,
  21_000n,
  (1n << 32n) - 1n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  0xffff_ffff_0000_0000n,
  0xffff_ffff_0000_0001n,
  (1n << 64n) - 1n,
  1n << 64n,
  (1n << 128n) - 1n,
];
const LENGTHS = [0, 1, 2, 5, 9, 17, 31, 33, 41, 129, 257, 666, 810, 897, 1025, 4097, 65_537];
const BAD_TEXT: readonly (readonly number[])[] = [
  [0xff],
  [0x80],
  [0xc0, 0x80],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xef, 0xbb, 0xbf],
  [0x00],
];
/** The longest encoding that is made: longer ones have tests of their own. */
const MAX_MADE_BYTES = 256 * 1024;

/** A valid encoding with one field, or a few, changed. */
export function mutateField(random: SeededRandom, bytes: Uint8Array, layout: Layout): Uint8Array {
  const out = bytes.slice();
  const inPlace = random.pick([0, 1, 1, 1, 2, 3]);
  for (let i = 0; i < inPlace; i++) changeInPlace(random, out, layout);
  if (inPlace > 0 && !random.oneIn(4)) return out;
  return changeStructure(random, out, layout);
}

/** Bytes that follow no layout but by accident. */
export function scramble(
  random: SeededRandom,
  bytes: Uint8Array,
  other: Uint8Array,
  edges: readonly number[],
): Uint8Array {
  switch (random.below(5)) {
    case 0:
      return random.bytes(random.below(2 * Math.min(bytes.length, 2048) + 2));
    case 1: {
      const out = bytes.slice();
      for (let i = random.between(1, 8); i > 0; i--) flipBit(random, out, 0, out.length);
      return out;
    }
    case 2: {
      const [at, length] = [random.below(bytes.length + 1), random.below(64)];
      return concatBytes(bytes.subarray(0, at), random.bytes(length), bytes.subarray(at + length));
    }
    case 3: {
      const at = random.oneIn(2) ? random.pick([0, ...edges]) : random.below(bytes.length + 1);
      return concatBytes(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)));
    }
    default: {
      // The same place in both, so that what follows may fit.
      const at = random.pick([0, ...edges]);
      return concatBytes(bytes.subarray(0, at), other.subarray(at));
    }
  }
}

function changeInPlace(random: SeededRandom, out: Uint8Array, { fields }: Layout): void {
  const field = random.pick(fields);
  const { at, length } = field;
  switch (field.kind) {
    case 'integer':
      writeInteger(out, at, length, integerNear(random, readInteger(out, at, length)));
      return;
    case 'tag':
    case 'option':
      out[at] = random.pick([0, 1, 2, 3, 4, 255, random.below(256)]);
      return;
    case 'count':
      writeInteger(out, at, length, countNear(random, readInteger(out, at, length), out.length));
      return;
    case 'text':
      if (random.oneIn(3)) flipBit(random, out, at, length);
      else spoilText(random, out, at, length);
      return;
    case 'bytes':
      changeBytes(random, out, at, length);
      return;
    default:
      field.kind satisfies never;
  }
}

function changeBytes(random: SeededRandom, out: Uint8Array, at: number, length: number): void {
  switch (random.below(5)) {
    case 0:
      out.fill(random.pick([0, 0xff]), at, at + length);
      return;
    case 1:
      // The first byte of keys and signatures says what they are.
      if (length > 0) out[at] = random.pick([0x00, 0x09, 0x39, 0x59, 0xff, random.below(256)]);
      return;
    case 2:
      if (length >= 8) {
        const word = at + 8 * random.below(Math.floor(length / 8));
        writeInteger(out, word, 8, random.pick(EDGES));
      }
      return;
    case 3:
      for (let i = random.between(1, 4); i > 0; i--) {
        if (length > 0) out[at + random.below(length)] = random.below(256);
      }
      return;
    default:
      flipBit(random, out, at, length);
  }
}

function changeStructure(random: SeededRandom, bytes: Uint8Array, layout: Layout): Uint8Array {
  const field = random.pick(layout.fields);
  const end = field.at + field.length;
  switch (random.below(9)) {
    case 0:
      return bytes.slice(0, random.pick([field.at, end, field.at + random.below(field.length)]));
    case 1:
      return concatBytes(
        bytes,
        random.oneIn(2) ? new Uint8Array(1) : random.bytes(1 + (field.at % 9)),
      );
    case 2:
      return concatBytes(bytes.subarray(0, field.at), bytes.subarray(end));
    case 3:
      return concatBytes(bytes.subarray(0, end), bytes.subarray(field.at));
    case 4:
      return swapFields(random, bytes, layout.fields, field);
    case 5:
      return toggleOption(random, bytes, layout);
    default:
      return layout.lists.length === 0
        ? swapFields(random, bytes, layout.fields, field)
        : changeList(random, bytes, random.pick(layout.lists));
  }
}

function swapFields(
  random: SeededRandom,
  bytes: Uint8Array,
  fields: readonly Field[],
  one: Field,
): Uint8Array {
  const other = random.pick(fields.filter(({ length }) => length === one.length));
  const out = bytes.slice();
  out.set(bytes.subarray(one.at, one.at + one.length), other.at);
  out.set(bytes.subarray(other.at, other.at + other.length), one.at);
  return out;
}

/** None where there was a value, Some of noise or of the right length where there was none. */
function toggleOption(random: SeededRandom, bytes: Uint8Array, layout: Layout): Uint8Array {
  const tags = layout.fields.filter(({ kind }) => kind === 'option');
  if (tags.length === 0) return bytes.slice(0, random.below(bytes.length));
  const { at } = random.pick(tags);
  const present = layout.options.find(({ tagAt }) => tagAt === at);
  const value = random.bytes(random.pick([1, 4, 5, 8, 16, 32, 33]));
  return present === undefined
    ? concatBytes(bytes.subarray(0, at), Uint8Array.of(1), value, bytes.subarray(at + 1))
    : concatBytes(bytes.subarray(0, at), Uint8Array.of(0), bytes.subarray(present.end));
}

/** Other contents, with a count that tells the truth about them more often than not. */
function changeList(random: SeededRandom, bytes: Uint8Array, list: CountedList): Uint8Array {
  const { countAt, end, items } = list;
  const body =
    items === undefined ? otherBytes(random, bytes.subarray(countAt + 4, end)) : undefined;
  const parts =
    items === undefined
      ? []
      : otherItems(
          random,
          items.map(([from, to]) => bytes.subarray(from, to)),
        );
  const contents = body ?? concatBytes(...parts);
  const truth = body === undefined ? parts.length : contents.length;
  const count = new Uint8Array(4);
  writeInteger(
    count,
    0,
    4,
    random.oneIn(4) ? countNear(random, BigInt(truth), bytes.length) : BigInt(truth),
  );
  return concatBytes(bytes.subarray(0, countAt), count, contents, bytes.subarray(end));
}

function otherBytes(random: SeededRandom, body: Uint8Array): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return random.bytes(random.pick(LENGTHS));
    case 1:
      return concatBytes(body, random.bytes(random.between(1, 3)));
    case 2:
      return body.slice(0, Math.max(0, body.length - random.between(1, 3)));
    default: {
      // As much more of the same as it takes.
      const out = new Uint8Array(random.pick(LENGTHS));
      for (let at = 0; at < out.length && body.length > 0; at += body.length) {
        out.set(body.subarray(0, out.length - at), at);
      }
      return out;
    }
  }
}

function otherItems(random: SeededRandom, items: readonly Uint8Array[]): Uint8Array[] {
  if (items.length === 0) return [random.bytes(random.below(64))];
  const at = random.below(items.length);
  const item = items[at] ?? new Uint8Array(0);
  switch (random.below(5)) {
    case 0:
      return [...items.slice(0, at), item, ...items.slice(at)];
    case 1:
      return items.toSpliced(at, 1);
    case 2: {
      const other = random.below(items.length);
      return items.map((one, i) => {
        if (i === at) return items[other] ?? one;
        return i === other ? item : one;
      });
    }
    case 3:
      return [];
    default: {
      const most = Math.floor(MAX_MADE_BYTES / Math.max(1, item.length));
      return Array.from({ length: Math.min(random.pick(LENGTHS), most) }, () => item);
    }
  }
}

function integerNear(random: SeededRandom, value: bigint): bigint {
  switch (random.below(4)) {
    case 0:
      return value + 1n;
    case 1:
      return value - 1n;
    case 2:
      return BigInt(random.below(1 << 30)) << BigInt(random.below(99));
    default:
      return random.pick(EDGES) - (random.oneIn(8) ? 1n : 0n);
  }
}

function countNear(random: SeededRandom, value: bigint, size: number): bigint {
  return random.pick([
    value + 1n,
    value - 1n,
    0n,
    1n,
    BigInt(size),
    BigInt(random.below(2 * size + 2)),
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_ffffn,
  ]);
}

function flipBit(random: SeededRandom, out: Uint8Array, at: number, length: number): void {
  if (length === 0) return;
  const byte = at + random.below(length);
  out[byte] = (out[byte] ?? 0) ^ (1 << random.below(8));
}

function spoilText(random: SeededRandom, out: Uint8Array, at: number, length: number): void {
  const bad = random.pick(BAD_TEXT);
  if (length >= bad.length) out.set(bad, at + random.below(length - bad.length + 1));
}

function readInteger(bytes: Uint8Array, at: number, length: number): bigint {
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
}

/** Little-endian, cut to `length` bytes. */
function writeInteger(out: Uint8Array, at: number, length: number, value: bigint): void {
  let rest = BigInt.asUintN(8 * length, value);
  for (let i = 0; i < length; i++) {
    out[at + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

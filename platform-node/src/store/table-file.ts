/**
 * LevelDB's table files (its doc/table_format.md): blocks, each with a checksum behind it, found
 * through an index block, found through the footer. LevelDB, as it is bound here, never compares
 * these checksums when it reads; a changed key or filter would make records vanish without a word.
 */
import { compareBytes, concatBytes } from '@pyde/core/bytes';
import { maskedCrc32c } from './crc32c.ts';
import { FormatReader } from './format-reader.ts';
import { unsnappy } from './snappy.ts';

const FOOTER_BYTES = 48;
/** Its bytes, little-endian as they lie in the file. */
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
const TRAILER_BYTES = 5;
const SNAPPY = 1;
const INTERNAL_BYTES = 8;

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Holds a whole table against its checksums.
 * @param wanted a key of the database
 * @returns the newest value that the table has of it, if any
 * @throws RangeError saying where it is not what was written
 */
export function checkTableFile(bytes: Uint8Array, wanted: Uint8Array): Uint8Array | undefined {
  const footer = bytes.subarray(Math.max(0, bytes.length - FOOTER_BYTES));
  if (footer.length < FOOTER_BYTES || MAGIC.some((byte, i) => footer[i + 40] !== byte)) {
    throw new RangeError('it has no end of a table');
  }
  const reader = new FormatReader(footer);
  const metaIndex = readHandle(reader);
  const index = readHandle(reader);
  for (const { value } of entriesOf(readBlock(bytes, metaIndex))) {
    checkBlock(bytes, readHandle(new FormatReader(value)));
  }
  let found: Uint8Array | undefined;
  let isBehind = false;
  for (const { key, value } of entriesOf(readBlock(bytes, index))) {
    const handle = readHandle(new FormatReader(value));
    checkBlock(bytes, handle);
    // The keys of the index are at or above the last one of their block.
    if (isBehind || compareBytes(userKey(key), wanted) < 0) continue;
    found ??= newestIn(readBlock(bytes, handle), wanted);
    isBehind = compareBytes(userKey(key), wanted) > 0;
  }
  return found;
}

/** Newer entries of a key lie before older ones. */
function newestIn(block: Uint8Array, wanted: Uint8Array): Uint8Array | undefined {
  for (const { key, value } of entriesOf(block)) {
    if (compareBytes(userKey(key), wanted) === 0) return value;
  }
  return undefined;
}

/** Behind it lie the sequence number and the kind of the write. */
function userKey(key: Uint8Array): Uint8Array {
  return key.subarray(0, Math.max(0, key.length - INTERNAL_BYTES));
}

function readHandle(reader: FormatReader): BlockHandle {
  return { offset: reader.varint(), size: reader.varint() };
}

/** @returns its type */
function checkBlock(bytes: Uint8Array, { offset, size }: BlockHandle): number {
  const end = offset + size;
  if (end + TRAILER_BYTES > bytes.length) throw new RangeError(`a block at byte ${offset} is cut`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (maskedCrc32c(bytes, offset, end + 1) !== view.getUint32(end + 1, true)) {
    throw new RangeError(`the checksum of the block at byte ${offset} does not match`);
  }
  return view.getUint8(end);
}

function readBlock(bytes: Uint8Array, handle: BlockHandle): Uint8Array {
  const type = checkBlock(bytes, handle);
  const stored = bytes.subarray(handle.offset, handle.offset + handle.size);
  return type === SNAPPY ? unsnappy(stored) : stored;
}

/** What follows the entries are the offsets of restarts. */
function* entriesOf(
  block: Uint8Array,
): Generator<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
  if (block.length < 4) throw new RangeError('a block is too short');
  const restarts = new FormatReader(block.subarray(-4)).u32();
  const entriesEnd = block.length - 4 - 4 * restarts;
  if (entriesEnd < 0) throw new RangeError('a block is too short');
  const reader = new FormatReader(block.subarray(0, entriesEnd));
  let key: Uint8Array = new Uint8Array(0);
  while (reader.left > 0) {
    const shared = reader.varint();
    const ownBytes = reader.varint();
    const valueBytes = reader.varint();
    key = concatBytes(key.subarray(0, shared), reader.bytes(ownBytes));
    yield { key, value: reader.bytes(valueBytes) };
  }
}

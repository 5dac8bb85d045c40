/**
 * LevelDB's table files (its doc/table_format.md): blocks, each with a checksum behind it, found
 * through an index block, found through the footer. LevelDB, as it is bound here, never compares
 * these checksums when it reads; a changed key or filter would make records vanish without a word.
 */
import { maskedCrc32c } from './crc32c.ts';
import { FormatReader } from './format-reader.ts';
import { unsnappy } from './snappy.ts';

const FOOTER_BYTES = 48;
/** Its bytes, little-endian as they lie in the file. */
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
const TRAILER_BYTES = 5;
const SNAPPY = 1;

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Holds a whole table against its checksums.
 * @throws RangeError saying where it is not what was written
 */
export function checkTableFile(bytes: Uint8Array): void {
  const footer = bytes.subarray(Math.max(0, bytes.length - FOOTER_BYTES));
  if (footer.length < FOOTER_BYTES || MAGIC.some((byte, i) => footer[i + 40] !== byte)) {
    throw new RangeError('it has no end of a table');
  }
  const reader = new FormatReader(footer);
  const metaIndex = readHandle(reader);
  const index = readHandle(reader);
  for (const root of [metaIndex, index]) {
    for (const handle of handlesIn(readBlock(bytes, root))) checkBlock(bytes, handle);
  }
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

/** The values of an index block; what follows the entries are the offsets of restarts. */
function* handlesIn(block: Uint8Array): Generator<BlockHandle> {
  if (block.length < 4) throw new RangeError('an index is too short');
  const restarts = new FormatReader(block.subarray(-4)).u32();
  const entriesEnd = block.length - 4 - 4 * restarts;
  if (entriesEnd < 0) throw new RangeError('an index is too short');
  const reader = new FormatReader(block.subarray(0, entriesEnd));
  while (reader.left > 0) {
    reader.varint(); // bytes shared with the key before
    const keyBytes = reader.varint();
    const valueBytes = reader.varint();
    reader.bytes(keyBytes);
    yield readHandle(new FormatReader(reader.bytes(valueBytes)));
  }
}

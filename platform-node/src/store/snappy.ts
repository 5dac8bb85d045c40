/** Snappy's raw format, read only (google/snappy, format_description.txt): LevelDB's blocks. */
import { FormatReader } from './format-reader.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** @throws RangeError when it is no such stream */
export function unsnappy(bytes: Uint8Array): Uint8Array {
  const reader = new FormatReader(bytes);
  const length = reader.varint();
  if (length > MAX_BYTES) throw new RangeError(`a block of ${length} bytes`);
  const out = new Uint8Array(length);
  let at = 0;
  while (reader.left > 0) {
    const tag = reader.bytes(1)[0] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >>> 2;
      const size = (short < 60 ? short : littleEndian(reader.bytes(short - 59))) + 1;
      if (at + size > length) throw new RangeError('more bytes than announced');
      out.set(reader.bytes(size), at);
      at += size;
      continue;
    }
    const size = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    const distance =
      kind === 1
        ? ((tag >>> 5) << 8) | littleEndian(reader.bytes(1))
        : littleEndian(reader.bytes(kind === 2 ? 2 : 4));
    if (distance === 0 || distance > at || at + size > length) {
      throw new RangeError('a copy from outside');
    }
    // Byte by byte: source and target may overlap.
    for (const end = at + size; at < end; at++) out[at] = out[at - distance] ?? 0;
  }
  if (at !== length) throw new RangeError('fewer bytes than announced');
  return out;
}

function littleEndian(bytes: Uint8Array): number {
  let value = 0;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

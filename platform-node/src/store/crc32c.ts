/**
 * CRC-32C (Castagnoli, reflected, polynomial 0x82f63b78) as LevelDB stores it: masked, so that a
 * checksum of bytes that hold checksums stays a good one. Node offers only the CRC of zlib.
 */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}

/** Of bytes[from, until), eight bytes a turn. */
export function crc32c(bytes: Uint8Array, from = 0, until = bytes.length): number {
  const t = TABLES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = -1;
  let at = from;
  for (; at + SLICES <= until; at += SLICES) {
    const low = view.getInt32(at, true) ^ crc;
    const high = view.getInt32(at + 4, true);
    crc =
      (t[1792 + (low & 0xff)] ?? 0) ^
      (t[1536 + ((low >>> 8) & 0xff)] ?? 0) ^
      (t[1280 + ((low >>> 16) & 0xff)] ?? 0) ^
      (t[1024 + (low >>> 24)] ?? 0) ^
      (t[768 + (high & 0xff)] ?? 0) ^
      (t[512 + ((high >>> 8) & 0xff)] ?? 0) ^
      (t[256 + ((high >>> 16) & 0xff)] ?? 0) ^
      (t[high >>> 24] ?? 0);
  }
  for (; at < until; at++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** As it lies in the files. */
export function maskedCrc32c(bytes: Uint8Array, from: number, until: number): number {
  const crc = crc32c(bytes, from, until);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

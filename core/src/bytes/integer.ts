/**
 * Fixed-width integers as bytes. Little-endian is the chain's order (spec/wire.md); big-endian
 * is used only in store keys, where byte order must be numeric order.
 */

export const U64_MAX = (1n << 64n) - 1n;
export const U128_MAX = (1n << 128n) - 1n;

/** u64 little-endian; the caller proves 0 ≤ value < 2⁶⁴. */
export function u64LittleEndian(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value, true);
  return out;
}

/** u64 big-endian, for store keys; the caller proves 0 ≤ value < 2⁶⁴. */
export function u64BigEndian(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value, false);
  return out;
}

/** u32 big-endian, for store keys; the caller proves 0 ≤ value < 2³². */
export function u32BigEndian(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, false);
  return out;
}

/** Reads the first eight bytes as u64 little-endian: `mod` in the design pages reads digests so. */
export function readU64LittleEndian(bytes: Uint8Array, offset = 0): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(offset, true);
}

export function readU64BigEndian(bytes: Uint8Array, offset = 0): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(offset, false);
}

export function readU32BigEndian(bytes: Uint8Array, offset = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, false);
}

/**
 * Fixed-width integers as bytes. Little-endian is the chain's order (spec/wire.md); big-endian
 * is used only in store keys, where byte order must be numeric order.
 */

import { PydeError } from './error.ts';

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
  WORD.setBigUint64(0, value, false);
  return WORD_BYTES.slice();
}

/** One view for all: making one costs more than what goes through it. */
const WORD_BYTES = new Uint8Array(8);
const WORD = new DataView(WORD_BYTES.buffer);

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

/** As {@link readU64LittleEndian}, the nearest number to it: exact up to 2⁵³. */
export function readU64AsNumber(bytes: Uint8Array, offset = 0): number {
  return wordAt(bytes, offset) + wordAt(bytes, offset + 4) * 2 ** 32;
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)) >>>
  0;

/** Of a store's key or record. @throws PydeError `bytes.integer` when it is cut short */
export function readU64BigEndian(bytes: Uint8Array, offset = 0): bigint {
  requireBytes(bytes, offset + 8);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(offset, false);
}

/** Of a store's key or record. @throws PydeError `bytes.integer` when it is cut short */
export function readU32BigEndian(bytes: Uint8Array, offset = 0): number {
  requireBytes(bytes, offset + 4);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, false);
}

function requireBytes(bytes: Uint8Array, needed: number): void {
  if (bytes.length >= needed) return;
  throw new PydeError(
    'bytes.integer',
    `${bytes.length} bytes are too few for an integer that ends at byte ${needed}: ` +
      'the store was written by another program; start from an empty one',
    { length: bytes.length, needed },
  );
}

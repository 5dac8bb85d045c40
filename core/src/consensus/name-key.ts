/** Names as keys of maps: exact, and cheaper to make than hex. */
import type { WeakParentRef } from '../types/index.ts';

/** One character for every two of the 32 bytes. */
export const nameKey = (name: Uint8Array): string => {
  let key = '';
  for (let i = 0; i < name.length; i += 2) {
    key += String.fromCharCode(((name[i] ?? 0) << 8) | (name[i + 1] ?? 0));
  }
  return key;
};

/** A reference that lies about round or author has another key than the vertex of its name. */
export const refKey = ({ round, author, name }: WeakParentRef): string =>
  nameKey(name) +
  String.fromCharCode(author, round & 0xffff, Math.floor(round / 0x10000) & 0xffff) +
  String.fromCharCode(Math.floor(round / 0x1_0000_0000) & 0xffff);

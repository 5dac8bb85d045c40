/** Bytes as they are written on a command line. */
import { fromHex, isPydeError } from '@pyde/core/bytes';
import { invalidArgs } from '../output/index.ts';

/** Bounds what one argument may hold; the system's own limit for an argument is lower. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** UTF-8 text, or hex when `isHex`. @throws Failure `InvalidArgs` */
export function messageBytes(text: string, isHex: boolean): Uint8Array {
  return isHex ? hexBytes(text, '--message') : new TextEncoder().encode(text);
}

/** Hex with or without `0x`. @throws Failure `InvalidArgs` naming `what` */
export function hexBytes(
  text: string,
  what: string,
  bounds: Parameters<typeof fromHex>[1] = { maxBytes: MAX_MESSAGE_BYTES },
): Uint8Array {
  try {
    return fromHex(text.startsWith('0x') ? text : `0x${text}`, bounds);
  } catch (error) {
    if (isPydeError(error)) throw invalidArgs(`${what}: ${error.message}`);
    throw error;
  }
}

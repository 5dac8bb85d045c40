/** Hex from the command line or, for `-`, from standard input; arguments are short on most systems. */
import { readStandardInput } from '../../prompt/index.ts';
import { hexBytes } from '../message.ts';

/** 16 MiB of bytes as hex. */
const MAX_HEX_DIGITS = 32 * 1024 * 1024 + 16;

/** @throws Failure `InvalidArgs` naming `what`, `InputTooLong` */
export async function hexInput(given: string, what: string): Promise<Uint8Array> {
  const text = given === '-' ? (await readStandardInput(MAX_HEX_DIGITS, what)).trim() : given;
  return hexBytes(text, what);
}

/**
 * Hexadecimal text (spec/rpc.md, spec/wire.md): binary is `0x` + lowercase pairs, a quantity (Q)
 * is `0x` + the shortest lowercase digits. Readers accept either letter case, nothing else.
 */
import { PydeError } from './error.ts';

const DIGITS = '0123456789abcdef';
const PAIRS: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `${DIGITS[byte >> 4]}${DIGITS[byte & 15]}`,
);
const utf8 = new TextEncoder();
const DIGIT_CODES = utf8.encode(DIGITS);
const ascii = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Above it, adding up pairs would leave a rope of many pieces in memory for each text. */
const MAX_ADDED_BYTES = 64;

/** `0x`-prefixed lowercase hex of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length > MAX_ADDED_BYTES) return toLongHex(bytes);
  let text = '0x';
  for (const byte of bytes) text += PAIRS[byte];
  return text;
}

function toLongHex(bytes: Uint8Array): string {
  const codes = new Uint8Array(2 + 2 * bytes.length);
  codes[0] = 0x30;
  codes[1] = 0x78;
  let at = 2;
  for (const byte of bytes) {
    codes[at++] = DIGIT_CODES[byte >> 4] ?? 0;
    codes[at++] = DIGIT_CODES[byte & 15] ?? 0;
  }
  return ascii.decode(codes);
}

const NO_DIGIT = 0xff;
const DIGIT_VALUES = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, code] of DIGIT_CODES.entries()) DIGIT_VALUES[code] = value;
for (let value = 10; value < 16; value++) DIGIT_VALUES[0x41 + value - 10] = value;

/**
 * Reads `0x`-prefixed hex of at most `maxBytes` bytes (exactly `exactBytes` when given).
 * @throws PydeError `bytes.hex`
 */
export function fromHex(
  text: string,
  bounds: { readonly maxBytes: number } | { readonly exactBytes: number },
): Uint8Array {
  const digits = text.length - 2;
  if (!text.startsWith('0x') || digits % 2 !== 0) {
    throw new PydeError('bytes.hex', 'hex must be 0x followed by pairs of digits', {
      length: text.length,
    });
  }
  const length = digits / 2;
  if ('exactBytes' in bounds && length !== bounds.exactBytes) {
    throw new PydeError(
      'bytes.hex',
      `hex has ${length} bytes where ${bounds.exactBytes} are needed`,
      { length, exactBytes: bounds.exactBytes },
    );
  }
  if ('maxBytes' in bounds && length > bounds.maxBytes) {
    throw new PydeError('bytes.hex', `hex has ${length} bytes, at most ${bounds.maxBytes} fit`, {
      length,
      maxBytes: bounds.maxBytes,
    });
  }
  // One call for the whole text: a character at a time takes three times as long.
  const codes = utf8.encode(text);
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const high = DIGIT_VALUES[codes[2 * i + 2] ?? 0] ?? NO_DIGIT;
    const low = DIGIT_VALUES[codes[2 * i + 3] ?? 0] ?? NO_DIGIT;
    if ((high | low) > 15) {
      throw new PydeError('bytes.hex', `hex has a character that is no digit near byte ${i}`, {
        byte: i,
      });
    }
    out[i] = (high << 4) | low;
  }
  return out;
}

/** A quantity: `0x0`, `0x2a`; no leading zeros. */
export function toQuantity(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/**
 * Reads a quantity up to `max`. Leading zeros are tolerated, since clients differ; the empty
 * `0x` is not.
 * @throws PydeError `bytes.quantity`
 */
export function fromQuantity(text: string, max: bigint): bigint {
  if (!/^0x[0-9a-fA-F]{1,64}$/.test(text)) {
    throw new PydeError('bytes.quantity', 'a quantity is 0x and 1 to 64 hex digits, like 0x2a');
  }
  const value = BigInt(text);
  if (value > max) {
    throw new PydeError('bytes.quantity', `quantity ${text} is above the largest allowed ${max}`);
  }
  return value;
}

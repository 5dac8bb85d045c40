/**
 * Reads a module's bytes: core specification §5.2 (values). Integers are LEB128 of bounded width
 * whose unused bits must agree with the value; names are well-formed UTF-8. The reader never leaves
 * the range it was given: a section or a function body has a reader of its own.
 */
import { limitError, type WasmError, wasmError } from '../error.ts';
import { LIMITS } from '../limits.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ModuleReader {
  readonly bytes: Uint8Array;
  /** Where the next byte is read. */
  at: number;
  readonly end: number;
  /** What the range is, for errors. */
  readonly what: string;

  constructor(bytes: Uint8Array, at: number, end: number, what: string) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.what = what;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  u8(): number {
    const at = this.at;
    if (at >= this.end) throw this.#truncated(1);
    this.at = at + 1;
    return this.bytes[at] ?? 0;
  }

  /** §5.2.2: at most 5 bytes, the last of at most 4 bits. */
  u32(): number {
    const at = this.at;
    if (at < this.end) {
      const byte = this.bytes[at] ?? 0;
      if (byte < 0x80) {
        this.at = at + 1;
        return byte;
      }
    }
    return this.#longU32();
  }

  /** Signed, as a number. */
  s32(): number {
    const start = this.at;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
    const last = this.u8();
    const padding = last & 0x78;
    if (last >= 0x80 || (padding !== 0 && padding !== 0x78)) throw tooWide(start, 's32');
    return value | (last << 28);
  }

  /** Signed 33 bits, of which block types are made. */
  s33(): number {
    const start = this.at;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
    const last = this.u8();
    const padding = last & 0x70;
    if (last >= 0x80 || (padding !== 0 && padding !== 0x70)) throw tooWide(start, 's33');
    const high = last & 0x1f;
    return value + (high >= 0x10 ? high - 0x20 : high) * 2 ** 28;
  }

  /** Signed 64 bits as the unsigned number of the same bits. */
  s64(): bigint {
    const start = this.at;
    this.skipS64();
    let value = 0n;
    let shift = 0n;
    let byte = 0;
    for (let at = start; at < this.at; at++) {
      byte = this.bytes[at] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
    }
    if ((byte & 0x40) !== 0) value -= 1n << shift;
    return BigInt.asUintN(64, value);
  }

  /** Checks a signed 64-bit integer and passes it by. */
  skipS64(): void {
    const start = this.at;
    for (let i = 0; i < 9; i++) if (this.u8() < 0x80) return;
    const last = this.u8();
    if (last !== 0 && last !== 0x7f) throw tooWide(start, 's64');
  }

  /** Little-endian, the bits of an f32. */
  bits32(): bigint {
    return this.#bits(4);
  }

  /** Little-endian, the bits of an f64. */
  bits64(): bigint {
    return this.#bits(8);
  }

  skip(length: number): void {
    if (length > this.remaining) throw this.#truncated(length);
    this.at += length;
  }

  /** How many entries follow, held against a bound and against the bytes that are left. */
  count(limit: keyof typeof LIMITS, minEntryBytes: number): number {
    const at = this.at;
    const count = this.u32();
    if (count > LIMITS[limit]) throw limitError(limit, count, LIMITS[limit], at);
    if (count * minEntryBytes > this.remaining) {
      throw wasmError(
        'wasm.truncated',
        at,
        `${this.what}: ${count} entries do not fit the ${this.remaining} bytes that are left`,
        { count, remaining: this.remaining },
      );
    }
    return count;
  }

  /** §5.2.4. */
  name(): string {
    const at = this.at;
    const length = this.count('nameBytes', 1);
    const start = this.at;
    this.at = start + length;
    try {
      return utf8.decode(this.bytes.subarray(start, this.at));
    } catch {
      throw wasmError('wasm.utf8', at, `${this.what}: a name of ${length} bytes is not UTF-8`);
    }
  }

  /** Refuses bytes after what was read. */
  finish(): void {
    if (this.at === this.end) return;
    throw wasmError(
      'wasm.section-length',
      this.at,
      `${this.what}: ${this.remaining} bytes follow its contents`,
      { remaining: this.remaining },
    );
  }

  #longU32(): number {
    const start = this.at;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.u8();
    if (last > 0x0f) throw tooWide(start, 'u32');
    return value + last * 2 ** 28;
  }

  #bits(length: number): bigint {
    const start = this.at;
    this.skip(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) {
      value = (value << 8n) | BigInt(this.bytes[start + i] ?? 0);
    }
    return value;
  }

  #truncated(needed: number): WasmError {
    return wasmError(
      'wasm.truncated',
      this.at,
      `${this.what} ends where ${needed} more bytes are needed, ${this.remaining} are left`,
      { needed, remaining: this.remaining },
    );
  }
}

function tooWide(offset: number, type: string): WasmError {
  return wasmError('wasm.leb', offset, `an integer is longer or larger than ${type} allows`, {
    type,
  });
}

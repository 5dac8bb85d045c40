/**
 * Borsh (spec/wire.md): little-endian integers, Vec and String with a u32 count, Option as 0x00 or
 * 0x01 + value, fieldless enums and tags as one byte, fixed arrays bare.
 *
 * The reader trusts nothing: every count is checked against what is left of the buffer before
 * anything is allocated, options and booleans have one encoding, and `end` refuses trailing bytes.
 */
import { PydeError } from './error.ts';
import { U64_MAX, U128_MAX } from './integer.ts';

export type BorshErrorCode =
  | 'borsh.truncated'
  | 'borsh.trailing-bytes'
  | 'borsh.count'
  | 'borsh.tag'
  | 'borsh.utf8'
  | 'borsh.range';

const U32_MAX = 0xffff_ffff;

const FIRST_CAPACITY = 2048;
/** Larger buffers are not kept for the next encoding. */
const MAX_KEPT_CAPACITY = 64 * 1024;
/** Encodings inside encodings: receipts in a leaf, keys in an account. */
const MAX_KEPT_WRITERS = 8;

export class BorshWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): this {
    this.#check(value, 0xff, 8);
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    this.#check(value, 0xffff, 16);
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    this.#check(value, U32_MAX, 32);
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    if (value < 0n || value > U64_MAX) throw outOfRange(value, 64);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  u128(value: bigint): this {
    if (value < 0n || value > U128_MAX) throw outOfRange(value, 128);
    const at = this.#grow(16);
    this.#view.setBigUint64(at, value & U64_MAX, true);
    this.#view.setBigUint64(at + 8, value >> 64n, true);
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  /** Bytes with no count: a fixed array. */
  fixed(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** `Vec<u8>`. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).fixed(bytes);
  }

  string(text: string): this {
    return this.bytes(new TextEncoder().encode(text));
  }

  option<T>(value: T | undefined, write: (writer: this, value: T) => void): this {
    if (value === undefined) return this.u8(0);
    this.u8(1);
    write(this, value);
    return this;
  }

  vec<T>(items: readonly T[], write: (writer: this, item: T) => void): this {
    this.u32(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  /** A copy of what was written, of exactly its length. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Forgets what was written; false when the buffer has grown too large to be kept. */
  reset(): boolean {
    this.#length = 0;
    return this.#bytes.length <= MAX_KEPT_CAPACITY;
  }

  #check(value: number, max: number, bits: number): void {
    if (!Number.isInteger(value) || value < 0 || value > max) throw outOfRange(value, bits);
  }

  /** Makes room for `count` bytes, which may replace the buffer, and returns where they start. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      wider.set(this.#bytes.subarray(0, at));
      this.#bytes = wider;
      this.#view = new DataView(wider.buffer);
    }
    return at;
  }
}

function outOfRange(value: bigint | number, bits: number): PydeError<BorshErrorCode> {
  return new PydeError('borsh.range', `${value} does not fit an unsigned ${bits}-bit integer`);
}

export class BorshReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** Subclasses of Uint8Array may redefine `slice` to share memory; a plain view does not. */
  constructor(bytes: Uint8Array) {
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  u128(): bigint {
    const low = this.u64();
    return low | (this.u64() << 64n);
  }

  bool(): boolean {
    return this.tag(2, 'bool') === 1;
  }

  /** One byte below `count`; `what` names the enum in the error. */
  tag(count: number, what: string): number {
    const at = this.#at;
    const tag = this.u8();
    if (tag >= count) {
      throw new PydeError('borsh.tag', `${what} has no variant ${tag} (byte ${at})`, { tag, at });
    }
    return tag;
  }

  /** A copy of the next `length` bytes, so that no decoded value keeps a whole message alive. */
  fixed(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  /** `Vec<u8>` of at most `maxLength` bytes. */
  bytes(maxLength: number): Uint8Array {
    return this.fixed(this.#count(maxLength, 1));
  }

  /** UTF-8 text of at most `maxBytes` bytes; ill-formed text is refused. */
  string(maxBytes: number): string {
    const bytes = this.bytes(maxBytes);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new PydeError('borsh.utf8', 'text is not well-formed UTF-8', { length: bytes.length });
    }
  }

  option<T>(read: (reader: this) => T): T | undefined {
    return this.tag(2, 'Option') === 1 ? read(this) : undefined;
  }

  /**
   * `Vec<T>` of at most `maxCount` items, each taking at least `minItemBytes` bytes; the count is
   * held against both before anything is read.
   */
  vec<T>(maxCount: number, minItemBytes: number, read: (reader: this) => T): T[] {
    const count = this.#count(maxCount, minItemBytes);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(this));
    return items;
  }

  /** Refuses bytes after the value. */
  end(): void {
    if (this.remaining !== 0) {
      throw new PydeError(
        'borsh.trailing-bytes',
        `${this.remaining} bytes follow the value, which ends at byte ${this.#at}`,
        { remaining: this.remaining, at: this.#at },
      );
    }
  }

  #count(max: number, minItemBytes: number): number {
    const at = this.#at;
    const count = this.u32();
    if (count > max) {
      throw new PydeError('borsh.count', `count ${count} at byte ${at} is above ${max}`, {
        count,
        max,
        at,
      });
    }
    if (count * minItemBytes > this.remaining) {
      throw new PydeError(
        'borsh.truncated',
        `count ${count} at byte ${at} needs more than the ${this.remaining} bytes that are left`,
        { count, remaining: this.remaining, at },
      );
    }
    return count;
  }

  #take(length: number): number {
    if (length > this.remaining) {
      throw new PydeError(
        'borsh.truncated',
        `${length} bytes are needed at byte ${this.#at}, ${this.remaining} are left`,
        { needed: length, remaining: this.remaining, at: this.#at },
      );
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

/** Decodes exactly one value: bytes that follow it are refused. */
export function decodeExactly<T>(bytes: Uint8Array, read: (reader: BorshReader) => T): T {
  const reader = new BorshReader(bytes);
  const value = read(reader);
  reader.end();
  return value;
}

const idle: BorshWriter[] = [];

/** Encodes with `write` into fresh bytes of exactly their length. */
export function encode(write: (writer: BorshWriter) => void): Uint8Array {
  const writer = idle.pop() ?? new BorshWriter();
  write(writer);
  const bytes = writer.finish();
  if (writer.reset() && idle.length < MAX_KEPT_WRITERS) idle.push(writer);
  return bytes;
}

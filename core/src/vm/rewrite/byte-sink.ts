/**
 * Bytes of a module under construction: core specification §5.2 (values) and §5.5.2 (sections).
 * Integers always take their shortest form, so that equal modules are equal bytes.
 */

export class ByteSink {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** What was written so far, not copied. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(byte: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  u32(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** For s32 as well as for s64: of a whole number between −2^31 and 2^31 − 1. */
  s32(value: number): void {
    let rest = value;
    while (rest < -0x40 || rest > 0x3f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.u8(rest & 0x7f);
  }

  bytes(part: ArrayLike<number>): void {
    this.#reserve(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  /** Bytes `start` to `end` of `source`. */
  copy(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    if (length < SHORT) {
      const bytes = this.#bytes;
      let at = this.#length;
      for (let i = start; i < end; i++) bytes[at++] = source[i] ?? 0;
    } else {
      this.#bytes.set(source.subarray(start, end), this.#length);
    }
    this.#length += length;
  }

  name(text: string): void {
    this.sized(utf8.encode(text));
  }

  /** Behind its length. */
  sized(part: Uint8Array): void {
    this.u32(part.length);
    this.bytes(part);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, needed));
    larger.set(this.view());
    this.#bytes = larger;
  }
}

const utf8 = new TextEncoder();

/** Bytes up to which a loop is faster than setting a subarray. */
const SHORT = 32;

/** Section numbers, §5.5. */
export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** A section of `count` entries, which `write` writes; nothing where there is none. */
export function writeVector(
  out: ByteSink,
  section: number,
  count: number,
  write: (content: ByteSink) => void,
): void {
  if (count === 0) return;
  const content = new ByteSink(1024);
  content.u32(count);
  write(content);
  out.u8(section);
  out.sized(content.view());
}

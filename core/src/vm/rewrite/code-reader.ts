/**
 * Walks the operators of a validated body (core specification §5.4). It checks nothing: validation
 * has read the same bytes before.
 */
import { IMMEDIATE, IMMEDIATE_KIND, OP, PREFIX, PREFIXED } from '../operators.ts';

/** A block type that is no type index: empty or one value type, all of one byte. */
export const EMPTY_BLOCK = 0x40;

export class CodeReader {
  #bytes: Uint8Array = new Uint8Array(0);
  /** Offset of what is read next. */
  at = 0;

  start(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.at = at;
  }

  /** The next operator's code, as in operators.ts; its immediates are next. */
  operator(): number {
    const byte = this.#bytes[this.at++] ?? 0;
    return byte === PREFIX ? PREFIXED + this.u32() : byte;
  }

  u32(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++] ?? 0;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[this.at++] ?? 0;
      value |= (byte & 0x7f) << shift;
    }
    return value >>> 0;
  }

  /** Steps over the immediates of an operator. */
  skip(code: number): void {
    switch (IMMEDIATE_KIND[code]) {
      case IMMEDIATE.none:
        return;
      case IMMEDIATE.callIndirect:
      case IMMEDIATE.memoryArgument:
      case IMMEDIATE.dataAndMemory:
        this.#skipInteger();
        this.#skipInteger();
        return;
      case IMMEDIATE.twoMemories:
        this.at += 2;
        return;
      case IMMEDIATE.f32:
        this.at += 4;
        return;
      case IMMEDIATE.f64:
        this.at += 8;
        return;
      case IMMEDIATE.labelTable:
        for (let left = this.u32(); left >= 0; left--) this.#skipInteger();
        return;
      default:
        this.#skipInteger();
    }
  }

  /**
   * From behind a branch that is always taken to the `else` or `end` which closes the block it
   * stands in; that one is next.
   */
  skipUnreachable(): void {
    for (let depth = 0; ; ) {
      const at = this.at;
      const code = this.operator();
      if (depth === 0 && (code === OP.end || code === OP.else)) {
        this.at = at;
        return;
      }
      if (code === OP.block || code === OP.loop || code === OP.if) depth++;
      else if (code === OP.end) depth--;
      this.skip(code);
    }
  }

  #skipInteger(): void {
    const bytes = this.#bytes;
    while ((bytes[this.at++] ?? 0) >= 0x80);
  }
}

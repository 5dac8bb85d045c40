/** Integers and slices as LevelDB writes them; past the end of what is read it throws `RangeError`. */
export class FormatReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Seven bits a byte, lowest first, up to 2^53. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.bytes(1)[0] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('an integer beyond 2^53');
  }

  u32(): number {
    const part = this.bytes(4);
    return new DataView(part.buffer, part.byteOffset, 4).getUint32(0, true);
  }

  /** Up to 2^53. */
  u64(): number {
    const low = this.u32();
    const high = this.u32();
    if (high >= 2 ** 21) throw new RangeError('an integer beyond 2^53');
    return high * 2 ** 32 + low;
  }

  slice(): Uint8Array {
    return this.bytes(this.varint());
  }

  bytes(length: number): Uint8Array {
    if (length > this.left) throw new RangeError('it ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

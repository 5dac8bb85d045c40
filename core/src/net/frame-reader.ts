/**
 * Frames out of a stream that arrives in chunks of any size. What a header says is checked before
 * its payload is allocated, and no more than one frame is held. Trusts nothing; after a breach the
 * reader takes nothing more.
 */
import { netError } from './error.ts';
import {
  decodeFrameHeader,
  FRAME_HEADER_BYTES,
  FRAME_PEEK_BYTES,
  type Frame,
  type FrameKind,
  HANDSHAKE_FRAMES,
} from './link-frames.ts';

export class FrameReader {
  #allowed: ReadonlySet<FrameKind>;
  readonly #peek = new Uint8Array(FRAME_PEEK_BYTES);
  #peeked = 0;
  #kind: FrameKind = 'hello';
  #payload: Uint8Array | undefined;
  #filled = 0;
  #closed = false;

  constructor(allowed: ReadonlySet<FrameKind> = HANDSHAKE_FRAMES) {
    this.#allowed = allowed;
  }

  /** From the next frame on; may be called while a frame is taken. */
  allow(allowed: ReadonlySet<FrameKind>): void {
    this.#allowed = allowed;
  }

  /** Nothing more is taken, not even the rest of the chunk. */
  close(): void {
    this.#closed = true;
    this.#payload = undefined;
  }

  /** Bytes of a frame that is not whole yet: a stream that ends now was cut. */
  get heldBytes(): number {
    return this.#payload === undefined ? this.#peeked : FRAME_HEADER_BYTES + this.#filled;
  }

  /** Bytes allocated for a frame that is not whole yet. */
  get allocatedBytes(): number {
    return this.#payload?.length ?? 0;
  }

  /**
   * Gives every frame that is whole with this chunk to `take`, in order. A payload is the taker's
   * own and no view of the chunk.
   * @throws PydeError `net.frame` at the first breach; the reader is closed then
   */
  feed(chunk: Uint8Array, take: (frame: Frame) => void): void {
    let at = 0;
    try {
      while (at < chunk.length && !this.#closed) at = this.#step(chunk, at, take);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The stream ended. @throws PydeError `net.frame` within a frame */
  end(): void {
    const held = this.heldBytes;
    this.close();
    if (held > 0) throw netError('net.frame', 'the stream ended within a frame', { held });
  }

  #step(chunk: Uint8Array, at: number, take: (frame: Frame) => void): number {
    const payload = this.#payload;
    if (payload === undefined) return this.#readHeader(chunk, at, take);
    const count = Math.min(payload.length - this.#filled, chunk.length - at);
    payload.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled += count;
    this.#takeWhole(payload, take);
    return at + count;
  }

  /** No frame is empty, so that six bytes are always there to wait for. */
  #readHeader(chunk: Uint8Array, at: number, take: (frame: Frame) => void): number {
    const count = Math.min(FRAME_PEEK_BYTES - this.#peeked, chunk.length - at);
    this.#peek.set(chunk.subarray(at, at + count), this.#peeked);
    this.#peeked += count;
    if (this.#peeked < FRAME_PEEK_BYTES) return at + count;
    const { kind, length } = decodeFrameHeader(this.#peek, this.#allowed);
    const payload = new Uint8Array(length);
    payload[0] = this.#peek[FRAME_HEADER_BYTES] ?? 0;
    this.#kind = kind;
    this.#payload = payload;
    this.#filled = 1;
    this.#takeWhole(payload, take);
    return at + count;
  }

  #takeWhole(payload: Uint8Array, take: (frame: Frame) => void): void {
    if (this.#filled < payload.length) return;
    this.#payload = undefined;
    this.#peeked = 0;
    take({ kind: this.#kind, payload });
  }
}

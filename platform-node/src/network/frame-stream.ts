/**
 * Frames over one libp2p stream, in and out (docs/protocol/network.md, "Frames", "Sending").
 *
 * In: a frame's size is checked before any of it is allocated, and the first breach ends the
 * stream. Out: what waits is bounded by the send queue; the stream is handed at most
 * `WRITE_AHEAD_BYTES` ahead of its drain, so that a peer that reads slowly, or not at all, costs no
 * more than that and the queue. What is pushed in one turn of the event loop leaves together.
 */
import type { Stream } from '@libp2p/interface';
import { isPydeError, type PydeError } from '@pyde/core/bytes';
import {
  type Frame,
  type FrameKind,
  FrameReader,
  SendQueue,
  type SendQueueOptions,
  WRITE_AHEAD_BYTES,
} from '@pyde/core/net';
import type { Clock } from '@pyde/core/platform';
import { Uint8ArrayList } from 'uint8arraylist';

export interface FrameStreamOptions {
  readonly stream: Stream;
  readonly allowed: ReadonlySet<FrameKind>;
  readonly queue?: SendQueueOptions;
  readonly clock: Clock;
  frame(frame: Frame): void;
  /** Once, whoever ended it; with what was wrong if the other side's bytes were. */
  ended(breach: PydeError | undefined): void;
}

/** A slice of a large frame, so that what is urgent on another link waits for no more. */
const MOST_AT_ONCE = WRITE_AHEAD_BYTES / 2;
/** What a goodbye may take to leave. */
const CLOSE_MS = 500;

export class FrameStream {
  readonly #options: FrameStreamOptions;
  readonly #stream: Stream;
  readonly #reader: FrameReader;
  readonly #queue: SendQueue;
  #scheduled = false;
  #pacing: NodeJS.Timeout | undefined;
  #ended = false;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(options: FrameStreamOptions) {
    this.#options = options;
    this.#stream = options.stream;
    this.#reader = new FrameReader(options.allowed);
    this.#queue = new SendQueue(options.queue);
    const { stream } = options;
    stream.addEventListener('message', ({ data }) => this.#feed(data));
    stream.addEventListener('drain', this.#schedule);
    stream.addEventListener('idle', this.#schedule);
    stream.addEventListener('remoteCloseWrite', () => this.#end());
    stream.addEventListener('close', () => this.#end());
    // What came before the end, and before us, is given out first.
    const over = stream.status !== 'open' || stream.remoteWriteStatus === 'closed';
    if (over) setImmediate(() => this.#end());
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  get queue(): SendQueue {
    return this.#queue;
  }

  /** Bytes that were handed to the stream and that it has not passed on. */
  get writeAheadBytes(): number {
    return this.#stream.writeBufferLength;
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  allow(allowed: ReadonlySet<FrameKind>): void {
    this.#reader.allow(allowed);
  }

  /** A message, its tag first; the bytes are shared and must not change. */
  push(message: Uint8Array): void {
    if (this.#ended) return;
    this.#queue.push(message);
    this.#schedule();
  }

  /** A frame of the link itself. A peer that lets those pile up is cut off. */
  pushControl(frame: Frame): void {
    if (this.#ended) return;
    if (this.#queue.pushControl(frame)) this.#schedule();
    else this.abort();
  }

  /** No more is read for now; the other side is held up by the stream's window. */
  pause(): void {
    if (!this.#ended && this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  resume(): void {
    if (!this.#ended && this.#stream.readStatus === 'paused') this.#stream.resume();
  }

  /** Lets the control frames that wait leave, then ends. */
  close(): void {
    if (this.#ended) return;
    this.#write();
    this.#stop();
    const stream = this.#stream;
    stream.close({ signal: AbortSignal.timeout(CLOSE_MS) }).catch(() => {});
    // The other side closes its half when it has read the rest; one that does not is cut off.
    setTimeout(() => stream.abort(new Error('the link ended')), 2 * CLOSE_MS).unref();
    this.#options.ended(undefined);
  }

  /** Ends at once. */
  abort(): void {
    this.#end();
  }

  #feed(data: Uint8Array | Uint8ArrayList): void {
    if (this.#ended) return;
    this.#bytesIn += data.byteLength;
    try {
      for (const chunk of data instanceof Uint8Array ? [data] : data) {
        this.#reader.feed(chunk, this.#options.frame);
      }
    } catch (error) {
      if (!isPydeError(error, 'net.frame')) throw error;
      this.#end(error);
    }
  }

  /**
   * Writes after everything that runs now. The library fires its events in the middle of its own
   * writing, and what is sent then lies in its buffer until something else is sent.
   */
  readonly #schedule = (): void => {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#write());
  };

  #write(): void {
    this.#scheduled = false;
    const stream = this.#stream;
    while (!this.#ended && !this.#queue.isEmpty && !stream.writableNeedsDrain) {
      const room = Math.min(WRITE_AHEAD_BYTES - stream.writeBufferLength, MOST_AT_ONCE);
      if (room <= 0) return;
      const nowMs = this.#options.clock.now().monotonicMs;
      const parts = this.#queue.next(room, nowMs);
      if (parts.length === 0) {
        this.#pace(nowMs);
        return;
      }
      const list = new Uint8ArrayList(...parts);
      this.#bytesOut += list.byteLength;
      try {
        stream.send(list);
      } catch {
        // The stream closed under us; its event may not have come yet.
        this.#end();
      }
    }
  }

  /** Bandwidth is short: on again when there is some. */
  #pace(nowMs: number): void {
    const waitMs = this.#queue.waitMs(nowMs);
    if (waitMs === undefined || this.#pacing !== undefined) return;
    this.#pacing = setTimeout(
      () => {
        this.#pacing = undefined;
        this.#write();
      },
      Math.max(1, waitMs),
    );
  }

  #end(breach?: PydeError): void {
    if (this.#ended) return;
    this.#stop();
    this.#stream.abort(breach ?? new Error('the link ended'));
    this.#options.ended(breach);
  }

  #stop(): void {
    this.#ended = true;
    this.#reader.close();
    clearTimeout(this.#pacing);
    this.#stream.removeEventListener('drain', this.#schedule);
    this.#stream.removeEventListener('idle', this.#schedule);
  }
}

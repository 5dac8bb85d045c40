/**
 * The bytes of one question and one answer on a libp2p stream (docs/protocol/network.md, "Request
 * streams"):
 *
 *     question   u32 LE length ‖ bytes
 *     answer     u8 status ‖ u32 LE length ‖ bytes        status 0 the answer, 1 a refusal
 *
 * Each end closes its side once it has written. A length is held against the protocol's cap before
 * any byte of it is awaited, and what arrives is kept as it came until all of it is there: a length
 * alone allocates nothing. Bytes past the announced end reset the stream.
 */

import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { BorshReader, concatBytes, encode, isPydeError, PydeError } from '@pyde/core/bytes';

/** Why a stream did not give what it should have. */
export type StreamErrorCode = 'network.truncated' | 'network.size' | 'network.format';

const LENGTH_BYTES = 4;
const STATUS_OK = 0;
const STATUS_REFUSED = 1;
const MAX_CODE_BYTES = 64;
const MAX_MESSAGE_BYTES = 512;
/** A refusal: two Borsh strings. */
export const MAX_REFUSAL_BYTES = 8 + MAX_CODE_BYTES + MAX_MESSAGE_BYTES;

/** What the other end said instead of an answer. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export type Answer =
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The question, once its length was found to be within `cap`. */
export async function readQuestion(
  stream: Stream,
  cap: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const reader = new StreamReader(stream, LENGTH_BYTES + cap);
  const length = readLength(await reader.read(LENGTH_BYTES, signal), 0);
  checkLength(length, cap, 'question');
  const question = await reader.read(length, signal);
  reader.finish();
  return question;
}

/**
 * Sends a question, closes this side, and gives the answer or the refusal, once its length was found
 * to be within its cap.
 * @throws PydeError `network.size`, `network.format`, `network.truncated`; the signal's reason
 */
export async function exchange(
  stream: Stream,
  question: Uint8Array,
  cap: number,
  signal: AbortSignal,
): Promise<Answer> {
  // Before the question: a refusal may be there, and the stream closed, before it is all sent.
  const reader = new StreamReader(stream, 1 + LENGTH_BYTES + Math.max(cap, MAX_REFUSAL_BYTES));
  stream.send(concatBytes(lengthBytes(question.length), question));
  // Fails with the stream, of which the reader tells.
  stream.close({ signal }).catch(() => {});
  const head = await reader.read(1 + LENGTH_BYTES, signal);
  const status = head[0];
  if (status !== STATUS_OK && status !== STATUS_REFUSED) {
    throw new PydeError<StreamErrorCode>(
      'network.format',
      `an answer began with status ${status}; only 0 (answer) and 1 (refusal) are known`,
    );
  }
  const length = readLength(head, 1);
  checkLength(length, status === STATUS_OK ? cap : MAX_REFUSAL_BYTES, 'answer');
  const bytes = await reader.read(length, signal);
  reader.finish();
  if (status === STATUS_OK) return { kind: 'answer', bytes };
  return { kind: 'refused', refusal: decodeRefusal(bytes) };
}

/** Sends an answer and closes this side; resolves when all of it has left the stream's buffer. */
export async function writeAnswer(
  stream: Stream,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  stream.send(concatBytes(Uint8Array.of(STATUS_OK), lengthBytes(bytes.length)));
  stream.send(bytes);
  await stream.close({ signal });
}

export async function writeRefusal(
  stream: Stream,
  refusal: Refusal,
  signal: AbortSignal,
): Promise<void> {
  const bytes = encode((w) => {
    w.string(clip(refusal.code, MAX_CODE_BYTES)).string(clip(refusal.message, MAX_MESSAGE_BYTES));
  });
  stream.send(concatBytes(Uint8Array.of(STATUS_REFUSED), lengthBytes(bytes.length), bytes));
  await stream.close({ signal });
}

const FIRST_BUFFER_BYTES = 1_024;

/**
 * Takes exact numbers of bytes from a stream, never more than `maxBytes` in all. They gather in one
 * buffer that doubles as they come: neither a length nor a flood of tiny pieces costs more memory
 * than twice what arrived.
 */
class StreamReader {
  readonly #stream: Stream;
  readonly #maxBytes: number;
  #buffer = new Uint8Array(0);
  /** What was taken, and what has arrived, as offsets into the buffer. */
  #taken = 0;
  #filled = 0;
  #ended: PydeError | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: Stream, maxBytes: number) {
    this.#stream = stream;
    this.#maxBytes = maxBytes;
    stream.addEventListener('end', this.#onEnd);
    stream.addEventListener('close', this.#onClose);
    stream.addEventListener('message', this.#onMessage);
    this.#checkEnd();
  }

  async read(length: number, signal: AbortSignal): Promise<Uint8Array> {
    while (this.#filled - this.#taken < length) {
      if (this.#ended !== undefined) throw this.#ended;
      await this.#change(signal);
    }
    const from = this.#taken;
    this.#taken += length;
    return this.#buffer.subarray(from, this.#taken);
  }

  /** Nothing more is wanted: what else the other end sends is dropped. */
  finish(): void {
    this.#stream.removeEventListener('end', this.#onEnd);
    this.#stream.removeEventListener('close', this.#onClose);
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#wake = undefined;
        reject(signal.reason);
      };
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      this.#wake = () => {
        this.#wake = undefined;
        signal.removeEventListener('abort', stop);
        resolve();
      };
    });
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    if (this.#filled + event.data.byteLength > this.#maxBytes) {
      this.#fail(
        new PydeError<StreamErrorCode>(
          'network.size',
          `a stream brought more than the ${this.#maxBytes} bytes that its protocol allows`,
          { limit: this.#maxBytes },
        ),
      );
      this.#stream.abort(new Error('more bytes than the protocol allows'));
      return;
    }
    this.#reserve(this.#filled + event.data.byteLength);
    this.#buffer.set(event.data.subarray(), this.#filled);
    this.#filled += event.data.byteLength;
    this.#checkEnd();
    this.#wake?.();
  };

  /**
   * The end of a stream can come before what it brought is handed over: while its protocol is
   * negotiated, the negotiation holds the first bytes, and gives them back after the end.
   */
  #checkEnd(): void {
    if (this.#stream.readableEnded && this.#stream.readBufferLength === 0) this.#onEnd();
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const doubled = Math.max(FIRST_BUFFER_BYTES, 2 * this.#buffer.length);
    const grown = new Uint8Array(Math.max(bytes, Math.min(doubled, this.#maxBytes)));
    grown.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = grown;
  }

  readonly #onEnd = (): void => this.#fail(this.#truncated('closed'));

  readonly #onClose = (event: StreamCloseEvent): void => {
    // What came before a regular close is handed over after it, and then `end` follows.
    if (event.error === undefined && this.#stream.readBufferLength > 0) return;
    this.#fail(this.#truncated(event.error === undefined ? 'closed' : event.error.message));
  };

  #truncated(how: string): PydeError<StreamErrorCode> {
    return new PydeError(
      'network.truncated',
      `a stream ended before its message did, after ${this.#filled} bytes: ${how}`,
      { bytes: this.#filled },
    );
  }

  #fail(error: PydeError): void {
    this.#ended ??= error;
    this.#wake?.();
  }
}

function checkLength(length: number, cap: number, what: string): void {
  if (length <= cap) return;
  throw new PydeError<StreamErrorCode>(
    'network.size',
    `the ${what} announces ${length} bytes, its protocol allows ${cap}`,
    { length, limit: cap },
  );
}

function lengthBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, length, true);
  return bytes;
}

function readLength(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at, true);
}

/** A refusal is for people: what a peer sends is kept short and printable. */
function decodeRefusal(bytes: Uint8Array): Refusal {
  try {
    const reader = new BorshReader(bytes);
    const code = reader.string(MAX_CODE_BYTES);
    const message = reader.string(MAX_MESSAGE_BYTES);
    reader.end();
    return { code: printable(code), message: printable(message) };
  } catch (error) {
    if (!isPydeError(error)) throw error;
    throw new PydeError<StreamErrorCode>(
      'network.format',
      `a refusal is malformed: ${error.message}`,
    );
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** At most so many bytes of UTF-8: refusals of this node are ASCII, anything else is replaced. */
function clip(text: string, maxBytes: number): string {
  return printable(text).slice(0, maxBytes);
}

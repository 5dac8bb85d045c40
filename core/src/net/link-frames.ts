/**
 * Frames of a link between two validators (docs/protocol/network.md, "Frames"):
 * `u32 LE length of the payload ‖ u8 kind ‖ payload`. Six bytes, the first of the payload among
 * them, tell the limit; nothing is allocated before it is looked up. For a message that byte is
 * its tag, and the limit is that of the tag in `consensus/message.ts`.
 */
import { maxMessageBytes } from '../consensus/index.ts';
import { netError } from './error.ts';

/** In the order of their numbers, which are fixed. */
export const FRAME_KINDS = ['hello', 'proof', 'refuse', 'ping', 'pong', 'message'] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}

export interface FrameHeader {
  readonly kind: FrameKind;
  /** Of the payload. */
  readonly length: number;
}

/** Length and kind. */
export const FRAME_HEADER_BYTES = 5;
/** Header and the first byte of the payload: what a reader needs before it allocates. */
export const FRAME_PEEK_BYTES = 6;
/** A ping carries eight bytes that its pong gives back. */
export const PING_BYTES = 8;

/** Least and most bytes of a payload; a message's most is by its tag. */
const PAYLOAD_BYTES: Readonly<Record<Exclude<FrameKind, 'message'>, readonly [number, number]>> = {
  hello: [1, 256],
  proof: [666, 666],
  refuse: [1, 512],
  ping: [PING_BYTES, PING_BYTES],
  pong: [PING_BYTES, PING_BYTES],
};

/** Frames before the proof, which are never more than so large. */
export const HANDSHAKE_FRAMES: ReadonlySet<FrameKind> = new Set(['hello', 'proof', 'refuse']);
/** Frames after it. A refusal may still come: the key is live elsewhere. */
export const LINK_FRAMES: ReadonlySet<FrameKind> = new Set(['refuse', 'ping', 'pong', 'message']);

/** The five bytes before a payload. @throws PydeError `net.frame` if none of it may be sent */
export function encodeFrameHeader(kind: FrameKind, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, payload.length, true);
  header[4] = FRAME_KINDS.indexOf(kind);
  checkPayload(kind, payload.length, payload[0] ?? -1);
  return header;
}

/** Header and payload in one. @throws PydeError `net.frame` */
export function encodeFrame({ kind, payload }: Frame): Uint8Array {
  const header = encodeFrameHeader(kind, payload);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  frame.set(header);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/**
 * What the first six bytes of a frame say, held against `allowed` and the table of sizes.
 * @throws PydeError `net.frame` with `details.oversized` true where only the length is wrong
 */
export function decodeFrameHeader(peek: Uint8Array, allowed: ReadonlySet<FrameKind>): FrameHeader {
  const number = peek[4] ?? -1;
  const kind = FRAME_KINDS[number];
  if (kind === undefined || peek.length < FRAME_PEEK_BYTES) {
    throw netError('net.frame', `a frame's kind is 0 to ${FRAME_KINDS.length - 1}`, {
      kind: number,
    });
  }
  if (!allowed.has(kind)) {
    throw netError('net.frame', `a frame ${kind} is not expected now`, { kind });
  }
  const length = new DataView(peek.buffer, peek.byteOffset).getUint32(0, true);
  checkPayload(kind, length, peek[FRAME_HEADER_BYTES] ?? -1);
  return { kind, length };
}

/** @param first byte of the payload; -1 when it has none */
function checkPayload(kind: FrameKind, length: number, first: number): void {
  const [least, most] = kind === 'message' ? [1, messageLimit(first)] : PAYLOAD_BYTES[kind];
  if (length >= least && length <= most) return;
  throw netError('net.frame', `a frame ${kind} has ${least} to ${most} bytes, not ${length}`, {
    kind,
    bytes: length,
    most,
    oversized: length > most,
  });
}

function messageLimit(tag: number): number {
  const most = maxMessageBytes(tag);
  if (most !== undefined) return most;
  throw netError('net.frame', 'a frame message starts with the tag of its kind', { tag });
}

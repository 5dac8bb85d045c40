/**
 * What nodes of one network send each other: one byte that says what it is, then its bytes
 * (docs/protocol/consensus.md, "Messages"). The numbers are fixed. Size is checked here, before
 * anything is read; the layout behind each tag belongs to the file that reads it.
 */
import { concatBytes } from '../bytes/index.ts';
import { MAX_BATCH_BYTES, MAX_VERTEX_BYTES } from '../types/index.ts';
import { consensusError } from './error.ts';

/** In the order of their tags. */
const KINDS = [
  'vertex',
  'batch',
  'want-vertices',
  'want-batches',
  'want-accepted',
  'accepted',
  'want-rounds',
  'rounds',
  'want-newest',
  'newest',
  'want-waves',
  'waves',
  'want-closing',
  'closing',
  'transaction',
] as const;

export type MessageKind = (typeof KINDS)[number];

export interface Message {
  readonly kind: MessageKind;
  readonly bytes: Uint8Array;
}

/** Its tag comes first. */
export const TAG_BYTES = 1;

/** No message has more bytes, its tag included: a batch, or as much of an answer. */
export const MAX_MESSAGE_BYTES = MAX_BATCH_BYTES + 1;

/** Of those that are never large; the others may fill a message. */
const MAX_BYTES: Readonly<Partial<Record<MessageKind, number>>> = {
  vertex: MAX_VERTEX_BYTES,
  'want-vertices': 16 * 1024,
  'want-batches': 16 * 1024,
  'want-accepted': 16 * 1024,
  accepted: 16 * 1024,
  'want-rounds': 64,
  'want-newest': 64,
  'want-waves': 64,
  'want-closing': 64,
  closing: 128 * 1024,
};

export const frameMessage = (kind: MessageKind, bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(KINDS.indexOf(kind)), bytes);

/** What a message says that it is; undefined for no kind. */
export const messageKind = (message: Uint8Array): MessageKind | undefined =>
  KINDS[message[0] ?? KINDS.length];

/** Most bytes of a message with this tag, the tag included; undefined for no kind. */
export function maxMessageBytes(tag: number): number | undefined {
  const kind = KINDS[tag];
  if (kind === undefined) return undefined;
  return TAG_BYTES + (MAX_BYTES[kind] ?? MAX_MESSAGE_BYTES - TAG_BYTES);
}

/**
 * The kind and a view of the bytes.
 * @throws PydeError `consensus.message` for an unknown kind or too many bytes
 */
export function openMessage(message: Uint8Array): Message {
  const kind = messageKind(message);
  if (kind === undefined) {
    throw consensusError(
      'consensus.message',
      `a message starts with its kind, 0 to ${KINDS.length - 1}`,
      { bytes: message.length },
    );
  }
  const bytes = message.subarray(1);
  const most = MAX_BYTES[kind] ?? MAX_MESSAGE_BYTES - 1;
  if (bytes.length > most) {
    throw consensusError('consensus.message', `a message ${kind} has at most ${most} bytes`, {
      bytes: bytes.length,
    });
  }
  return { kind, bytes };
}

/** Is it of this kind, by its tag? */
export const isMessageOf = (kind: MessageKind, message: Uint8Array): boolean =>
  messageKind(message) === kind;

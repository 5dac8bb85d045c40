/** What committee members send each other: one byte that says what it is, then its bytes. */
import { concatBytes, PydeError } from '../bytes/index.ts';

export type ConsensusMessageKind = 'vertex' | 'batch';

export interface ConsensusMessage {
  readonly kind: ConsensusMessageKind;
  readonly bytes: Uint8Array;
}

const TAGS: readonly ConsensusMessageKind[] = ['vertex', 'batch'];

export const frameMessage = (kind: ConsensusMessageKind, bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(TAGS.indexOf(kind)), bytes);

/** The kind and a view of the bytes. @throws PydeError `consensus.message` for an unknown kind */
export function openMessage(message: Uint8Array): ConsensusMessage {
  const kind = TAGS[message[0] ?? TAGS.length];
  if (kind === undefined) {
    throw new PydeError('consensus.message', 'a message starts with 0 (vertex) or 1 (batch)', {
      bytes: message.length,
    });
  }
  return { kind, bytes: message.subarray(1) };
}

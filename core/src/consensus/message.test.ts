import { describe, expect, it } from 'vitest';
import { MAX_BATCH_BYTES, MAX_VERTEX_BYTES } from '../types/index.ts';
import { frameMessage, MAX_MESSAGE_BYTES, type MessageKind, openMessage } from './message.ts';

/** Tags never change: nodes of other versions read them. */
const TAGS: readonly (readonly [number, MessageKind])[] = [
  [0, 'vertex'],
  [1, 'batch'],
  [2, 'want-vertices'],
  [3, 'want-batches'],
  [4, 'want-accepted'],
  [5, 'accepted'],
  [6, 'want-rounds'],
  [7, 'rounds'],
  [8, 'want-newest'],
  [9, 'newest'],
  [10, 'want-waves'],
  [11, 'waves'],
  [12, 'want-closing'],
  [13, 'closing'],
  [14, 'transaction'],
];
const refusal = expect.objectContaining({ code: 'consensus.message' });

describe('a message', () => {
  it('comes out as it went in, behind a tag that is fixed', () => {
    for (const [tag, kind] of TAGS) {
      const message = frameMessage(kind, Uint8Array.of(1, 2));
      expect(message).toEqual(Uint8Array.of(tag, 1, 2));
      expect(openMessage(message)).toEqual({ kind, bytes: Uint8Array.of(1, 2) });
    }
  });

  it('of an unknown kind or of no bytes is refused', () => {
    for (const bytes of [Uint8Array.of(), Uint8Array.of(TAGS.length, 1), Uint8Array.of(255)]) {
      expect(() => openMessage(bytes)).toThrow(refusal);
    }
  });

  it('with more bytes than its kind may have is refused', () => {
    const sized = (kind: MessageKind, bytes: number) => () =>
      openMessage(frameMessage(kind, new Uint8Array(bytes)));
    expect(sized('vertex', MAX_VERTEX_BYTES)).not.toThrow();
    expect(sized('vertex', MAX_VERTEX_BYTES + 1)).toThrow(refusal);
    expect(sized('batch', MAX_BATCH_BYTES)).not.toThrow();
    for (const [, kind] of TAGS) expect(sized(kind, MAX_MESSAGE_BYTES)).toThrow(refusal);
  });
});

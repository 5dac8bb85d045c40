import { describe, expect, it } from 'vitest';
import { frameMessage, openMessage } from './message.ts';

describe('a message', () => {
  it('comes out as it went in', () => {
    for (const kind of ['vertex', 'batch'] as const) {
      expect(openMessage(frameMessage(kind, Uint8Array.of(1, 2)))).toEqual({
        kind,
        bytes: Uint8Array.of(1, 2),
      });
    }
  });

  it('of an unknown kind or of no bytes is refused', () => {
    for (const bytes of [Uint8Array.of(), Uint8Array.of(2, 1)]) {
      expect(() => openMessage(bytes)).toThrow(
        expect.objectContaining({ code: 'consensus.message' }),
      );
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBatchHash, toMemberIndex, toRound } from '../types/index.ts';
import {
  decodeHashes,
  decodeRefs,
  decodeRounds,
  decodeWantRounds,
  encodeHashes,
  encodeRefs,
  encodeRounds,
  encodeWantRounds,
  MAX_NAMES_PER_MESSAGE,
  MAX_ROUNDS_PER_REQUEST,
} from './fetch-message.ts';
import { frameMessage, openMessage } from './message.ts';
import { nameOf } from './testing.ts';

const ref = fc.record({
  round: fc.nat().map(toRound),
  author: fc.nat(0xffff).map(toMemberIndex),
  name: fc.nat(9).map((i) => nameOf(`${i}`)),
});

describe('messages that fetch', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.array(ref),
        fc.array(fc.uint8Array()),
        fc.boolean(),
        (refs, vertices, complete) => {
          expect(decodeRefs(encodeRefs(refs))).toEqual(refs);
          const hashes = refs.map(({ name }) => toBatchHash(name));
          expect(decodeHashes(encodeHashes(hashes))).toEqual(hashes);
          expect(decodeRounds(encodeRounds({ complete, vertices }))).toEqual({
            complete,
            vertices,
          });
        },
      ),
    );
    const want = { fromRound: 7, fromAuthor: 3, toRound: 7 + MAX_ROUNDS_PER_REQUEST - 1 };
    expect(decodeWantRounds(encodeWantRounds(want))).toEqual(want);
  });

  it('have bounds that fit into their frames', () => {
    const refs = Array.from({ length: MAX_NAMES_PER_MESSAGE }, () => ({
      round: toRound(1),
      author: toMemberIndex(1),
      name: nameOf('x'),
    }));
    const { bytes } = openMessage(frameMessage('want-vertices', encodeRefs(refs)));
    expect(decodeRefs(bytes).length).toBe(MAX_NAMES_PER_MESSAGE);
    expect(() => decodeRefs(encodeRefs([...refs, ...refs]))).toThrow(/borsh|at most|count/i);
    for (const [fromRound, to] of [
      [5, 4],
      [5, 5 + MAX_ROUNDS_PER_REQUEST],
    ] as const) {
      const bytes = encodeWantRounds({ fromRound, fromAuthor: 0, toRound: to });
      expect(() => decodeWantRounds(bytes)).toThrow(/rounds/);
    }
  });
});

/** Asks for everything, again and again, and sends batches that nobody refers to. */
import {
  encodeRefs,
  encodeWantClosing,
  encodeWantNewest,
  encodeWantRounds,
  frameMessage,
  MAX_NAMES_PER_MESSAGE,
  MAX_ROUNDS_PER_REQUEST,
} from '../../consensus/index.ts';
import { toEpoch, toHash, toMemberIndex, toRound } from '../../types/index.ts';
import type { Behaviour, Outgoing, Stage } from './behaviour.ts';
import { inventedName, others } from './forgery.ts';

const EVERY_MS = 50;
const AT_ONCE = 8;
const BATCH_BYTES = 4_096;

export const flood = (): Behaviour => {
  let nextMs = 0;
  return {
    act(stage) {
      if (stage.nowMs < nextMs) return [];
      nextMs = stage.nowMs + EVERY_MS;
      const to = stage.prng.pick(others(stage));
      return Array.from({ length: AT_ONCE }, (): Outgoing => ({ to, message: wish(stage) }));
    },
  };
};

function wish(stage: Stage): Uint8Array {
  const { prng, members, highestRound } = stage;
  const round = Math.max(1, highestRound - prng.below(200));
  switch (prng.below(7)) {
    case 0:
    case 1: {
      const known = stage.heard.round(stage.newest?.epoch ?? 0, round)[0]?.name;
      const refs = Array.from({ length: MAX_NAMES_PER_MESSAGE }, () => ({
        round: toRound(round),
        author: toMemberIndex(prng.below(members)),
        name: known ?? inventedName(stage),
      }));
      return frameMessage(
        prng.chance(500_000) ? 'want-vertices' : 'want-accepted',
        encodeRefs(refs),
      );
    }
    case 2:
      return frameMessage(
        'want-rounds',
        encodeWantRounds({
          fromRound: round,
          fromAuthor: 0,
          toRound: round + MAX_ROUNDS_PER_REQUEST - 1,
        }),
      );
    case 3: {
      const nonce = toHash(prng.bytes(32));
      return frameMessage('want-newest', encodeWantNewest({ nonce, storeId: nonce }));
    }
    case 4:
      return frameMessage('want-closing', encodeWantClosing(toEpoch(prng.below(4))));
    case 5:
      return frameMessage('batch', prng.bytes(BATCH_BYTES));
    default:
      return frameMessage('transaction', prng.bytes(300));
  }
}

/**
 * Lies in its answers: about its own store and newest vertex, about others', about what it
 * accepted, about which rounds and waves there are.
 */
import { isPydeError } from '../../bytes/index.ts';
import {
  decodeNewest,
  decodeRefs,
  decodeRounds,
  encodeNewest,
  encodeRefs,
  encodeRounds,
  frameMessage,
  newestDigest,
  openMessage,
} from '../../consensus/index.ts';
import { toAddress, toValidatorIndex } from '../../types/index.ts';
import type { Behaviour, Outgoing, Stage } from './behaviour.ts';

const SO_OFTEN = 700_000;

export const lies = (): Behaviour => {
  let asked: Outgoing[] = [];
  /** Newest vertices of long ago. */
  let oldOwn: Uint8Array | undefined;
  return {
    hear(event, stage) {
      if (event.kind !== 'message') return true;
      const vouched = vouchForAll(event.bytes);
      if (vouched === undefined || !stage.prng.chance(SO_OFTEN)) return true;
      asked.push({ to: toValidatorIndex(event.from), message: vouched });
      return false;
    },
    send(out, stage) {
      if (out.to === undefined || !stage.prng.chance(SO_OFTEN)) return [out];
      const { kind, bytes } = openMessage(out.message);
      switch (kind) {
        case 'newest': {
          oldOwn ??= decodeNewest(bytes).own;
          return [{ ...out, message: lieAboutNewest(bytes, out.to, oldOwn, stage) }];
        }
        case 'rounds': {
          const { vertices } = decodeRounds(bytes);
          const some = vertices.filter(() => stage.prng.chance(500_000));
          const complete = stage.prng.chance(700_000);
          const message = frameMessage('rounds', encodeRounds({ complete, vertices: some }));
          return [{ ...out, message }];
        }
        case 'accepted':
          return [];
        case 'waves':
        case 'closing': {
          const bent = out.message.slice();
          const at = 1 + stage.prng.below(Math.min(bent.length - 1, 1_000_000));
          bent[at] = (bent[at] ?? 0) ^ (1 + stage.prng.below(255));
          return stage.prng.chance(300_000) ? [] : [{ ...out, message: bent }];
        }
        default:
          return [out];
      }
    },
    act() {
      const answers = asked;
      asked = [];
      return answers;
    },
  };
};

/** The answer that it accepted everything, for whoever asks what it accepted. */
function vouchForAll(message: Uint8Array): Uint8Array | undefined {
  try {
    const { kind, bytes } = openMessage(message);
    return kind === 'want-accepted'
      ? frameMessage('accepted', encodeRefs(decodeRefs(bytes)))
      : undefined;
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
}

function lieAboutNewest(
  bytes: Uint8Array,
  to: number,
  oldOwn: Uint8Array | undefined,
  stage: Stage,
): Uint8Array {
  const { prng } = stage;
  const newest = decodeNewest(bytes);
  const asker = stage.address(to);
  if (asker === undefined) return frameMessage('newest', bytes);
  const changed = {
    ...newest,
    standing: prng.pick(['new', 'whole', 'lost'] as const) ?? newest.standing,
    otherStore: prng.chance(500_000),
    own: prng.pick([newest.own, oldOwn, undefined]),
    yours: prng.chance(500_000) ? undefined : newest.yours,
  };
  const digest = newestDigest(stage.chainId, toAddress(asker), changed);
  return frameMessage('newest', encodeNewest({ ...changed, signature: stage.signer.sign(digest) }));
}

/** What nodes send each other about the wave that closes an epoch. */
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { toEpoch, toFalconSignature, toHash } from '../../types/index.ts';
import {
  decodeClosing,
  decodeWantClosing,
  encodeClosing,
  encodeWantClosing,
} from '../closing-message.ts';
import { GENESIS_RECORD } from '../testing.ts';

const hash = (fill: number) => toHash(new Uint8Array(32).fill(fill));
const signature = toFalconSignature(new Uint8Array(666).fill(0x39));
const record = { ...GENESIS_RECORD, nextBeacon: hash(3), nextCommitteeHash: hash(4) };

export const closingTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'question for a closing certificate',
    seeds: [encodeWantClosing(toEpoch(0)), encodeWantClosing(toEpoch(2 ** 40 + 7))],
    decode: decodeWantClosing,
    encode: encodeWantClosing,
  }),
  bytesTarget({
    name: 'closing certificate',
    seeds: [
      encodeClosing({ record, signers: Uint8Array.of(1), signatures: [signature] }),
      encodeClosing({ record, signers: Uint8Array.of(6), signatures: [signature, signature] }),
    ],
    layout: decodeClosing,
    decode: decodeClosing,
    encode: encodeClosing,
  }),
];

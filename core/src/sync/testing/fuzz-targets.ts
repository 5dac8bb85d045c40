/** Questions for executed waves and for whatever else anybody may ask, and answers. */
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { executeGenesis, FEE_STATE_KEY } from '../../execution/index.ts';
import { MemoryStore } from '../../platform/index.ts';
import { StateStore } from '../../state/index.ts';
import { toEpoch, toValidatorIndex } from '../../types/index.ts';
import { EPOCH_STATE_KEY } from '../../validators/index.ts';
import {
  decodeCertAnswer,
  decodeCertQuestion,
  decodeEpochAnswer,
  decodeEpochQuestion,
  decodeHeadAnswer,
  decodeProofAnswer,
  decodeProofQuestion,
  encodeCertAnswer,
  encodeCertQuestion,
  encodeEpochAnswer,
  encodeEpochQuestion,
  encodeHeadAnswer,
  encodeProofAnswer,
  encodeProofQuestion,
} from '../requests.ts';
import { certOf, fourMembers } from '../testing.ts';
import { decodeWantWaves, decodeWaves, encodeWantWaves, encodeWaves } from '../wave-messages.ts';

const store = new MemoryStore();
const { record } = executeGenesis({ state: StateStore.open(store), store }, fourMembers);
const members = fourMembers.validators.map(({ publicKey }, i) => ({
  index: toValidatorIndex(i),
  publicKey,
}));
const want = { mode: 'records' as const, wave: 7n, index: 0 };

export const syncTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'question for waves',
    seeds: [encodeWantWaves(want), encodeWantWaves({ mode: 'transactions', wave: 1n, index: 9 })],
    layout: decodeWantWaves,
    decode: decodeWantWaves,
    encode: encodeWantWaves,
  }),
  bytesTarget({
    name: 'answer with waves',
    seeds: [
      encodeWaves({ ...want, parts: [], cert: undefined }),
      encodeWaves({ ...want, parts: [{ record, transactions: [] }], cert: certOf(record) }),
      encodeWaves({
        mode: 'transactions',
        wave: 1n,
        index: 3,
        parts: [{ record, transactions: [new Uint8Array(120), new Uint8Array(0)] }],
        cert: undefined,
      }),
    ],
    layout: decodeWaves,
    decode: decodeWaves,
    encode: encodeWaves,
    share: 0.5,
  }),
  bytesTarget({
    name: 'answer with the head',
    seeds: [
      encodeHeadAnswer({ head: 9n, oldestWave: 0n, oldestState: 3n, cert: undefined }),
      encodeHeadAnswer({ head: 9n, oldestWave: 0n, oldestState: 3n, cert: certOf(record) }),
    ],
    decode: decodeHeadAnswer,
    encode: encodeHeadAnswer,
    share: 0.5,
  }),
  bytesTarget({
    name: 'question for a certificate',
    seeds: [encodeCertQuestion(7n)],
    decode: decodeCertQuestion,
    encode: encodeCertQuestion,
  }),
  bytesTarget({
    name: 'answer with a certificate',
    seeds: [encodeCertAnswer({ records: [record, record], cert: certOf(record) })],
    decode: decodeCertAnswer,
    encode: encodeCertAnswer,
    share: 0.5,
  }),
  bytesTarget({
    name: 'question for an epoch',
    seeds: [encodeEpochQuestion(toEpoch(3))],
    decode: decodeEpochQuestion,
    encode: encodeEpochQuestion,
  }),
  bytesTarget({
    name: 'answer with an epoch',
    seeds: [encodeEpochAnswer({ closing: certOf(record), members })],
    decode: decodeEpochAnswer,
    encode: encodeEpochAnswer,
    share: 0.5,
  }),
  bytesTarget({
    name: 'question for proofs',
    seeds: [encodeProofQuestion({ wave: 3n, keys: [FEE_STATE_KEY, EPOCH_STATE_KEY] })],
    decode: decodeProofQuestion,
    encode: encodeProofQuestion,
  }),
  bytesTarget({
    name: 'answer with proofs',
    seeds: [
      encodeProofAnswer({
        wave: 3n,
        entries: [
          { value: new Uint8Array(40), proof: { end: { kind: 'present' }, siblings: [] } },
          { value: undefined, proof: { end: { kind: 'empty' }, siblings: [] } },
        ],
      }),
    ],
    decode: decodeProofAnswer,
    encode: encodeProofAnswer,
    share: 0.5,
  }),
];

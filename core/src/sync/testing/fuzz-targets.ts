/** Questions for executed waves, and answers. */
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { executeGenesis } from '../../execution/index.ts';
import { MemoryStore } from '../../platform/index.ts';
import { StateStore } from '../../state/index.ts';
import { certOf, fourMembers } from '../testing.ts';
import { decodeWantWaves, decodeWaves, encodeWantWaves, encodeWaves } from '../wave-messages.ts';

const store = new MemoryStore();
const { record } = executeGenesis({ state: StateStore.open(store), store }, fourMembers);
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
];

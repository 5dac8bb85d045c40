/** What members send each other in recovery. */
import { concatBytes, decodeExactly, encode } from '../../bytes/index.ts';
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { MemoryStore } from '../../platform/index.ts';
import { TABLE, Table } from '../../state/index.ts';
import { toEpoch, toFalconSignature, toHash } from '../../types/index.ts';
import {
  decodeNewest,
  decodeWantNewest,
  encodeNewest,
  encodeWantNewest,
  STANDINGS,
} from '../newest-message.ts';
import { StandingRecords } from '../standing-records.ts';

const hash = (fill: number) => toHash(new Uint8Array(32).fill(fill));
const signature = toFalconSignature(new Uint8Array(666).fill(0x39));
const newest = {
  nonce: hash(1),
  epoch: toEpoch(2),
  standing: 'whole' as const,
  otherStore: false,
  own: new Uint8Array(9).fill(4),
  yours: undefined,
  signature,
};
const STORE = new TextEncoder().encode('store');

export const recoveryTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'question for the newest vertex',
    seeds: [encodeWantNewest({ nonce: hash(1), storeId: hash(2) })],
    decode: decodeWantNewest,
    encode: encodeWantNewest,
  }),
  bytesTarget({
    name: 'answer with the newest vertex',
    seeds: [
      encodeNewest(newest),
      encodeNewest({ ...newest, own: undefined, yours: new Uint8Array(1), standing: 'lost' }),
    ],
    layout: decodeNewest,
    decode: decodeNewest,
    encode: encodeNewest,
  }),
  bytesTarget({
    name: 'record of the store',
    seeds: [concatBytes(Uint8Array.of(1), hash(5))],
    layout: (bytes) => decodeExactly(bytes, (r) => [r.tag(3, 'standing'), r.fixed(32)]),
    decode: async (bytes) => {
      const store = new MemoryStore();
      await store.batch([new Table(store, TABLE.consensus).put(STORE, bytes)]);
      return new StandingRecords(store).store();
    },
    encode: (record) =>
      record === undefined
        ? new Uint8Array(0)
        : encode((w) => w.u8(STANDINGS.indexOf(record.standing)).fixed(record.id)),
    bound: (length) => ({ largest: (4 << 20) + 4 * length, total: (32 << 20) + 64 * length }),
    share: 0.3,
  }),
];

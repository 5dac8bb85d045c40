import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { publicKeyOf } from '../tx/testing.ts';
import { toHash, toValidatorIndex } from '../types/index.ts';
import { decodePeerExchange, encodePeerExchange, MAX_EXCHANGED } from './peer-exchange.ts';
import {
  decodePeerRecord,
  encodePeerRecord,
  isNewerRecord,
  MAX_PEER_RECORD_BYTES,
  type PeerRecord,
  signPeerRecord,
  verifyPeerRecord,
} from './peer-record.ts';
import { GENESIS_HASH, peerIdOf, recordOf, signAs, verify } from './testing.ts';

const record = recordOf(1, 5n);
const holds = (r: PeerRecord, key = 1, genesis = GENESIS_HASH): boolean =>
  verifyPeerRecord(genesis, r, publicKeyOf(key), verify);
const refused = (error: unknown): boolean => isPydeError(error, 'net.record');

describe('peer records', () => {
  it('say where a validator is reached, by its own word', () => {
    expect(holds(record)).toBe(true);
    expect(decodePeerRecord(encodePeerRecord(record))).toEqual(record);
  });

  it.each<[string, PeerRecord]>([
    ['another validator', { ...record, validator: toValidatorIndex(2) }],
    ['a later sequence', { ...record, sequence: 6n }],
    [
      'another address',
      { ...record, ends: [{ peerId: peerIdOf(1), addresses: ['/ip4/9.9.9.9/tcp/1'] }] },
    ],
    [
      'another peer',
      { ...record, ends: [{ ...record.ends[0], peerId: peerIdOf(2), addresses: [] }] },
    ],
  ])('hold for nothing else: %s', (_what, changed) => {
    expect(holds(changed)).toBe(false);
  });

  it('hold for no other key and no other chain', () => {
    expect(holds(record, 2)).toBe(false);
    expect(holds(record, 1, toHash(new Uint8Array(32)))).toBe(false);
  });

  it('replace older ones only', () => {
    expect(isNewerRecord(record, undefined)).toBe(true);
    expect(isNewerRecord(recordOf(1, 6n), record)).toBe(true);
    expect(isNewerRecord(recordOf(1, 5n), record)).toBe(false);
    expect(isNewerRecord(recordOf(1, 4n), record)).toBe(false);
  });

  it('name one to four peers and one to eight addresses', () => {
    const end = (i: number, count: number) => ({
      peerId: peerIdOf(i),
      addresses: Array.from({ length: count }, (_, n) => `/ip4/192.0.2.1/tcp/${n + 1}`),
    });
    const withEnds = (...ends: ReturnType<typeof end>[]) => recordOf(1, 1n, { ends });
    expect(() => withEnds(end(1, 4), end(2, 4))).not.toThrow();
    expect(() => withEnds()).toThrow(expect.toSatisfy(refused));
    expect(() => withEnds(end(1, 0))).toThrow(expect.toSatisfy(refused));
    expect(() => withEnds(end(1, 5), end(2, 4))).toThrow(expect.toSatisfy(refused));
    expect(() => withEnds(end(1, 1), end(1, 1))).toThrow(expect.toSatisfy(refused));
    expect(() => withEnds(...[1, 2, 3, 4, 5].map((i) => end(i, 1)))).toThrow(
      expect.toSatisfy(refused),
    );
  });

  it('have no more bytes than they say, which all may be used', () => {
    const long = '/dns4/'.padEnd(256, 'a');
    const ends = [0, 1, 2, 3].map((i) => ({
      peerId: peerIdOf(i).padEnd(64, '1'),
      addresses: [`${long.slice(0, 255)}1`, `${long.slice(0, 255)}2`],
    }));
    const largest = signPeerRecord(
      GENESIS_HASH,
      { validator: toValidatorIndex(1), ends, sequence: 1n },
      signAs(1),
    );
    const bytes = encodePeerRecord(largest);
    expect(bytes.length).toBe(MAX_PEER_RECORD_BYTES);
    expect(holds(decodePeerRecord(bytes))).toBe(true);
    expect(() => decodePeerRecord(new Uint8Array(MAX_PEER_RECORD_BYTES + 1))).toThrow(
      expect.toSatisfy(refused),
    );
  });
});

describe('an exchange', () => {
  it('names at most 64 together', () => {
    const peers = Array.from({ length: MAX_EXCHANGED }, (_, i) => ({
      peerId: peerIdOf(i),
      addresses: ['/ip4/192.0.2.1/tcp/1'],
    }));
    const full = encodePeerExchange({ records: [], peers });
    expect(decodePeerExchange(full).peers).toEqual(peers);
    const above = encodePeerExchange({ records: [record], peers });
    expect(() => decodePeerExchange(above)).toThrow(
      expect.toSatisfy((error: unknown) => isPydeError(error, 'net.exchange')),
    );
  });
});

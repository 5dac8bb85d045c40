import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { SeededRandom } from '../bytes/testing/random.ts';
import { toValidatorIndex } from '../types/index.ts';
import { backoffMs, LONGEST_BACKOFF_MS } from './dial-backoff.ts';
import { type DialWish, PeerBook, type PeerBookOptions } from './peer-book.ts';
import { peerIdOf, recordOf } from './testing.ts';

const MINUTE = 60_000;
const bookOf = (options: Partial<PeerBookOptions> = {}) =>
  new PeerBook({ random: new SeededRandom('peer book'), ...options });
const at = (i: number, port = 9_000): string =>
  `/ip4/198.51.${Math.floor(i / 250)}.${(i % 250) + 1}/tcp/${port}`;
const wishAt = (nowMs: number, changes: Partial<DialWish> = {}): DialWish => ({
  nowMs,
  most: 10_000,
  isConnected: () => false,
  isMissing: () => false,
  ...changes,
});
const keys = (book: PeerBook, wish: DialWish): string[] =>
  book.nextToDial(wish).map(({ key }) => key);

describe('a book of peers', () => {
  it('takes addresses of peers, and of peers whose name is not known yet', () => {
    const book = bookOf();
    const [a, b] = [peerIdOf(1), peerIdOf(2)];
    expect(book.add({ peerId: a, addresses: [at(1), `${at(1, 1)}/p2p/${a}`], source: 'dns' })).toBe(
      2,
    );
    expect(book.add({ addresses: [at(3), `${at(2)}/p2p/${b}`], source: 'seed' })).toBe(2);
    expect(book.addressesOf(a)).toEqual([at(1), at(1, 1)]);
    expect(book.addressesOf(b)).toEqual([at(2)]);
    expect(book.nextToDial(wishAt(0))).toContainEqual({
      key: at(3),
      peerId: undefined,
      addresses: [at(3)],
      validator: undefined,
    });
  });

  it('leaves out what is ill-formed, is of another peer, or is ourselves', () => {
    const book = bookOf({ ownPeerId: peerIdOf(9) });
    const addresses = ['', 'ip4/1', '/ip4', '/ip4/ 1/tcp/1', `/dns4/${'a'.repeat(260)}`, '/é/x'];
    expect(book.add({ peerId: peerIdOf(1), addresses, source: 'seed' })).toBe(0);
    const other = [`${at(1)}/p2p/${peerIdOf(2)}`];
    expect(book.add({ peerId: peerIdOf(1), addresses: other, source: 'seed' })).toBe(0);
    expect(book.add({ peerId: peerIdOf(9), addresses: [at(1)], source: 'seed' })).toBe(0);
    expect(book.add({ peerId: 'nobody!', addresses: [at(1)], source: 'seed' })).toBe(0);
    expect(book.size).toBe(0);
  });

  it('lets no peer send us to the doors of our own network, unless it is a localnet', () => {
    const addresses = ['/ip4/127.0.0.1/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip6/::1/tcp/1', at(1)];
    const told = { peerId: peerIdOf(1), addresses, source: 'exchange' as const, from: peerIdOf(2) };
    expect(bookOf().add(told)).toBe(1);
    expect(bookOf({ takeLocal: true }).add(told)).toBe(4);
    expect(bookOf().add({ ...told, source: 'seed' })).toBe(4);
  });

  it('holds eight addresses of a peer, four of them by the word of others', () => {
    const book = bookOf();
    const peerId = peerIdOf(1);
    const many = (first: number) => Array.from({ length: 12 }, (_, i) => at(1, first + i));
    expect(book.add({ peerId, addresses: many(100), source: 'exchange', from: peerIdOf(2) })).toBe(
      4,
    );
    expect(book.add({ peerId, addresses: many(200).slice(0, 8), source: 'connected' })).toBe(8);
    expect(book.addressesOf(peerId)).toEqual(many(200).slice(0, 8));
    expect(book.add({ peerId, addresses: many(300), source: 'exchange', from: peerIdOf(3) })).toBe(
      0,
    );
  });

  it('cannot be filled by one peer, nor flushed by many', () => {
    const book = bookOf({ maxPeers: 200 });
    book.add({ addresses: [at(0)], source: 'seed' });
    book.add({ peerId: peerIdOf(1), addresses: [at(1)], source: 'connected' });
    let told = 0;
    for (let i = 0; i < 500; i++) {
      const news = { peerId: peerIdOf(1_000 + i), addresses: [at(i)], source: 'exchange' as const };
      told += book.add({ ...news, from: peerIdOf(2) });
    }
    expect(told).toBe(64);
    for (let i = 0; i < 5_000; i++) {
      const news = { peerId: peerIdOf(2_000 + i), addresses: [at(i)], source: 'exchange' as const };
      book.add({ ...news, from: peerIdOf(100 + (i % 90)) });
    }
    expect(book.size).toBe(200);
    expect(book.addressesOf(peerIdOf(1))).toEqual([at(1)]);
    expect(book.addressesOf(peerIdOf(1_000))).toEqual([at(0)]);
    expect(keys(book, wishAt(0))[0]).toBe(at(0));
    // A better source takes the place of one that others only told of.
    expect(book.add({ peerId: peerIdOf(9_999), addresses: [at(7)], source: 'dns' })).toBe(1);
    expect(book.size).toBe(200);
  });

  it('forgets one that others told of and nobody reached, and lets them tell of others again', () => {
    const book = bookOf();
    const told = (i: number) =>
      book.add({
        peerId: peerIdOf(100 + i),
        addresses: [at(i)],
        source: 'exchange',
        from: peerIdOf(2),
      });
    for (let i = 0; i < 64; i++) told(i);
    expect(told(64)).toBe(0);
    for (let i = 0; i < 6; i++) book.failed(peerIdOf(100), i);
    expect(book.size).toBe(63);
    expect(told(65)).toBe(1);
  });
});

describe('dialling', () => {
  it('waits longer after every failure: 1 s, doubling, never above 30 min', () => {
    const random = new SeededRandom('backoff');
    for (let failures = 1; failures <= 40; failures++) {
      for (let i = 0; i < 20; i++) {
        const ms = backoffMs(failures, random);
        const base = Math.min(1_000 * 2 ** (failures - 1), 24 * MINUTE);
        expect(ms).toBeGreaterThanOrEqual(base);
        expect(ms).toBeLessThanOrEqual(Math.min(base * 1.25, LONGEST_BACKOFF_MS));
      }
    }
  });

  it('has jitter, so that those who were cut off together do not come back together', () => {
    const random = new SeededRandom('jitter');
    expect(new Set(Array.from({ length: 20 }, () => backoffMs(5, random))).size).toBeGreaterThan(
      15,
    );
  });

  it('is not repeated while it lasts, nor before its time', () => {
    const book = bookOf();
    const peerId = peerIdOf(1);
    book.add({ peerId, addresses: [at(1)], source: 'seed' });
    expect(keys(book, wishAt(0))).toEqual([peerId]);
    expect(keys(book, wishAt(10))).toEqual([]);
    book.failed(peerId, 100);
    expect(keys(book, wishAt(1_099))).toEqual([]);
    const due = book.nextDialMs(wishAt(100)) ?? 0;
    expect(due).toBeGreaterThanOrEqual(1_100);
    expect(due).toBeLessThanOrEqual(1_350);
    expect(keys(book, wishAt(due))).toEqual([peerId]);
    // A dial whose end nobody reports is not waited for longer than a minute.
    expect(keys(book, wishAt(due + MINUTE))).toEqual([peerId]);
  });

  it('starts anew after a connection that lasted, and goes on counting after one that did not', () => {
    const book = bookOf();
    const peerId = peerIdOf(1);
    book.add({ peerId, addresses: [at(1)], source: 'seed' });
    const delayAfter = (lastedMs: number, startMs: number): number => {
      book.connected(peerId, startMs, at(1));
      book.disconnected(peerId, startMs + lastedMs);
      const due = book.nextDialMs(wishAt(startMs + lastedMs)) ?? Number.NaN;
      return due - startMs - lastedMs;
    };
    for (let i = 0; i < 5; i++) book.failed(peerId, 0);
    expect(delayAfter(1_000, 0)).toBeGreaterThanOrEqual(32_000);
    expect(delayAfter(2 * MINUTE, 0)).toBeLessThanOrEqual(1_250);
  });

  it('turns to missing validators first, then to seeds, then to those that were reached', () => {
    const book = bookOf();
    book.add({ peerId: peerIdOf(1), addresses: [at(1)], source: 'exchange', from: peerIdOf(8) });
    book.add({ peerId: peerIdOf(2), addresses: [at(2)], source: 'connected' });
    book.connected(peerIdOf(2), 0, at(2));
    book.disconnected(peerIdOf(2), 2 * MINUTE);
    book.add({ addresses: [at(3)], source: 'seed' });
    book.addRecord(recordOf(0, 1n));
    book.addRecord(recordOf(1, 1n));
    const wish = wishAt(10 * MINUTE, { isMissing: (validator) => validator === 1 });
    const targets = book.nextToDial(wish);
    expect(targets.map(({ peerId, validator }) => [peerId, validator])).toEqual([
      [peerIdOf(1), 1],
      [undefined, undefined],
      [peerIdOf(2), undefined],
      [peerIdOf(1), undefined],
      [peerIdOf(0), 0],
    ]);
    const only = wishAt(20 * MINUTE, { isMissing: (v) => v === 1, onlyMissing: true });
    expect(book.nextToDial(only).map(({ validator }) => validator)).toEqual([1]);
  });

  it('leaves out who is connected or refused', () => {
    const book = bookOf();
    for (const i of [1, 2, 3]) book.add({ peerId: peerIdOf(i), addresses: [at(i)], source: 'dns' });
    const wish = wishAt(0, {
      isConnected: (peerId) => peerId === peerIdOf(1),
      isRefused: (peerId) => peerId === peerIdOf(2),
    });
    expect(keys(book, wish)).toEqual([peerIdOf(3)]);
  });

  it('finds who is at an address without a name, and does not dial it while that one is there', () => {
    const book = bookOf();
    book.add({ addresses: [at(1)], source: 'seed' });
    const [target] = book.nextToDial(wishAt(0));
    book.connected(peerIdOf(1), 5, at(1), target?.key);
    const there = wishAt(5, { isConnected: (peerId) => peerId === peerIdOf(1) });
    expect(keys(book, there)).toEqual([]);
    expect(book.addressesOf(peerIdOf(1))).toEqual([at(1)]);
    book.disconnected(peerIdOf(1), 2 * MINUTE);
    expect(new Set(keys(book, wishAt(4 * MINUTE)))).toEqual(new Set([at(1), peerIdOf(1)]));
  });

  it('tries the address that worked first', () => {
    const book = bookOf();
    const peerId = peerIdOf(1);
    book.add({ peerId, addresses: [at(1), at(2), at(3)], source: 'seed' });
    book.connected(peerId, 0, `${at(3)}/p2p/${peerId}`);
    expect(book.addressesOf(peerId)).toEqual([at(3), at(1), at(2)]);
  });

  it('can be hurried', () => {
    const book = bookOf();
    book.add({ peerId: peerIdOf(1), addresses: [at(1)], source: 'seed' });
    book.failed(peerIdOf(1), 0);
    book.hurry(peerIdOf(1));
    expect(keys(book, wishAt(1))).toEqual([peerIdOf(1)]);
  });
});

describe('records in the book', () => {
  it('replace older ones with all their ends', () => {
    const book = bookOf();
    const end = (i: number) => ({ peerId: peerIdOf(i), addresses: [at(i)] });
    expect(book.addRecord(recordOf(1, 5n, { ends: [end(10), end(11)] }))).toBe(true);
    expect(book.addRecord(recordOf(1, 5n, { ends: [end(12)] }))).toBe(false);
    expect(book.addRecord(recordOf(1, 6n, { ends: [end(11), end(12)] }))).toBe(true);
    const targets = book.nextToDial(wishAt(0, { isMissing: () => true }));
    expect(targets.map(({ peerId }) => peerId)).toEqual([peerIdOf(11), peerIdOf(12)]);
    expect([10, 11, 12].map((i) => book.isValidatorEnd(peerIdOf(i)))).toEqual([false, true, true]);
    expect(book.recordOf(toValidatorIndex(1))?.sequence).toBe(6n);
  });

  it('take nothing from a peer whose name another validator uses', () => {
    const book = bookOf();
    const victim = peerIdOf(1);
    book.addRecord(recordOf(1, 1n));
    book.connected(victim, 0, at(1));
    book.proven(victim, toValidatorIndex(1));
    const addresses = Array.from({ length: 8 }, (_, i) => at(99, i + 1));
    book.addRecord(recordOf(2, 1n, { ends: [{ peerId: victim, addresses }] }));
    const targets = book.nextToDial(wishAt(0, { isMissing: (v) => v === 1 }));
    const first = targets
      .slice(0, 2)
      .map(({ validator, addresses: [address] }) => [validator, address]);
    expect(first).toEqual([
      [1, '/ip4/192.0.2.2/tcp/9000'],
      [1, at(1)],
    ]);
  });

  it('find their place in a full book', () => {
    const book = bookOf({ maxPeers: 20 });
    for (let i = 0; i < 20; i++) {
      book.add({ peerId: peerIdOf(100 + i), addresses: [at(i)], source: 'connected' });
    }
    for (let i = 0; i < 4; i++) book.addRecord(recordOf(i, 1n));
    expect(book.size).toBe(20);
    const targets = book.nextToDial(wishAt(0, { isMissing: () => true, onlyMissing: true }));
    expect(targets.map(({ validator }) => validator)).toEqual([0, 1, 2, 3]);
  });
});

describe('what is given to others', () => {
  const reach = (book: PeerBook, i: number): void => book.connected(peerIdOf(i), 0, at(i));

  it('is records first, then peers that we reached ourselves, 64 at most', () => {
    const book = bookOf();
    for (const i of [0, 1, 2]) book.addRecord(recordOf(i, 1n));
    for (let i = 100; i < 200; i++) reach(book, i);
    book.add({ peerId: peerIdOf(300), addresses: [at(3)], source: 'exchange', from: peerIdOf(9) });
    const given = book.toGive(peerIdOf(100));
    expect(given.records.map(({ validator }) => validator)).toEqual([0, 1, 2]);
    expect(given.peers).toHaveLength(61);
    const names = given.peers.map(({ peerId }) => peerId);
    expect(new Set(names).size).toBe(61);
    expect(names).not.toContain(peerIdOf(100));
    expect(names).not.toContain(peerIdOf(300));
  });

  it('never names a validator behind this sentry, nor validators without their record', () => {
    const book = bookOf({ hidden: new Set([peerIdOf(5)]) });
    for (const i of [5, 6, 7]) reach(book, i);
    book.proven(peerIdOf(6), toValidatorIndex(6));
    expect(book.toGive(peerIdOf(1)).peers.map(({ peerId }) => peerId)).toEqual([peerIdOf(7)]);
    book.addRecord(recordOf(1, 1n, { ends: [{ peerId: peerIdOf(5), addresses: [at(5)] }] }));
    expect(book.toGive(peerIdOf(1)).records).toEqual([]);
  });

  it('has our own record, though we never dial ourselves', () => {
    const book = bookOf({ ownPeerId: peerIdOf(2) });
    book.addRecord(recordOf(2, 1n));
    expect(book.toGive(peerIdOf(1)).records).toHaveLength(1);
    expect(book.nextToDial(wishAt(0, { isMissing: () => true }))).toEqual([]);
  });
});

describe('a book across restarts', () => {
  it('keeps peers and records, but no seeds and no waiting', () => {
    const book = bookOf();
    book.add({ addresses: [at(1)], source: 'seed' });
    book.add({ peerId: peerIdOf(2), addresses: [at(2)], source: 'exchange', from: peerIdOf(9) });
    book.connected(peerIdOf(3), 0, at(3));
    book.failed(peerIdOf(2), 0);
    book.addRecord(recordOf(1, 4n));
    const bytes = book.encode();
    const again = bookOf();
    again.restore(bytes, () => true);
    expect(again.encode()).toEqual(bytes);
    expect(again.addressesOf(peerIdOf(2))).toEqual([at(2)]);
    expect(again.recordOf(toValidatorIndex(1))).toEqual(book.recordOf(toValidatorIndex(1)));
    expect(again.size).toBe(3);
    expect(again.toGive(peerIdOf(9)).peers.map(({ peerId }) => peerId)).toEqual([peerIdOf(3)]);
  });

  it('believes no stored record that is not signed', () => {
    const book = bookOf();
    book.addRecord(recordOf(1, 4n));
    const again = bookOf();
    again.restore(book.encode(), () => false);
    expect(again.recordOf(toValidatorIndex(1))).toBeUndefined();
  });

  it('refuses a file of another version', () => {
    const bytes = bookOf().encode();
    bytes[0] = 9;
    expect(() => bookOf().restore(bytes, () => true)).toThrow(
      expect.toSatisfy((error: unknown) => isPydeError(error, 'net.store')),
    );
  });

  it('stays within its bounds and can be read again, whatever happens to it', () => {
    const act = fc.record({
      what: fc.constantFrom('told', 'dns', 'dial', 'failed', 'connected', 'lost', 'record'),
      who: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 150 }), (acts) => {
        const book = bookOf({ maxPeers: 12 });
        for (const [i, { what, who }] of acts.entries()) {
          const nowMs = i * 700;
          const peerId = peerIdOf(who);
          const told = { peerId, addresses: [at(who, i + 1)] };
          if (what === 'told')
            book.add({ ...told, source: 'exchange', from: peerIdOf(50 + (i % 3)) });
          else if (what === 'dns') book.add({ ...told, source: 'dns' });
          else if (what === 'dial') book.nextToDial(wishAt(nowMs, { most: 3 }));
          else if (what === 'failed') book.failed(peerId, nowMs);
          else if (what === 'connected') book.connected(peerId, nowMs, at(who));
          else if (what === 'lost') book.disconnected(peerId, nowMs);
          else book.addRecord(recordOf(who % 4, BigInt(i)));
          expect(book.size).toBeLessThanOrEqual(12);
          expect(book.addressesOf(peerId).length).toBeLessThanOrEqual(8 + 4 * 8);
        }
        const again = bookOf({ maxPeers: 12 });
        again.restore(book.encode(), () => true);
        expect(again.size).toBeLessThanOrEqual(12);
      }),
      { numRuns: 60 },
    );
  });
});

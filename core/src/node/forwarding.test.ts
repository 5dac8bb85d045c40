import { describe, expect, it } from 'vitest';
import { openMessage } from '../consensus/index.ts';
import { decodeBatch, encodeBatch, toValidatorIndex } from '../types/index.ts';
import { Forwarding, MAX_OUTGOING_PER_PEER, MAX_RELAYED_PER_PEER } from './forwarding.ts';

const peer = (i: number) => toValidatorIndex(i);
const tx = (i: number, size = 200): Uint8Array => new Uint8Array(size).fill(i % 251);

/** What the receiver of a parcel gets out of it. */
const opened = (message: Uint8Array): readonly Uint8Array[] => {
  const { kind, bytes } = openMessage(message);
  expect(kind).toBe('transaction');
  return new Forwarding().receive(peer(0), bytes).map((relayed) => relayed.bytes);
};

describe('transactions on their way to their homes', () => {
  it('leave together, in the order in which they came, by peer', () => {
    const forwarding = new Forwarding();
    forwarding.add(peer(2), tx(1));
    forwarding.add(peer(1), tx(2));
    forwarding.add(peer(2), tx(3));
    const parcels = forwarding.take();
    expect(parcels.map((parcel) => parcel.peer)).toEqual([1, 2]);
    expect(parcels.map(({ message }) => opened(message))).toEqual([[tx(2)], [tx(1), tx(3)]]);
    expect(forwarding.take()).toEqual([]);
  });

  it('are cut into messages of bounded size, a large one alone', () => {
    const forwarding = new Forwarding();
    for (const size of [200 * 1024, 100 * 1024, 1024 * 1024, 200]) {
      forwarding.add(peer(1), tx(7, size));
    }
    const sizes = forwarding.take().map(({ message }) => opened(message).map((t) => t.length));
    expect(sizes).toEqual([[200 * 1024], [100 * 1024], [1024 * 1024], [200]]);
  });

  it('do not pile up for one peer', () => {
    const forwarding = new Forwarding();
    for (let i = 0; i < MAX_OUTGOING_PER_PEER + 5; i++) forwarding.add(peer(1), tx(i));
    const sent = forwarding
      .take()
      .map(({ message }) => decodeBatch(openMessage(message).bytes).transactions.length);
    expect(sent.reduce((sum, count) => sum + count, 0)).toBe(MAX_OUTGOING_PER_PEER);
  });
});

describe('transactions that a peer forwards here', () => {
  it('have requests of their own, below those of clients', () => {
    const forwarding = new Forwarding();
    const [first, second] = forwarding.receive(
      peer(1),
      encodeBatch({ transactions: [tx(1), tx(2)] }),
    );
    expect(first?.request).toBeLessThan(0);
    expect(second?.request).not.toBe(first?.request);
    expect(forwarding.isRelayed(first?.request ?? 0)).toBe(true);
    expect(forwarding.isRelayed(0)).toBe(false);
  });

  it('are taken as far as the peer has room, and again when some are settled', () => {
    const forwarding = new Forwarding();
    const many = encodeBatch({ transactions: Array.from({ length: 300 }, (_, i) => tx(i)) });
    const first = forwarding.receive(peer(1), many);
    const second = forwarding.receive(peer(1), many);
    expect([first.length, second.length]).toEqual([300, MAX_RELAYED_PER_PEER - 300]);
    expect(forwarding.receive(peer(1), many)).toEqual([]);
    // Another peer is not kept out by it.
    expect(forwarding.receive(peer(2), many).length).toBe(300);
    for (const { request } of first) forwarding.settled(request);
    for (const { request } of first) forwarding.settled(request);
    expect(forwarding.receive(peer(1), many).length).toBe(300);
    expect(forwarding.inCheck).toBe(MAX_RELAYED_PER_PEER + 300);
  });

  it('are none when the message is rubbish', () => {
    const forwarding = new Forwarding();
    expect(forwarding.receive(peer(1), Uint8Array.of(255, 255, 255, 255, 1))).toEqual([]);
    expect(forwarding.inCheck).toBe(0);
  });
});

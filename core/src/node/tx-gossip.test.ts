/** Transactions by gossip: what is said of a message, and what goes out when. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import { encodeBatch } from '../types/index.ts';
import {
  type HeardTx,
  MAX_GOSSIP_BYTES,
  MAX_GOSSIP_TX_BYTES,
  MAX_HEARD_IN_CHECK,
  MAX_HEARD_PER_MESSAGE,
  PUBLISH_GAP_MS,
  TxGossip,
} from './tx-gossip.ts';

const tx = (i: number, length = 120): Uint8Array => new Uint8Array(length).fill(i);
const messageOf = (transactions: readonly Uint8Array[], attempt = 0): Uint8Array =>
  concatBytes(Uint8Array.of(attempt), encodeBatch({ transactions }));

function verdictOf(outcomes: readonly HeardTx[]): string | undefined {
  const gossip = new TxGossip();
  const heard = gossip.receive(7, messageOf(outcomes.map((_, i) => tx(i))));
  if ('verdict' in heard) return heard.verdict;
  let verdict: string | undefined;
  outcomes.forEach((outcome, i) => {
    expect(verdict).toBeUndefined();
    const said = gossip.settled(heard[i]?.request ?? 0, outcome);
    if (said !== undefined) expect(said.ticket).toBe(7);
    verdict = said?.verdict;
  });
  expect(gossip.inCheck).toBe(0);
  return verdict;
}

describe('a message', () => {
  it('goes on when none is wrong and one is new, and is the sender’s fault when one is wrong', () => {
    const outcome = fc.constantFrom<HeardTx>('fresh', 'stale', 'wrong');
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 20 }), (outcomes) => {
        const expected = outcomes.includes('wrong')
          ? 'reject'
          : outcomes.includes('fresh')
            ? 'accept'
            : 'ignore';
        expect(verdictOf(outcomes)).toBe(expected);
      }),
    );
  });

  it('that does not decode, is empty, or is larger than any is rejected', () => {
    const gossip = new TxGossip();
    const many = Array.from({ length: MAX_HEARD_PER_MESSAGE + 1 }, (_, i) => tx(i & 255, 1));
    const bad = [
      new Uint8Array(0),
      new Uint8Array(3),
      messageOf([]),
      messageOf(many),
      new Uint8Array(MAX_GOSSIP_BYTES + 1),
      messageOf([tx(1)]).subarray(0, 50),
    ];
    for (const bytes of bad) {
      expect(gossip.receive(1, bytes)).toEqual({ ticket: 1, verdict: 'reject' });
    }
    expect(gossip.inCheck).toBe(0);
  });

  it('for which there is no room is passed over', () => {
    const gossip = new TxGossip();
    const transactions = Array.from({ length: MAX_HEARD_PER_MESSAGE }, (_, i) => tx(i & 255, 1));
    let taken = 0;
    for (let i = 0; i < 10; i++) {
      if (!('verdict' in gossip.receive(i, messageOf(transactions, i)))) taken++;
    }
    expect(taken).toBe(MAX_HEARD_IN_CHECK / MAX_HEARD_PER_MESSAGE);
    expect(gossip.inCheck).toBeLessThanOrEqual(MAX_HEARD_IN_CHECK);
  });
});

describe('what is published', () => {
  it('is what was added, in messages that gossip carries', () => {
    const gossip = new TxGossip();
    const added = [tx(1), tx(2, 200_000), tx(3, 200_000), tx(4, MAX_GOSSIP_TX_BYTES)];
    for (const bytes of added) gossip.add(bytes, 0);
    const messages = gossip.take(0);
    for (const message of messages) expect(message.length).toBeLessThanOrEqual(MAX_GOSSIP_BYTES);
    const heard = messages.flatMap((message) => {
      const requests = new TxGossip().receive(0, message);
      return 'verdict' in requests ? [] : requests.map(({ bytes }) => bytes);
    });
    expect(heard).toEqual(added);
    expect(gossip.take(1_000)).toEqual([]);
  });

  it('is another message when it is sent again', () => {
    const gossip = new TxGossip();
    gossip.add(tx(1), 0);
    const [first] = gossip.take(0);
    gossip.add(tx(1), 1);
    const [again] = gossip.take(1_000);
    expect(again).not.toEqual(first);
  });

  it('leaves so often and no more, and says when', () => {
    const gossip = new TxGossip();
    gossip.add(tx(1), 0);
    expect(gossip.take(100)).toHaveLength(1);
    expect(gossip.dueMs).toBeUndefined();
    gossip.add(tx(2), 0);
    expect(gossip.take(100 + PUBLISH_GAP_MS - 1)).toEqual([]);
    expect(gossip.dueMs).toBe(100 + PUBLISH_GAP_MS);
    expect(gossip.take(100 + PUBLISH_GAP_MS)).toHaveLength(1);
  });

  it('is bounded between two turns', () => {
    const gossip = new TxGossip();
    for (let i = 0; i < 5_000; i++) gossip.add(tx(i & 255), 0);
    const bytes = gossip.take(0).reduce((sum, message) => sum + message.length, 0);
    expect(bytes).toBeLessThan(1_024 * 130);
  });
});

it('what was passed on is not passed on again for a while', () => {
  const gossip = new TxGossip();
  gossip.passOn('a', 0);
  expect(gossip.wasPassedOn('a', 500)).toBe(true);
  expect(gossip.wasPassedOn('a', 1_000)).toBe(false);
  for (let i = 0; i < 20_000; i++) gossip.passOn(`${i}`, 0);
  expect(gossip.wasPassedOn('a', 0)).toBe(false);
});

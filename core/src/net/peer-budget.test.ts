import { describe, expect, it } from 'vitest';
import { PeerBudget } from './peer-budget.ts';
import {
  ANSWER_BYTES,
  ANSWER_BYTES_IN_ALL,
  GOSSIP_LIMITS,
  gossipTopicId,
  REQUEST_LIMITS,
  REQUEST_PROTOCOLS,
  requestProtocolId,
} from './protocol-limits.ts';
import { peerIdOf } from './testing.ts';

const [alice, bob] = [peerIdOf(1), peerIdOf(2)];

describe('budgets of peers', () => {
  it('give anybody one head a second', () => {
    const budget = new PeerBudget(0);
    const answers = [0, 0, 500, 999, 1_000, 1_001, 2_000].map((at) =>
      budget.spend(alice, 'head', at),
    );
    expect(answers.map((answer) => answer === 'take')).toEqual([
      true,
      false,
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  it('are of each peer and each protocol apart', () => {
    const budget = new PeerBudget(0);
    while (budget.spend(alice, 'waves', 0) === 'take');
    expect(budget.spend(bob, 'waves', 0)).toBe('take');
    expect(budget.spend(alice, 'cert', 0)).toBe('take');
  });

  it('let a hurried peer wait, and call only what goes on after many refusals a flood', () => {
    const budget = new PeerBudget(0);
    let floods = 0;
    // Twice the rate for ten minutes: half of it is refused, none of it counts.
    for (let at = 0; at < 600_000; at += 500) {
      if (budget.spend(alice, 'head', at) === 'flood') floods++;
    }
    expect(floods).toBe(0);
    const burst = Array.from({ length: 100 }, () => budget.spend(bob, 'head', 0));
    expect(burst.filter((answer) => answer === 'flood').length).toBeGreaterThan(70);
  });

  it('hold a crowd of peers, but not a proven validator', () => {
    const budget = new PeerBudget(0);
    let taken = 0;
    for (let i = 0; i < 500; i++) if (budget.spend(peerIdOf(i), 'waves', 0) === 'take') taken++;
    expect(taken).toBe(REQUEST_LIMITS.waves.rateInAll.capacity);
    expect(budget.spend(peerIdOf(900), 'waves', 0)).toBe('throttle');
    expect(budget.spend(peerIdOf(900), 'waves', 0, 'validator')).toBe('take');
  });

  it('let one that was given much wait before it is given more', () => {
    const budget = new PeerBudget(0);
    const { capacity, perSecond } = ANSWER_BYTES;
    budget.answered(alice, capacity, 0);
    expect(budget.spend(alice, 'waves', 0)).toBe('take');
    budget.answered(alice, perSecond, 0);
    expect(budget.spend(alice, 'waves', 999)).toBe('throttle');
    expect(budget.spend(bob, 'waves', 999)).toBe('take');
    expect(budget.spend(alice, 'tx', 999)).toBe('take');
    expect(budget.spend(alice, 'waves', 1_000)).toBe('take');
  });

  it('hold the bytes of a crowd, but not those of a proven validator', () => {
    const budget = new PeerBudget(0);
    const { capacity } = ANSWER_BYTES_IN_ALL;
    for (let i = 0; i < 4; i++) budget.answered(peerIdOf(10 + i), capacity / 4, 0, 'validator');
    expect(budget.spend(alice, 'cert', 0)).toBe('take');
    for (let i = 0; i < 4; i++) budget.answered(peerIdOf(20 + i), capacity / 4 + 1, 0);
    expect(budget.spend(alice, 'cert', 0)).toBe('throttle');
    expect(budget.spend(bob, 'cert', 0, 'validator')).toBe('take');
  });

  it('remember no more peers than they are let', () => {
    const budget = new PeerBudget(0, 10);
    for (let i = 0; i < 100; i++) budget.spend(peerIdOf(i), 'tx', 0);
    expect(budget.peers).toBe(10);
  });

  it('hold gossip, too', () => {
    const budget = new PeerBudget(0);
    let taken = 0;
    while (budget.spend(alice, 'tx', 0) === 'take') taken++;
    expect(taken).toBe(GOSSIP_LIMITS.tx.rate.capacity);
  });
});

describe('the table', () => {
  it('lets no question be large, and no answer be larger than a chunk', () => {
    for (const protocol of REQUEST_PROTOCOLS) {
      const { maxQuestionBytes, maxAnswerBytes, rate, rateInAll } = REQUEST_LIMITS[protocol];
      expect(maxQuestionBytes).toBeLessThanOrEqual(16 * 1024);
      expect(maxAnswerBytes).toBeLessThanOrEqual(5 * 1024 * 1024);
      expect(rateInAll.perSecond).toBeGreaterThanOrEqual(rate.perSecond);
    }
  });

  it('names protocols and topics', () => {
    expect(requestProtocolId('head')).toBe('/pyde/1/head');
    const hash = Uint8Array.from([0xab, 0xcd, 0x01, 0x23, ...Array(28).fill(9)]);
    expect(gossipTopicId('finality', hash)).toBe('/pyde/1/abcd0123/finality');
  });
});

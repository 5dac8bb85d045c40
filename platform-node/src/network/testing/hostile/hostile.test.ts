/**
 * Every attack, for some seconds, on a validator that a friend keeps asking: the friend is answered,
 * what the attack holds is bounded, and the attacker ends banned.
 */

import { toValidatorIndex } from '@pyde/core/types';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../loopback-node.ts';
import {
  addressOf,
  closeTestNodes,
  linksOf,
  openTestNode,
  signerOf,
  type TestNode,
  testGenesis,
  testKeys,
} from '../test-network.ts';
import { ATTACKS, type AttackCounts, type AttackName } from './index.ts';

const genesis = testGenesis(2);
/** Where attacks come from; the friend is at another address. */
const FROM = '127.0.0.66';

afterEach(closeTestNodes);

async function pair(): Promise<readonly [TestNode, TestNode]> {
  const target = await openTestNode(genesis, {
    validator: 0,
    limits: { exemptLocal: false },
    scoreRules: { banLoopback: true, hostBanAt: 100 },
  });
  target.user.gossip = async () => 'reject';
  const friend = await openTestNode(genesis, { validator: 1, seeds: [addressOf(target)] });
  await until(
    'they are linked',
    () => linksOf(target).length === 1 && linksOf(friend).length === 1,
  );
  return [target, friend];
}

/** Runs until `enough`, while the friend asks and is answered. */
async function under(
  name: AttackName,
  enough: (counts: AttackCounts, metrics: Readonly<Record<string, number>>) => boolean,
): Promise<{ counts: AttackCounts; target: TestNode; answers: number }> {
  const [target, friend] = await pair();
  const end = new AbortController();
  const counts: AttackCounts = {};
  const key = testKeys[1];
  if (key === undefined) throw new Error('there are ten test keys');
  const attack = ATTACKS[name](
    {
      address: addressOf(target),
      genesis,
      from: FROM,
      recorded: { validator: toValidatorIndex(1), sign: (digest) => signerOf(key).sign(digest) },
    },
    end.signal,
    counts,
  );
  let answers = 0;
  try {
    await until(
      `the attack ${name} has had its time`,
      async () => {
        const answer = await friend.network.ask(target.network.peerId, 'proof', new Uint8Array(1));
        if (answer.length === 1) answers++;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return answers >= 5 && enough(counts, target.network.metrics());
      },
      40_000,
    );
    expect(linksOf(target)).toEqual([1]);
  } catch (cause) {
    const seen = { counts, metrics: target.network.metrics() };
    throw new Error(`${name}: ${JSON.stringify(seen)}`, { cause });
  } finally {
    end.abort();
    await attack;
  }
  return { counts, target, answers };
}

const barred = (metrics: Readonly<Record<string, number>>): boolean =>
  (metrics.banned_hosts ?? 0) > 0;

describe('under attack by', () => {
  // What shuts them out is their number at first, and then the ban; see gater.test.ts for the order.
  it('a thousand connections from one address, few are held until it is banned', async () => {
    const { counts, target } = await under(
      'connection-crowd',
      ({ closed = 0 }, metrics) => closed >= 1_000 && barred(metrics),
    );
    expect(counts.opened).toBeGreaterThan(1_000);
    expect(target.network.metrics().connections_inbound_ordinary ?? 0).toBeLessThanOrEqual(8);
  });

  it('connections that say nothing whole, few are pending until it is banned', async () => {
    const { target } = await under(
      'slow-connections',
      ({ closed = 0 }, metrics) => closed >= 200 && barred(metrics),
    );
    expect(target.network.metrics().connections_inbound_pending ?? 0).toBeLessThanOrEqual(4);
  });

  it('connections full of rubbish, until its address is banned', async () => {
    await under('rubbish-connections', ({ closed = 0 }, m) => closed >= 100 && barred(m));
  });

  for (const name of [
    'slow-streams',
    'broken-frames',
    'forged-proofs',
    'replayed-handshakes',
    'gossip-flood',
    'gossip-frames',
    'request-flood',
    'stream-exhaustion',
  ] as const) {
    it(`${name}, until its address is banned`, async () => {
      const { counts } = await under(name, (_, metrics) => barred(metrics));
      expect(counts.connected).toBeGreaterThan(0);
      expect(counts.proven ?? 0).toBe(0);
    });
  }
});

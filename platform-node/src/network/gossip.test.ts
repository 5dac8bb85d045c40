/** Gossip between real libp2p nodes, honest and not. */

import type { GossipSub } from '@libp2p/gossipsub';
import { gossipsub, StrictNoSign } from '@libp2p/gossipsub';
import { isPydeError } from '@pyde/core/bytes';
import { GOSSIP_LIMITS, type GossipTopic, gossipTopicId, type Offence } from '@pyde/core/net';
import { silentLogger } from '@pyde/core/platform';
import { toHash } from '@pyde/core/types';
import { afterEach, describe, expect, it } from 'vitest';
import { Gossip, type GossipOptions } from './gossip.ts';
import {
  addressOf,
  idOf,
  type LoopbackNode,
  loopbackNode,
  until,
} from './testing/loopback-node.ts';

const genesisHash = toHash(new Uint8Array(32).fill(5));
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Member {
  readonly node: LoopbackNode;
  readonly id: string;
  readonly gossip: Gossip;
  readonly heard: string[];
  readonly offences: { readonly peerId: string; readonly offence: Offence }[];
}

async function member(options: Partial<GossipOptions> = {}): Promise<Member> {
  const heard: string[] = [];
  const offences: { peerId: string; offence: Offence }[] = [];
  const gossip = new Gossip({
    genesisHash,
    logger: silentLogger,
    consider: async (topic, _peer, bytes) => {
      heard.push(`${topic}:${Buffer.from(bytes).toString('latin1')}`);
      return 'accept';
    },
    admit: () => 'take',
    offend: (peerId, offence) => {
      offences.push({ peerId, offence });
    },
    points: () => 0,
    ...options,
  });
  const node = await loopbackNode(gossip.factory);
  gossip.start();
  closing.push(async () => {
    gossip.stop();
    await node.stop();
  });
  return { node, id: idOf(node), gossip, heard, offences };
}

/** The library as it comes, for those who keep no rules. */
async function rogue(): Promise<{ node: LoopbackNode; id: string; service: GossipSub }> {
  let service: GossipSub | undefined;
  const node = await loopbackNode((components) => {
    service = gossipsub({
      globalSignaturePolicy: StrictNoSign,
      allowPublishToZeroTopicPeers: true,
      fallbackToFloodsub: false,
      floodPublish: true,
    })(components);
    return service;
  });
  closing.push(async () => await node.stop());
  if (service === undefined) throw new Error('no gossip service was made');
  for (const topic of ['finality', 'tx'] as const) {
    service.subscribe(gossipTopicId(topic, genesisHash));
  }
  return { node, id: idOf(node), service };
}

async function connect(from: LoopbackNode, to: LoopbackNode): Promise<void> {
  await from.dial(addressOf(to));
}

const listens = (service: GossipSub, to: Member, topic: GossipTopic): boolean =>
  service
    .getSubscribers(gossipTopicId(topic, genesisHash))
    .some((peer) => peer.toString() === to.id);

const text = (words: string): Uint8Array => Buffer.from(words, 'latin1');

/** Says something until all have heard something: a mesh takes a moment to form. */
async function sayUntilHeard(speaker: Member, hearers: readonly Member[]): Promise<void> {
  let said = 0;
  await until('everybody hears', () => {
    speaker.gossip.publish('finality', text(`warm ${said++}`));
    return hearers.every(({ heard }) => heard.some((words) => words.includes('warm')));
  });
}

describe('gossip', () => {
  it('reaches everybody along a line, each message once', async () => {
    const line = await Promise.all([member(), member(), member(), member()]);
    const [first, second, third, last] = line;
    if (!first || !second || !third || !last) throw new Error('four members');
    await connect(second.node, first.node);
    await connect(third.node, second.node);
    await connect(last.node, third.node);
    await sayUntilHeard(first, [second, third, last]);
    first.gossip.publish('tx', text('a transfer'));
    last.gossip.publish('finality', text('a certificate'));
    first.gossip.publish('tx', text('a transfer'));
    await until(
      'both messages are everywhere',
      () =>
        [second, third, last].every(({ heard }) => heard.includes('tx:a transfer')) &&
        [first, second, third].every(({ heard }) => heard.includes('finality:a certificate')),
    );
    for (const { heard, offences } of line) {
      expect(new Set(heard).size).toBe(heard.length);
      expect(offences).toEqual([]);
    }
  });

  it('passes on only what the node accepts', async () => {
    const middle = await member({
      consider: async (_topic, _peer, bytes) =>
        Buffer.from(bytes).toString('latin1').startsWith('warm') ? 'accept' : 'ignore',
    });
    const [first, last] = [await member(), await member()];
    await connect(first.node, middle.node);
    await connect(last.node, middle.node);
    await sayUntilHeard(first, [last]);
    first.gossip.publish('finality', text('ignored'));
    await until('the middle saw it', () => (middle.gossip.metrics().gossip_received ?? 0) > 0);
    await sayUntilHeard(first, [last]);
    expect(last.heard).not.toContain('finality:ignored');
    expect(middle.offences).toEqual([]);
  });

  it('charges the peer that brought what is wrong, and looks no second time', async () => {
    let looks = 0;
    const judge = await member({
      consider: async (_topic, _peer, bytes) => {
        if (bytes.length > 10) return 'accept';
        looks++;
        return 'reject';
      },
    });
    const liar = await rogue();
    await connect(liar.node, judge.node);
    await until('the liar is heard', () => listens(liar.service, judge, 'finality'));
    const lie = text('a lie');
    await until('it is rejected', async () => {
      await liar.service.publish(gossipTopicId('finality', genesisHash), lie).catch(() => {});
      return judge.offences.length > 0;
    });
    expect(judge.offences).toEqual([{ peerId: liar.id, offence: 'bad-gossip' }]);
    expect(looks).toBe(1);
  });

  it('is not published above its size, and not taken', async () => {
    const judge = await member();
    const large = new Uint8Array(GOSSIP_LIMITS.finality.maxBytes + 1);
    let code = '';
    try {
      judge.gossip.publish('finality', large);
    } catch (error) {
      code = isPydeError(error) ? error.code : String(error);
    }
    expect(code).toBe('network.size');
    const liar = await rogue();
    await connect(liar.node, judge.node);
    await until('the liar is heard', () => listens(liar.service, judge, 'finality'));
    let salt = 0;
    await until('it is refused', async () => {
      large[0] = salt++;
      await liar.service.publish(gossipTopicId('finality', genesisHash), large);
      return judge.offences.length > 0;
    });
    expect(judge.offences[0]).toEqual({ peerId: liar.id, offence: 'oversized-frame' });
    expect(judge.heard).toEqual([]);
  });

  it('above a budget is dropped unseen, and is no offence of who passed it on', async () => {
    let left = 5;
    const judge = await member({ admit: () => (left-- > 0 ? 'take' : 'flood') });
    const liar = await rogue();
    await connect(liar.node, judge.node);
    await until('the liar is heard', () => listens(liar.service, judge, 'tx'));
    let said = 0;
    await until('the flood is dropped', async () => {
      await liar.service.publish(gossipTopicId('tx', genesisHash), text(`flood ${said++}`));
      return (judge.gossip.metrics().gossip_dropped ?? 0) >= 10;
    });
    expect(judge.heard).toHaveLength(5);
    expect(judge.offences).toEqual([]);
  });

  it('is looked at so much at a time, of one peer and in all', async () => {
    const waiting: (() => void)[] = [];
    const judge = await member({
      consider: () => new Promise((resolve) => waiting.push(() => resolve('accept'))),
    });
    const liar = await rogue();
    await connect(liar.node, judge.node);
    await until('the liar is heard', () => listens(liar.service, judge, 'tx'));
    let said = 0;
    await until('the rest is dropped', async () => {
      await liar.service.publish(gossipTopicId('tx', genesisHash), text(`m ${said++}`));
      return (judge.gossip.metrics().gossip_dropped ?? 0) > 0;
    });
    expect(waiting).toHaveLength(64);
    await until('nothing is considered', () => {
      for (const answer of waiting.splice(0)) answer();
      return judge.gossip.metrics().gossip_considered_now === 0;
    });
  });

  it('on other topics, and behind a signature, never gets to the node', async () => {
    const judge = await member();
    const other = await member({ genesisHash: toHash(new Uint8Array(32).fill(6)) });
    await connect(other.node, judge.node);
    for (let i = 0; i < 20; i++) other.gossip.publish('finality', text(`elsewhere ${i}`));
    const liar = await rogue();
    await connect(liar.node, judge.node);
    await until('the liar is heard', () => listens(liar.service, judge, 'tx'));
    let said = 0;
    await until('its own topic is heard', async () => {
      await liar.service.publish(gossipTopicId('tx', genesisHash), text(`here ${said++}`));
      return judge.heard.length > 0;
    });
    expect(judge.heard.every((words) => words.startsWith('tx:here'))).toBe(true);
  });

  it('is not read from a stream that comes faster than anybody honest', async () => {
    const judge = await member();
    const liar = await rogue();
    const connection = await liar.node.dial(addressOf(judge.node));
    await until('the liar is heard', () => listens(liar.service, judge, 'tx'));
    const stream = await connection.newStream('/meshsub/1.1.0');
    // RPCs of two bytes: an empty list of control messages each.
    const chunk = Buffer.alloc(30_000, Uint8Array.of(2, 0x1a, 0));
    await until('the stream is paused', () => {
      if (stream.writeStatus === 'writable' && !stream.writableNeedsDrain) stream.send(chunk);
      return (judge.gossip.metrics().gossip_streams_paused ?? 0) > 0;
    });
    expect(judge.offences[0]).toEqual({ peerId: liar.id, offence: 'flood' });
    expect(judge.offences.length).toBeGreaterThan(1);
  });

  it('outlives a connection that goes while its stream must wait', async () => {
    const judge = await member();
    const liar = await rogue();
    const connection = await liar.node.dial(addressOf(judge.node));
    await until('the liar is heard', () => listens(liar.service, judge, 'tx'));
    const stream = await connection.newStream('/meshsub/1.1.0');
    stream.send(Buffer.alloc(26_000, Uint8Array.of(2, 0x1a, 0)));
    await until('the stream is paused', () => {
      return (judge.gossip.metrics().gossip_streams_paused ?? 0) > 0;
    });
    for (const other of judge.node.getConnections()) other.abort(new Error('cut'));
    // The wait of such a chunk is over by then.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(judge.node.status).toBe('started');
  });
});

import { frameMessage } from '@pyde/core/consensus';
import { afterEach, describe, expect, it } from 'vitest';
import type { PeerStatus } from './interface.ts';
import { until } from './testing/loopback-node.ts';
import {
  addressOf,
  closeTestNodes,
  linksOf,
  openTestNode,
  type TestNode,
  testGenesis,
} from './testing/test-network.ts';

afterEach(closeTestNodes);

const genesis = testGenesis(4);
const vertex = (fill: number, bytes = 100): Uint8Array =>
  frameMessage('vertex', new Uint8Array(bytes).fill(fill));

async function committee(listen = '/ip4/127.0.0.1/tcp/0'): Promise<TestNode[]> {
  const nodes: TestNode[] = [];
  for (let validator = 0; validator < 4; validator++) {
    const seeds = nodes.map(addressOf);
    nodes.push(await openTestNode(genesis, { validator, seeds, listen: [listen] }));
  }
  return nodes;
}

const allLinked = (nodes: readonly TestNode[]): boolean =>
  nodes.every((node) => linksOf(node).length === nodes.length - 1);

describe('a committee over libp2p', () => {
  for (const listen of ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/udp/0/quic-v1']) {
    it(`links everybody to everybody by proof and carries messages, over ${listen}`, async () => {
      const nodes = await committee(listen);
      await until('all links', () => allLinked(nodes));
      for (const [i, { network }] of nodes.entries()) network.broadcast(vertex(i));
      await until('all messages', () => nodes.every(({ user }) => user.messages.length === 3));
      for (const [i, { user }] of nodes.entries()) {
        const expected = [0, 1, 2, 3].filter((from) => from !== i);
        expect(user.messages.map(({ from }) => from).sort()).toEqual(expected);
        for (const { from, bytes } of user.messages) expect(bytes).toEqual(vertex(from));
      }
      nodes[0]?.network.send(2, vertex(9));
      await until('one message', () => nodes[2]?.user.messages.length === 4);
      expect(nodes[2]?.user.messages[3]).toEqual({ from: 0, bytes: vertex(9) });
    });
  }

  it('counts by kind what goes over the links, and lists its peers', async () => {
    const [one, other] = await committee();
    if (one === undefined || other === undefined) throw new Error('there are four');
    await until('the link', () => linksOf(one).includes(1) && linksOf(other).includes(0));
    for (let i = 0; i < 3; i++) one.network.send(1, vertex(i, 200));
    one.network.send(1, frameMessage('batch', new Uint8Array(5_000)));
    one.network.send(9, vertex(0));
    await until('the messages', () => other.user.messages.length === 4);
    const sent = one.network.metrics();
    const taken = other.network.metrics();
    expect(sent['link_out_vertex_messages']).toBe(3);
    expect(sent['link_out_vertex_bytes']).toBe(603);
    expect(sent['link_out_batch_bytes']).toBe(5_001);
    expect(taken['link_in_vertex_bytes']).toBe(603);
    expect(taken['link_in_batch_messages']).toBe(1);
    for (const [name, value] of Object.entries({ ...sent, ...taken })) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(Number.isFinite(value)).toBe(true);
    }
    const byIndex = (): PeerStatus | undefined =>
      one.network.peers().find(({ validator }) => validator === 1);
    await until('a ping', () => byIndex()?.roundTripMs !== undefined);
    expect(byIndex()).toMatchObject({
      peerId: other.network.peerId,
      direction: 'inbound',
      transport: 'tcp',
      score: 0,
    });
    expect(byIndex()?.bytesOut).toBeGreaterThan(5_600);
    expect(byIndex()?.bytesIn).toBeGreaterThan(600);
  });

  it('says goodbye: the others know at once that a validator has gone', async () => {
    const nodes = await committee();
    await until('all links', () => allLinked(nodes));
    await nodes[3]?.network.stop();
    await until('the loss', () => nodes.slice(0, 3).every((node) => linksOf(node).length === 2));
    for (const { user } of nodes) expect(user.failures).toEqual([]);
  });

  it('keeps to its bandwidth, and lets consensus through first', async () => {
    const bandwidthBytesPerSecond = 1_000_000;
    const one = await openTestNode(genesis, { validator: 0, bandwidthBytesPerSecond });
    const other = await openTestNode(genesis, { validator: 1, seeds: [addressOf(one)] });
    await until('the link', () => linksOf(one).includes(1));
    const start = performance.now();
    for (let i = 0; i < 12; i++) {
      one.network.send(1, frameMessage('batch', new Uint8Array(200_000).fill(i)));
    }
    await until('a part of them', () => other.user.messages.length >= 2);
    one.network.send(1, vertex(1));
    await until('all of them', () => other.user.messages.length === 13);
    // 2.4 MB, of which half a MB may go at once.
    expect(performance.now() - start).toBeGreaterThan(1_500);
    const at = other.user.messages.findIndex(({ bytes }) => bytes[0] === 0);
    expect(at).toBeLessThan(12);
  });
});

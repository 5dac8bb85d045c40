import { frameMessage } from '@pyde/core/consensus';
import { afterEach, describe, expect, it } from 'vitest';
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
});

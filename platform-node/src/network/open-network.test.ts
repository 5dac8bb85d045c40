/** What anybody may do with a whole network: ask, gossip, and be thrown out for too much of it. */
import { gossipsub, StrictNoSign } from '@libp2p/gossipsub';
import { multiaddr } from '@multiformats/multiaddr';
import { isPydeError, PydeError } from '@pyde/core/bytes';
import { gossipTopicId, type RequestProtocol, requestProtocolId } from '@pyde/core/net';
import { genesisHash } from '@pyde/core/types';
import { afterEach, describe, expect, it } from 'vitest';
import { RequestAsking } from './request-asking.ts';
import { type LoopbackNode, loopbackNode, until } from './testing/loopback-node.ts';
import {
  addressOf,
  closeTestNodes,
  openTestNode,
  type TestNode,
  testGenesis,
} from './testing/test-network.ts';

const genesis = testGenesis(4);
const attackers: LoopbackNode[] = [];

afterEach(async () => {
  for (const node of attackers.splice(0)) await node.stop();
  await closeTestNodes();
});

async function attacker(...made: Parameters<typeof loopbackNode>): Promise<LoopbackNode> {
  const node = await loopbackNode(...made);
  attackers.push(node);
  return node;
}

async function pair(): Promise<readonly [TestNode, TestNode]> {
  const first = await openTestNode(genesis);
  const second = await openTestNode(genesis, { seeds: [addressOf(first)] });
  await until(
    'both serve each other',
    () =>
      first.user.serving.has(second.network.peerId) &&
      second.user.serving.has(first.network.peerId),
  );
  return [first, second];
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    if (!isPydeError(error)) throw error;
    return error.code === 'network.refused' ? `refused:${error.details.refusal}` : error.code;
  }
}

describe('a full node', () => {
  it('asks another whatever it serves, and hears why not', async () => {
    const [first, second] = await pair();
    first.user.answer = async (peerId, protocol, question) => {
      expect(peerId).toBe(second.network.peerId);
      if (protocol === 'cert') throw new PydeError('request.absent', 'no certificate of this wave');
      return Uint8Array.of(question.length, 42);
    };
    const ask = (protocol: RequestProtocol, bytes: number): Promise<Uint8Array> =>
      second.network.ask(first.network.peerId, protocol, new Uint8Array(bytes));
    expect(await ask('head', 0)).toEqual(Uint8Array.of(0, 42));
    expect(await ask('waves', 16)).toEqual(Uint8Array.of(16, 42));
    expect(await codeOf(ask('cert', 8))).toBe('refused:request.absent');
    expect(await codeOf(ask('chunk', 8))).toBe('refused:not-served');
    expect(await codeOf(ask('peers', 8))).toBe('refused:network.format');
  });

  it('gets one head a second, and no ban for asking twice', async () => {
    const [first, second] = await pair();
    const ask = (): Promise<string> =>
      codeOf(second.network.ask(first.network.peerId, 'head', new Uint8Array(0)));
    expect([await ask(), await ask(), await ask()]).toEqual([
      'none',
      'refused:too-fast',
      'refused:too-fast',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await ask()).toBe('none');
    expect(first.network.metrics()).toMatchObject({ banned_peers: 0 });
  });

  it('is told when a peer that serves goes', async () => {
    const [first, second] = await pair();
    await second.network.stop();
    await until('it is told', () => !first.user.serving.has(second.network.peerId));
    expect(await codeOf(first.network.ask(second.network.peerId, 'cert', new Uint8Array(0)))).toBe(
      'network.unreachable',
    );
  });

  it('gossips with everybody, and passes on nothing that it refused', async () => {
    const [first, second] = await pair();
    const third = await openTestNode(genesis, { seeds: [addressOf(first)] });
    const heard: string[] = [];
    for (const [name, node] of Object.entries({ first, second, third })) {
      node.user.gossip = async (...said) => {
        const words = Buffer.from(said[2]).toString('latin1');
        heard.push(`${name} ${said[0]} ${words}`);
        return words === 'wrong' ? 'reject' : 'accept';
      };
    }
    let salt = 0;
    await until('a certificate is everywhere', () => {
      first.network.publish('finality', Buffer.from(`cert ${salt++}`));
      return ['second', 'third'].every((name) =>
        heard.some((line) => line.startsWith(`${name} finality cert`)),
      );
    });
    third.network.publish('tx', Buffer.from('transfer'));
    await until('a transfer is everywhere', () =>
      ['first tx transfer', 'second tx transfer'].every((line) => heard.includes(line)),
    );
    expect(heard.filter((line) => line === 'first tx transfer')).toHaveLength(1);
  });
});

describe('an attacker', () => {
  const rules = { disconnectAt: 100, banAt: 100, firstBanMs: 2_000 };

  it('that floods with questions is throttled, then banned, and the ban ends', async () => {
    const target = await openTestNode(genesis, { scoreRules: rules });
    const node = await attacker();
    const asking = new RequestAsking({ node, offend: () => {} });
    const address = multiaddr(addressOf(target));
    await node.dial(address);
    const codes = new Set<string>();
    const flood = async (): Promise<void> => {
      const asked = Array.from({ length: 8 }, () =>
        codeOf(asking.ask(target.network.peerId, 'head', new Uint8Array(0))),
      );
      for (const code of await Promise.all(asked)) codes.add(code);
    };
    await until('it is banned', async () => {
      await flood();
      return target.network.metrics().banned_peers === 1;
    });
    expect([...codes]).toEqual(expect.arrayContaining(['none', 'refused:too-fast']));
    expect(await codeOf(asking.ask(target.network.peerId, 'head', new Uint8Array(0)))).toBe(
      'network.unreachable',
    );
    await until('the ban has ended', async () => {
      await node.dial(address).catch(() => {});
      return (
        (await codeOf(asking.ask(target.network.peerId, 'cert', new Uint8Array(0)))) === 'none'
      );
    });
    asking.stop();
  });

  it('that opens hundreds of streams is banned, and others are served', async () => {
    const target = await openTestNode(genesis, { scoreRules: rules });
    const honest = await openTestNode(genesis, { seeds: [addressOf(target)] });
    await until('the honest one is connected', () => honest.user.serving.size === 1);
    const node = await attacker();
    await node.dial(multiaddr(addressOf(target)));
    const open = async (): Promise<void> => {
      await node
        .dialProtocol(
          target.network.listenAddrs().map((at) => multiaddr(at)),
          requestProtocolId('cert'),
          {
            maxOutboundStreams: 10_000,
          },
        )
        .catch(() => {});
    };
    await until('it is banned', async () => {
      await Promise.all(Array.from({ length: 100 }, open));
      return target.network.metrics().banned_peers === 1;
    });
    const ask = honest.network.ask(target.network.peerId, 'cert', new Uint8Array(0));
    expect(await codeOf(ask)).toBe('none');
  });

  it('that gossips lies is banned, and the liar alone', async () => {
    const target = await openTestNode(genesis, { scoreRules: rules });
    const honest = await openTestNode(genesis, { seeds: [addressOf(target)] });
    target.user.gossip = async () => 'reject';
    const topic = gossipTopicId('tx', genesisHash(genesis));
    let lie = (): void => {};
    const node = await attacker((components) => {
      const service = gossipsub({
        globalSignaturePolicy: StrictNoSign,
        allowPublishToZeroTopicPeers: true,
      })(components);
      let salt = 0;
      lie = () => void service.publish(topic, Buffer.from(`lie ${salt++}`)).catch(() => {});
      return service;
    });
    await node.dial(multiaddr(addressOf(target)));
    await until('it is banned', () => {
      lie();
      return target.network.metrics().banned_peers === 1;
    });
    expect(target.network.peers().map(({ peerId }) => peerId)).toEqual([honest.network.peerId]);
    expect(honest.network.metrics()).toMatchObject({ banned_peers: 0 });
  });
});

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPydeError } from '@pyde/core/bytes';
import { afterEach, describe, expect, it } from 'vitest';
import { transportOf } from './libp2p-node.ts';
import { until } from './testing/loopback-node.ts';
import {
  addressOf,
  closeTestNodes,
  freePorts,
  openTestNode,
  testGenesis,
} from './testing/test-network.ts';

const genesis = testGenesis(4);
const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pyde-libp2p-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  await closeTestNodes();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const codeOf = async (attempt: Promise<unknown>): Promise<string | undefined> => {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    return isPydeError(error) ? error.code : String(error);
  }
};

describe('the libp2p node', () => {
  it('has the same name, and browsers the same address, after a restart', async () => {
    const folder = newFolder();
    const [tcp, ws] = await freePorts(2);
    // The library frees a webrtc port only with its process, so this one is another every time.
    const listen = [
      `/ip4/127.0.0.1/tcp/${tcp}`,
      `/ip4/127.0.0.1/udp/${tcp}/quic-v1`,
      `/ip4/127.0.0.1/tcp/${ws}/ws`,
      '/ip4/127.0.0.1/udp/0/webrtc-direct',
    ];
    const known = (of: readonly string[]): string[] =>
      of.map((text) => text.replace(/udp\/\d+\/webrtc/, 'udp/0/webrtc')).sort();
    const first = await openTestNode(genesis, { folder, listen });
    const before = known(first.network.listenAddrs());
    expect(before).toHaveLength(4);
    expect(before.filter((address) => address.includes('/certhash/'))).toHaveLength(1);
    await first.network.stop();
    const again = await openTestNode(genesis, { folder, listen });
    expect(again.network.peerId).toBe(first.network.peerId);
    expect(known(again.network.listenAddrs())).toEqual(before);
    // Nobody else on the machine reads its key.
    expect(statSync(join(folder, 'network')).mode & 0o077).toBe(0);
  });

  it('reaches another one by each transport that both have', async () => {
    for (const listen of ['/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/webrtc-direct']) {
      const one = await openTestNode(genesis, { listen: [listen] });
      const other = await openTestNode(genesis, { listen: [listen], seeds: [addressOf(one)] });
      await until('a connection', () =>
        [one, other].every(({ network }) => network.peers().length === 1),
      );
      expect(other.network.peers()[0]?.transport).toBe(transportOf(listen));
    }
  });

  it('dials tcp before quic when a peer has both', async () => {
    const listen = ['/ip4/127.0.0.1/udp/0/quic-v1', '/ip4/127.0.0.1/tcp/0'];
    const one = await openTestNode(genesis, { listen });
    const seeds = one.network.listenAddrs();
    expect(seeds).toHaveLength(2);
    const other = await openTestNode(genesis, { listen, seeds });
    await until('a connection', () => other.network.peers().length > 0);
    expect(other.network.peers().map(({ transport }) => transport)).toEqual(['tcp']);
  });

  it('refuses addresses that it cannot read or has no transport for', async () => {
    for (const listen of ['127.0.0.1:30303', '/ip4/127.0.0.1/udp/9', '/ip4/300.0.0.1/tcp/1']) {
      expect(await codeOf(openTestNode(genesis, { listen: [listen] }))).toBe('network.address');
    }
  });

  it('refuses a folder that another node uses, and leaves it to that one', async () => {
    const folder = newFolder();
    const first = await openTestNode(genesis, { folder });
    expect(await codeOf(openTestNode(genesis, { folder }))).toBe('network.folder');
    await first.network.stop();
    expect(await codeOf(openTestNode(genesis, { folder }))).toBeUndefined();
  });

  it('says which port is taken, and lets go of its folder', async () => {
    const folder = newFolder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const listen = [`/ip4/127.0.0.1/tcp/${port}`];
    expect(await codeOf(openTestNode(genesis, { folder, listen }))).toBe('network.listen');
    await new Promise((resolve) => server.close(resolve));
    expect(await codeOf(openTestNode(genesis, { folder, listen }))).toBeUndefined();
  });

  it('refuses a key that is no validator, before it takes the folder', async () => {
    const folder = newFolder();
    const options = { folder, validator: 7 };
    expect(await codeOf(openTestNode(genesis, options))).toBe('network.not-a-validator');
    expect(await codeOf(openTestNode(genesis, { folder }))).toBeUndefined();
  });

  it('refuses sentries without a name, and a sentry that is a validator', async () => {
    const sentries = ['/ip4/127.0.0.1/tcp/1'];
    expect(await codeOf(openTestNode(genesis, { validator: 0, sentries }))).toBe('network.sentry');
    const sentryFor = [{ peerId: 'x', validator: 1 }];
    expect(await codeOf(openTestNode(genesis, { validator: 0, sentryFor }))).toBe('network.sentry');
  });
});

describe('which transport an address names', () => {
  it('is read from its parts', () => {
    expect(transportOf('/ip4/1.2.3.4/tcp/1')).toBe('tcp');
    expect(transportOf('/dns4/example.org/tcp/1/ws')).toBe('ws');
    expect(transportOf('/ip6/::1/udp/1/quic-v1')).toBe('quic');
    expect(transportOf('/ip4/1.2.3.4/udp/1/webrtc-direct')).toBe('webrtc-direct');
  });
});

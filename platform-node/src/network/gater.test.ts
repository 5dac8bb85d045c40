import { createConnection } from 'node:net';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, describe, expect, it } from 'vitest';
import { type LoopbackNode, loopbackNode, until } from './testing/loopback-node.ts';
import { RawValidator } from './testing/raw-validator.ts';
import {
  addressOf,
  closeTestNodes,
  linksOf,
  openTestNode,
  type TestNode,
  testGenesis,
} from './testing/test-network.ts';

const genesis = testGenesis(4);
const raws: LoopbackNode[] = [];

async function stranger(): Promise<LoopbackNode> {
  const node = await loopbackNode();
  raws.push(node);
  return node;
}

afterEach(async () => {
  await Promise.all(raws.splice(0).map((node) => node.stop()));
  await closeTestNodes();
});

/** The connection if it stands and stays for a moment. */
async function dial(node: LoopbackNode, target: TestNode): Promise<Connection | undefined> {
  try {
    const connection = await node.dial(multiaddr(addressOf(target)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    return connection.status === 'open' ? connection : undefined;
  } catch {
    return undefined;
  }
}

/** A connection that says something which is no handshake, and goes. */
async function connectAndLeave(host: string, port: number): Promise<void> {
  const socket = createConnection(port, host);
  socket.on('error', () => {});
  // A host that is banned is cut off before it knows that it was connected.
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  socket.write('hello');
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.destroy();
}

const strict = { exemptLocal: false, newPerSecondPerHost: 1_000, newPerSecond: 1_000 };
const metric = ({ network }: TestNode, name: string): number =>
  network.metrics()[name] ?? Number.NaN;

describe('the door', () => {
  it('takes so many connections of one host, and another when one of them has gone', async () => {
    const node = await openTestNode(genesis, { limits: { ...strict, maxPerHost: 3 } });
    const open: Connection[] = [];
    for (let i = 0; i < 5; i++) {
      const connection = await dial(await stranger(), node);
      if (connection !== undefined) open.push(connection);
    }
    expect(open).toHaveLength(3);
    expect(metric(node, 'connections_inbound_ordinary')).toBe(3);
    expect(metric(node, 'connections_refused_by_address')).toBe(2);
    await open[0]?.close();
    await until('room', () => metric(node, 'connections_inbound_ordinary') === 2);
    expect(await dial(await stranger(), node)).toBeDefined();
  });

  it('takes so many in all, but a validator besides, from where one proved itself', async () => {
    const node = await openTestNode(genesis, {
      validator: 0,
      limits: { ...strict, maxConnections: 2, maxPerHost: 2 },
    });
    const first = await stranger();
    await (await RawValidator.dial(first, node, genesis, 1)).proven();
    await until('the link', () => linksOf(node).includes(1));
    expect(metric(node, 'connections_inbound_committee')).toBe(1);
    expect(await dial(await stranger(), node)).toBeDefined();
    expect(await dial(await stranger(), node)).toBeDefined();
    expect(await dial(await stranger(), node)).toBeUndefined();
    // It comes back with the name under which it proved itself, however full it is.
    for (const connection of first.getConnections()) await connection.close();
    await until('its end', () => metric(node, 'connections_inbound_committee') === 0);
    const back = await (await RawValidator.dial(first, node, genesis, 1)).proven();
    await until('the link', () => linksOf(node).includes(1));
    expect(back.isOpen).toBe(true);
  });

  it('cuts off who misbehaves, and takes neither it nor its connection back', async () => {
    const node = await openTestNode(genesis);
    const bad = await stranger();
    const good = await stranger();
    expect(await dial(bad, node)).toBeDefined();
    const stays = await dial(good, node);
    const peerId = bad.peerId.toString();
    for (let i = 0; i < 3; i++) node.network.report(peerId, 'wrong-answer');
    await until('its end', () => node.network.peers().length === 1);
    expect(stays?.status).toBe('open');
    expect(metric(node, 'banned_peers')).toBe(1);
    await until('the same over there', () => bad.getConnections().length === 0);
    expect(await dial(bad, node)).toBeUndefined();
    expect(metric(node, 'connections_refused_by_peer')).toBeGreaterThanOrEqual(1);
  });

  it('bans a host whose connections end without a name, and takes it back in time', async () => {
    const node = await openTestNode(genesis, {
      limits: { ...strict, maxPendingPerHost: 50 },
      scoreRules: { banLoopback: true, hostBanAt: 40, firstBanMs: 500 },
    });
    const [, , host = '', , port = ''] = addressOf(node).split('/');
    for (let i = 0; i < 9; i++) await connectAndLeave(host, Number(port));
    await until('their end', () => metric(node, 'connections_inbound_pending') === 0);
    expect(metric(node, 'banned_hosts')).toBe(0);
    for (let i = 0; i < 3; i++) await connectAndLeave(host, Number(port));
    await until('the ban', () => metric(node, 'banned_hosts') === 1);
    expect(await dial(await stranger(), node)).toBeUndefined();
    await until('its end', () => metric(node, 'banned_hosts') === 0);
    expect(await dial(await stranger(), node)).toBeDefined();
  });

  it('bans a host that brings more connections at once than it may', async () => {
    const node = await openTestNode(genesis, {
      limits: { ...strict, maxPendingPerHost: 2 },
      scoreRules: { banLoopback: true, hostBanAt: 10 },
    });
    const [, , host = '', , port = ''] = addressOf(node).split('/');
    const held = Array.from({ length: 8 }, () => createConnection(Number(port), host));
    for (const socket of held) socket.on('error', () => {});
    await until('the ban', () => metric(node, 'banned_hosts') === 1);
    for (const socket of held) socket.destroy();
  });

  it('does not punish named connections for ending, nor one host for another one', async () => {
    const node = await openTestNode(genesis, {
      limits: strict,
      scoreRules: { banLoopback: true, hostBanAt: 8 },
    });
    for (let i = 0; i < 6; i++) await (await dial(await stranger(), node))?.close();
    await until('their end', () => metric(node, 'connections_inbound_ordinary') === 0);
    expect(metric(node, 'banned_hosts')).toBe(0);
    expect(await dial(await stranger(), node)).toBeDefined();
  });

  it('holds a ban over a restart', async () => {
    const node = await openTestNode(genesis);
    const bad = await stranger();
    expect(await dial(bad, node)).toBeDefined();
    for (let i = 0; i < 3; i++) node.network.report(bad.peerId.toString(), 'wrong-answer');
    await node.network.stop();
    const again = await openTestNode(genesis, { folder: node.folder });
    expect(again.network.peerId).toBe(node.network.peerId);
    expect(await dial(bad, again)).toBeUndefined();
    expect(await dial(await stranger(), again)).toBeDefined();
  });
});

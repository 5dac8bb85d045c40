/** Real libp2p nodes on the loopback, for tests: no folder, a fresh identity each. */
import { type Identify, identify } from '@libp2p/identify';
import type { Libp2p, PeerId, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { GossipFactory } from '../libp2p-node.ts';

type LoopbackServices = { readonly identify: Identify };
export type LoopbackNode = Libp2p<LoopbackServices>;

const MANY = 1_000_000;

/** Started; `gossip` makes its service when it is given. The caller stops it. */
export async function loopbackNode(gossip?: GossipFactory): Promise<LoopbackNode> {
  return await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: MANY, reconnectRetries: 0 },
    connectionMonitor: { abortConnectionOnPingFailure: false },
    services: { identify: identify(), ...(gossip === undefined ? {} : { gossip }) },
  });
}

export function addressOf(node: LoopbackNode): Multiaddr {
  const address = node.getMultiaddrs()[0];
  if (address === undefined) throw new Error('the node listens nowhere');
  return address;
}

export function idOf(node: { readonly peerId: PeerId }): string {
  return node.peerId.toString();
}

/** Everything that comes on a stream until it ends in whatever way. */
export async function drained(stream: Stream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk.subarray());
  } catch {
    // A reset ends it too.
  }
  return Buffer.concat(chunks);
}

/** Waits for something that comes soon, however slow the machine. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

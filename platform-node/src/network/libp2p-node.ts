/**
 * The libp2p node: transports, encryption, streams, and an identity that outlives the process
 * (design/architecture.md, "Runtime facts": what must be switched off and why).
 *
 * The identity is an Ed25519 key in the keychain of the datastore in the node's folder, beside the
 * certificate that browsers know a webrtc-direct address by. Nothing else of libp2p is written: its
 * notes on peers stay in memory. Its own limits are opened wide: `gater.ts` refuses by the table in
 * core/net, which knows about validators.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { GossipSub, GossipSubComponents } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import type {
  ComponentLogger,
  ConnectionGater,
  Libp2p,
  Logger as LibraryLogger,
  PrivateKey,
} from '@libp2p/interface';
import { type Keychain, keychain } from '@libp2p/keychain';
import { noise } from '@libp2p/noise';
import { type Ping, ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { PydeError } from '@pyde/core/bytes';
import { LevelDatastore } from 'datastore-level';
import { createLibp2p, type Libp2pInit } from 'libp2p';
import { makeFolder } from '../store/make-folder.ts';

type NodeServices = {
  readonly identify: Identify;
  readonly ping: Ping;
  readonly keychain: Keychain;
  readonly gossip: GossipSub;
};

export type Libp2pNode = Libp2p<NodeServices>;
export type GossipFactory = (components: GossipSubComponents) => GossipSub;

export interface Libp2pNodeOptions {
  /** The node's folder; this takes `network/` in it. */
  readonly folder: string;
  readonly listen: readonly string[];
  /** Told to others instead of the addresses it listens on. */
  readonly announce?: readonly string[];
  /** Addresses that will be dialled: a transport that only they need is loaded too. */
  readonly dials: readonly string[];
  readonly gater: ConnectionGater;
  readonly maxConnections: number;
  readonly maxPendingConnections: number;
  readonly handshakeTimeoutMs: number;
  readonly gossip: GossipFactory;
}

export interface OpenedNode {
  readonly node: Libp2pNode;
  readonly datastore: LevelDatastore;
  /** Closes the node, then its datastore. */
  close(): Promise<void>;
}

/** A stream's window: what one slow reader may make its sender hold, and the other way round. */
const STREAM_WINDOW_BYTES = 2 * 1024 * 1024;
const IDENTITY_KEY = 'pyde-identity';
/** libp2p counts connections a second and host; here that is the gater's business. */
const NO_RATE_LIMIT = 1_000_000;
const PING_INTERVAL_MS = 30_000;

/**
 * Made, not started: protocols are registered first, `node.start()` listens.
 * @throws PydeError `network.address` for an address that cannot be read, `network.folder`
 */
export async function openLibp2pNode(options: Libp2pNodeOptions): Promise<OpenedNode> {
  const addresses = [...options.listen, ...options.dials];
  addresses.forEach(transportOf);
  const datastore = await openDatastore(join(options.folder, 'network'));
  try {
    const privateKey = await loadIdentity(datastore);
    const node = await createLibp2p<NodeServices>({
      start: false,
      privateKey,
      logger: quiet,
      nodeInfo: { name: 'pyde', userAgent: 'pyde' },
      addresses: {
        listen: [...options.listen],
        ...(options.announce === undefined ? {} : { announce: [...options.announce] }),
      },
      transports: await transportsFor(addresses, datastore),
      connectionEncrypters: [noise()],
      streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES } })],
      connectionGater: options.gater,
      connectionManager: {
        maxConnections: options.maxConnections,
        maxIncomingPendingConnections: options.maxPendingConnections,
        inboundConnectionThreshold: NO_RATE_LIMIT,
        inboundUpgradeTimeout: options.handshakeTimeoutMs,
        inboundStreamProtocolNegotiationTimeout: options.handshakeTimeoutMs,
        outboundStreamProtocolNegotiationTimeout: options.handshakeTimeoutMs,
        // Links are dialled again by their own backoff.
        reconnectRetries: 0,
        addressSorter: ({ multiaddr: a }, { multiaddr: b }) => byTransport(a, b),
      },
      connectionMonitor: { abortConnectionOnPingFailure: false, pingInterval: PING_INTERVAL_MS },
      services: {
        identify: identify(),
        ping: ping(),
        keychain: () => keychain()({ datastore, logger: quiet }),
        // The library's own object refuses to be copied; this one can be.
        gossip: ({ privateKey, peerId, peerStore, registrar, connectionManager, logger }) =>
          options.gossip({ privateKey, peerId, peerStore, registrar, connectionManager, logger }),
      },
    });
    return {
      node,
      datastore,
      close: async () => {
        await node.stop();
        await datastore.close();
      },
    };
  } catch (error) {
    await datastore.close();
    throw error;
  }
}

async function openDatastore(folder: string): Promise<LevelDatastore> {
  try {
    // The identity is not encrypted: whoever reads this folder can pose as this peer, not as the
    // validator, whose key is elsewhere.
    makeFolder(folder);
    chmodSync(folder, 0o700);
    const datastore = new LevelDatastore(folder);
    await datastore.open();
    return datastore;
  } catch (error) {
    const reason = error instanceof Error ? (error.cause ?? error) : error;
    throw new PydeError(
      'network.folder',
      `cannot open ${folder}: ${reason}; is another node running on it?`,
      { folder },
    );
  }
}

async function loadIdentity(datastore: LevelDatastore): Promise<PrivateKey> {
  const keys = keychain()({ datastore, logger: quiet });
  const known = await keys.listKeys();
  if (known.some(({ name }) => name === IDENTITY_KEY)) return await keys.exportKey(IDENTITY_KEY);
  const key = await generateKeyPair('Ed25519');
  await keys.importKey(IDENTITY_KEY, key);
  return key;
}

type Transports = NonNullable<Libp2pInit['transports']>;

/** tcp always; the others cost memory and are loaded only for an address that needs them. */
async function transportsFor(
  addresses: readonly string[],
  datastore: LevelDatastore,
): Promise<Transports> {
  const needed = new Set(addresses.map(transportOf));
  const transports: Transports = [];
  if (needed.has('quic')) {
    const { quic } = await import('@chainsafe/libp2p-quic');
    transports.push(quic());
  }
  transports.push(tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } }));
  if (needed.has('ws')) {
    const { webSockets } = await import('@libp2p/websockets');
    transports.push(webSockets());
  }
  if (needed.has('webrtc-direct')) {
    const { webRTCDirect } = await import('@libp2p/webrtc');
    const make = webRTCDirect();
    // Its certificate is kept; what libp2p notes of every peer that passes by is not.
    transports.push((components) =>
      make(Object.create(components, { datastore: { value: datastore } })),
    );
  }
  return transports;
}

export type TransportName = 'tcp' | 'quic' | 'ws' | 'webrtc-direct';

/**
 * Which of a peer's addresses is dialled first. On one machine tcp carries two to three times what
 * quic does for half the work a byte, and answers sooner (docs/protocol/network.md, "Transports").
 */
const PREFERENCE: readonly string[] = ['webrtc-direct', 'ws', 'quic-v1'];

function byTransport(a: Multiaddr, b: Multiaddr): -1 | 0 | 1 {
  const ranks = [rankOf(a), rankOf(b)] as const;
  if (ranks[0] === ranks[1]) return 0;
  return ranks[0] < ranks[1] ? -1 : 1;
}

/** Higher is later; tcp, which has none of these, comes first. */
function rankOf(address: Multiaddr): number {
  const names = new Set(address.getComponents().map(({ name }) => name));
  const at = PREFERENCE.findIndex((name) => names.has(name));
  return at < 0 ? 0 : PREFERENCE.length - at;
}

/** @throws PydeError `network.address` when it cannot be read or names no transport */
export function transportOf(address: string): TransportName {
  const names = protocolNames(address);
  if (names.has('webrtc-direct')) return 'webrtc-direct';
  if (names.has('quic-v1')) return 'quic';
  if (names.has('ws') || names.has('wss')) return 'ws';
  if (names.has('tcp')) return 'tcp';
  throw new PydeError(
    'network.address',
    `${address} names no transport; write /ip4/…/tcp/…, …/udp/…/quic-v1, …/tcp/…/ws or ` +
      '…/udp/…/webrtc-direct',
    { address },
  );
}

function protocolNames(address: string): ReadonlySet<string> {
  try {
    return new Set(
      multiaddr(address)
        .getComponents()
        .map(({ name }) => name),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PydeError('network.address', `${address} is no multiaddr: ${reason}`, { address });
  }
}

/** The library logs by printf formats of its own; what matters is logged where it is used. */
const silence: LibraryLogger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silence,
});
const quiet: ComponentLogger = { forComponent: () => silence };

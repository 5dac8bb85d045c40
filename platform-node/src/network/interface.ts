/**
 * What the node's runtime sees of the network: links to the other validators, gossip, questions to
 * any peer, and the list of peers. Everything that comes in was written by somebody else; it was
 * size-checked and its sender is known, and that is all.
 */
import type { PydeError } from '@pyde/core/bytes';
import type { Signer } from '@pyde/core/consensus';
import type {
  ConnectionLimits,
  GossipTopic,
  Offence,
  RequestProtocol,
  ScoreRules,
} from '@pyde/core/net';
import type { Clock, Logger, Random, Transport, VerifySignatures } from '@pyde/core/platform';
import type { Genesis, ValidatorIndex } from '@pyde/core/types';
import type { DnsResolver } from './dns-seeds.ts';

export interface NodeNetwork extends Transport {
  readonly peerId: string;
  /** Where this node listens, with its peer id; before `start` none. */
  listenAddrs(): readonly string[];
  /** Listens, dials, and hands everything that comes to `user`. */
  start(user: NetworkUser): Promise<void>;
  /** Says goodbye and closes; at most a few seconds. */
  stop(): Promise<void>;
  publish(topic: GossipTopic, message: Uint8Array): void;
  /** One question to one peer. @throws PydeError network.* (timeout, refused, unreachable, size) */
  ask(
    peerId: string,
    protocol: RequestProtocol,
    question: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Uint8Array>;
  /** The answer was wrong or useless: score the peer down. */
  report(peerId: string, offence: Offence): void;
  peers(): readonly PeerStatus[];
  /** Flat, in snake_case; counters only grow, gauges end in a unit or `_now`. */
  metrics(): Readonly<Record<string, number>>;
}

export interface NetworkUser {
  /** From a validator whose link is proven. */
  message(from: ValidatorIndex, bytes: Uint8Array): void;
  connected(peer: ValidatorIndex): void;
  /** Any peer that serves requests came or went (full nodes follow through these). */
  peerConnected(peerId: string): void;
  peerDisconnected(peerId: string): void;
  gossip(
    topic: GossipTopic,
    peerId: string,
    bytes: Uint8Array,
  ): Promise<'accept' | 'ignore' | 'reject'>;
  /** @throws PydeError: sent as a refusal */
  answer(peerId: string, protocol: RequestProtocol, question: Uint8Array): Promise<Uint8Array>;
  /** The network cannot go on (the key is live elsewhere, no port…): the node stops with it. */
  failed(error: PydeError): void;
}

export interface PeerStatus {
  readonly peerId: string;
  /** Only of a peer whose committee link is proven. */
  readonly validator?: ValidatorIndex;
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  readonly transport: 'tcp' | 'quic' | 'ws' | 'webrtc-direct';
  /** Unix time of the connection, ms. */
  readonly sinceMs: number;
  /** Of the committee link; 0 for others. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Of the committee link's last ping. */
  readonly roundTripMs?: number;
  readonly score: number;
}

export interface SentryDuty {
  readonly peerId: string;
  /** The validator's index. */
  readonly validator: number;
}

export interface NetworkOptions {
  /** The datastore lives here. */
  readonly folder: string;
  /** Its hash and the validators' keys. */
  readonly genesis: Genesis;
  /** A validator's; with its index found in genesis. */
  readonly signer?: Signer;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly verify: VerifySignatures;
  /** Multiaddrs (tcp, quic-v1, ws, webrtc-direct). */
  readonly listen: readonly string[];
  readonly announce?: readonly string[];
  /** Multiaddrs, /p2p/… optional. */
  readonly seeds: readonly string[];
  /** Names with TXT "dnsaddr=…", or A/AAAA and a port. */
  readonly dnsSeeds: readonly string[];
  /** Instead of the system's, for tests. */
  readonly dns?: DnsResolver;
  /** This validator talks only to these (multiaddr with /p2p/). */
  readonly sentries?: readonly string[];
  /** This node relays for them and never names them. */
  readonly sentryFor?: readonly SentryDuty[];
  readonly limits?: Partial<ConnectionLimits>;
  readonly scoreRules?: Partial<ScoreRules>;
  /** Consensus first when short. */
  readonly bandwidthBytesPerSecond?: number;
}

export type NetworkErrorCode =
  | 'network.address'
  | 'network.folder'
  | 'network.key-live'
  | 'network.listen'
  | 'network.refused'
  | 'network.sentry'
  | 'network.size'
  | 'network.timeout'
  | 'network.unreachable'
  | 'network.not-a-validator'
  | 'network.stopped';

/**
 * The network of a node: one libp2p node, and on it links to the other validators, requests,
 * gossip, and the dialling of peers (docs/protocol/network.md). This file only puts the parts
 * together; what a peer may do is in core/net.
 */
import type { Connection, PeerId } from '@libp2p/interface';
import { PydeError } from '@pyde/core/bytes';
import {
  DEFAULT_CONNECTION_LIMITS,
  type GossipTopic,
  type Offence,
  PeerBook,
  PeerBudget,
  PeerScores,
  type ProvenPeer,
  REQUEST_PROTOCOLS,
  type RequestProtocol,
  requestProtocolId,
} from '@pyde/core/net';
import {
  genesisHash,
  type Hash,
  toHash,
  toValidatorIndex,
  type ValidatorIndex,
} from '@pyde/core/types';
import { abortConnection } from './abort-connection.ts';
import { CommitteeLinks } from './committee-links.ts';
import { Discovery, type OwnRecord, ownEnd, sentryEnds } from './discovery.ts';
import { Gater, ipOf } from './gater.ts';
import { Gossip } from './gossip.ts';
import type { NetworkOptions, NetworkUser, NodeNetwork, PeerStatus } from './interface.ts';
import { type Libp2pNode, type OpenedNode, openLibp2pNode } from './libp2p-node.ts';
import { LinkOpener } from './link-opener.ts';
import { type NetworkRole, roleOf } from './network-role.ts';
import { PeerDialler } from './peer-dialler.ts';
import { PeerExchanger } from './peer-exchange.ts';
import { peerStatuses } from './peer-status.ts';
import { NOT_SERVED, RequestAnswering } from './request-answering.ts';
import { RequestAsking } from './request-asking.ts';
import { Sentry, type SentryOptions } from './sentry.ts';
import { SentryRoute } from './sentry-route.ts';

/** Goodbyes that nobody hears are not waited for. */
const STOP_MS = 4_000;
const MAX_LAST_ADDRESSES = 1_024;
const UPKEEP_EVERY_MS = 10_000;

/**
 * Everything made and nothing started.
 * @throws PydeError `network.address`, `network.folder`, `network.not-a-validator`
 */
export async function createNodeNetwork(options: NetworkOptions): Promise<NodeNetwork> {
  const { clock, genesis } = options;
  const hash = toHash(genesisHash(genesis));
  const role = roleOf(options);
  const limits = { ...DEFAULT_CONNECTION_LIMITS, exemptLocal: role.isLocal, ...options.limits };
  const scores = new PeerScores(options.scoreRules);
  const nowMs = (): number => clock.now().monotonicMs;
  const budget = new PeerBudget(nowMs());
  const user = new LateUser();
  const peerClass = (peerId: string): 'validator' | 'anybody' =>
    scores.isProven(peerId) ? 'validator' : 'anybody';
  const admit = (peerId: string, what: RequestProtocol | GossipTopic) =>
    budget.spend(peerId, what, nowMs(), peerClass(peerId));
  const gater = new Gater({
    limits,
    scores,
    clock,
    ...(role.sentries === undefined ? {} : { only: role.sentries }),
    isCommittee: (peerId) =>
      scores.isProven(peerId) || role.hidden.has(peerId) || book?.isValidatorEnd(peerId) === true,
  });
  let book: PeerBook | undefined;
  const gossip = new Gossip({
    genesisHash: hash,
    logger: options.logger,
    consider: (topic, peerId, bytes) => user.get().gossip(topic, peerId, bytes),
    admit,
    offend: (peerId, offence) => network.report(peerId, offence),
    points: (peerId) => scores.scoreOf(peerId, nowMs()),
  });
  const opened = await openLibp2pNode({
    folder: options.folder,
    listen: options.listen,
    ...(options.announce === undefined ? {} : { announce: options.announce }),
    dials: role.dials,
    gater,
    maxConnections: limits.maxConnections + limits.reservedForCommittee,
    maxPendingConnections: limits.maxPending + limits.reservedForCommittee,
    handshakeTimeoutMs: limits.handshakeTimeoutMs,
    gossip: gossip.factory,
  });
  const { node } = opened;
  book = new PeerBook({
    random: options.random,
    ownPeerId: node.peerId.toString(),
    takeLocal: role.isLocal,
    hidden: role.hidden,
  });
  book.add({ addresses: role.dials, source: 'seed' });
  const offend = (peerId: string, offence: Offence): void => network.report(peerId, offence);
  const asking = new RequestAsking({ node, offend });
  const exchanger = new PeerExchanger({
    book,
    genesisHash: hash,
    verify: options.verify,
    publicKeyOf: (validator) => genesis.validators[validator]?.publicKey,
  });
  const answering = new RequestAnswering({
    node,
    logger: options.logger,
    served: new Set(REQUEST_PROTOCOLS.filter((protocol) => !NOT_SERVED.has(protocol))),
    answer: async (peerId, protocol, question) => {
      const answer =
        protocol === 'peers'
          ? exchanger.answer(peerId, question)
          : await user.get().answer(peerId, protocol, question);
      budget.answered(peerId, answer.length, nowMs(), peerClass(peerId));
      return answer;
    },
    admit,
    offend,
  });
  const { handshakeTimeoutMs } = limits;
  const links =
    options.signer === undefined || role.validator === undefined
      ? undefined
      : new CommitteeLinks({
          ...options,
          signer: options.signer,
          validator: role.validator,
          handshakeTimeoutMs,
          user: {
            message: (from, bytes) => user.get().message(from, bytes),
            connected: (peer) => user.get().connected(peer),
            proven: (connection, peer) => network.proven(connection, peer),
            offence: (connection, offence) => offend(connection.remotePeer.toString(), offence),
            failed: (error) => user.get().failed(error),
          },
        });
  const missing = (): Iterable<ValidatorIndex> => links?.missing() ?? [];
  const ways = { node, book, clock, handshakeTimeoutMs };
  const committee = committeeWay(options, role, links, {
    ...ways,
    offence: (connection, offence) => offend(connection.remotePeer.toString(), offence),
  });
  const dialler = new PeerDialler({
    node,
    book,
    clock,
    logger: options.logger,
    missing,
    isRefused: (peerId) => scores.isRefused(peerId, nowMs()),
  });
  const discovery = new Discovery({
    node,
    book,
    scores,
    exchanger,
    asking,
    clock,
    random: options.random,
    logger: options.logger,
    folder: options.folder,
    dnsSeeds: options.dnsSeeds,
    ...(options.dns === undefined ? {} : { dns: options.dns }),
    secluded: role.sentries !== undefined,
    offend,
    ...ownRecordOf(options, role, node, hash),
  });
  const network = new Libp2pNetwork({
    options,
    opened,
    gater,
    scores,
    book,
    user,
    gossip,
    asking,
    answering,
    links,
    committee,
    dialler,
    discovery,
  });
  return network;
}

interface Parts {
  readonly options: NetworkOptions;
  readonly opened: OpenedNode;
  readonly gater: Gater;
  readonly scores: PeerScores;
  readonly book: PeerBook;
  readonly user: LateUser;
  readonly gossip: Gossip;
  readonly asking: RequestAsking;
  readonly answering: RequestAnswering;
  /** Of a validator. */
  readonly links: CommitteeLinks | undefined;
  /** How committee streams come and go. */
  readonly committee: CommitteeWay | undefined;
  readonly dialler: PeerDialler;
  readonly discovery: Discovery;
}

class Libp2pNetwork implements NodeNetwork {
  readonly peerId: string;
  readonly #parts: Parts;
  /** Peers that the user was told of. */
  readonly #serving = new Set<string>();
  /** Of peers that did something wrong. */
  readonly #lastAddress = new Map<string, string>();
  /** Peers that went: the library would remember everybody who ever connected. */
  readonly #gone = new Map<string, PeerId>();
  #upkeep: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.peerId = parts.opened.node.peerId.toString();
  }

  listenAddrs(): readonly string[] {
    return this.#parts.opened.node.getMultiaddrs().map(String);
  }

  async start(user: NetworkUser): Promise<void> {
    const { opened, answering, links, committee, gossip, discovery, dialler } = this.#parts;
    const { node } = opened;
    this.#parts.user.set(user);
    node.addEventListener('peer:identify', ({ detail: { peerId, protocols } }) => {
      if (protocols.includes(requestProtocolId('head'))) this.#serves(peerId.toString());
    });
    node.addEventListener('peer:disconnect', ({ detail }) => {
      if (this.#serving.delete(detail.toString())) user.peerDisconnected(detail.toString());
      this.#gone.set(detail.toString(), detail);
    });
    await answering.start();
    await committee?.start();
    await this.#listen();
    gossip.start();
    links?.start();
    await discovery.start();
    dialler.start();
    this.#upkeep = setInterval(() => {
      this.#expect();
      this.#forget();
    }, UPKEEP_EVERY_MS);
    this.#expect();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  send(member: number, message: Uint8Array): void {
    this.#parts.links?.send(toValidatorIndex(member), message);
  }

  broadcast(message: Uint8Array): void {
    this.#parts.links?.broadcast(message);
  }

  publish(topic: GossipTopic, message: Uint8Array): void {
    this.#parts.gossip.publish(topic, message);
  }

  ask(
    peerId: string,
    protocol: RequestProtocol,
    question: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    return this.#parts.asking.ask(peerId, protocol, question, signal);
  }

  report(peerId: string, offence: Offence): void {
    const { scores, options } = this.#parts;
    const connections = this.#connectionsOf(peerId);
    const address = this.#addressOf(peerId, connections[0]);
    const nowMs = options.clock.now().monotonicMs;
    const standing = scores.report(peerId, offence, nowMs, address);
    // A name costs nothing: who changes it before each one is banned is known by its address.
    if (address !== undefined && !scores.isProven(peerId)) {
      scores.reportHost(address, offence, nowMs);
    }
    options.logger.debug('offence', { peer: peerId, offence, standing });
    if (standing !== 'disconnect' && standing !== 'banned') return;
    if (connections.length > 0) options.logger.warn('cut off', { peer: peerId, offence, standing });
    for (const connection of connections) abortConnection(connection, standing);
  }

  /** A committee member is at the other end of this connection. */
  proven(connection: Connection, peer: ProvenPeer): void {
    const { scores, gater, dialler } = this.#parts;
    scores.proven(connection.remotePeer.toString());
    gater.proven(connection.remoteAddr);
    dialler.met(peer.validator, peer.peerId);
  }

  peers(): readonly PeerStatus[] {
    const { opened, scores, links, options } = this.#parts;
    const nowMs = options.clock.now().monotonicMs;
    return peerStatuses(opened.node.getConnections(), links?.live() ?? [], (peerId) =>
      scores.scoreOf(peerId, nowMs),
    );
  }

  metrics(): Readonly<Record<string, number>> {
    const { links, committee, gater, dialler, discovery, gossip, asking, answering } = this.#parts;
    const { scores, options } = this.#parts;
    const bans = scores.bans(options.clock.now().monotonicMs);
    return {
      ...gater.metrics(),
      ...dialler.metrics(),
      ...discovery.metrics(),
      ...links?.metrics(),
      ...committee?.metrics?.(),
      ...gossip.metrics(),
      ...asking.metrics(),
      ...answering.metrics(),
      banned_peers: bans.peers.length,
      banned_hosts: bans.hosts.length,
    };
  }

  #serves(peerId: string): void {
    if (this.#serving.has(peerId) || this.#connectionsOf(peerId).length === 0) return;
    this.#serving.add(peerId);
    this.#parts.user.get().peerConnected(peerId);
  }

  async #listen(): Promise<void> {
    const { opened, options } = this.#parts;
    try {
      await opened.node.start();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await opened.close();
      throw new PydeError(
        'network.listen',
        `cannot listen on ${options.listen.join(', ')}: ${reason}; is the port taken?`,
      );
    }
  }

  async #stop(): Promise<void> {
    const { opened, committee, dialler, discovery, links, gossip, answering, asking } = this.#parts;
    clearInterval(this.#upkeep);
    committee?.stop();
    dialler.stop();
    links?.stop();
    gossip.stop();
    asking.stop();
    const closing = Promise.all([answering.stop(), discovery.stop()]).then(() => opened.close());
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STOP_MS);
    await Promise.race([closing, late.promise]).finally(() => clearTimeout(timer));
  }

  /** Validators are let in from wherever their records say, however full it is. */
  #expect(): void {
    const { book, gater, options } = this.#parts;
    for (const index of options.genesis.validators.keys()) {
      const ends = book.recordOf(toValidatorIndex(index))?.ends ?? [];
      gater.expect(ends.flatMap(({ addresses }) => addresses));
    }
  }

  /** Of one that was just cut off, too: what it did is often noticed in a row. */
  #addressOf(peerId: string, connection: Connection | undefined): string | undefined {
    const address = connection === undefined ? undefined : ipOf(connection.remoteAddr);
    if (address === undefined) return this.#lastAddress.get(peerId);
    this.#lastAddress.delete(peerId);
    const [oldest] = this.#lastAddress.keys();
    if (oldest !== undefined && this.#lastAddress.size >= MAX_LAST_ADDRESSES) {
      this.#lastAddress.delete(oldest);
    }
    this.#lastAddress.set(peerId, address);
    return address;
  }

  /** Not at once: its other listeners still look the peer up. */
  #forget(): void {
    const { node } = this.#parts.opened;
    for (const [name, peerId] of this.#gone) {
      if (node.getConnections(peerId).length > 0) continue;
      node.peerStore.delete(peerId).catch((error) => {
        this.#parts.options.logger.debug('a peer is not forgotten', {
          peer: name,
          reason: `${error}`,
        });
      });
    }
    this.#gone.clear();
  }

  #connectionsOf(peerId: string): Connection[] {
    const all = this.#parts.opened.node.getConnections();
    return all.filter((connection) => connection.remotePeer.toString() === peerId);
  }
}

/** What comes before `start` is nobody's. */
class LateUser {
  #user: NetworkUser | undefined;

  set(user: NetworkUser): void {
    this.#user = user;
  }

  get(): NetworkUser {
    if (this.#user !== undefined) return this.#user;
    throw new PydeError('network.stopped', 'the network has not started');
  }
}

interface CommitteeWay {
  start(): Promise<void>;
  stop(): void;
  metrics?(): Record<string, number>;
}

function committeeWay(
  { sentryFor = [], logger }: NetworkOptions,
  role: NetworkRole,
  links: CommitteeLinks | undefined,
  ways: Pick<SentryOptions, 'node' | 'book' | 'clock' | 'handshakeTimeoutMs' | 'offence'>,
): CommitteeWay | undefined {
  if (sentryFor.length > 0) return new Sentry({ ...ways, logger, duties: sentryFor });
  if (links === undefined) return undefined;
  if (role.sentries === undefined) return new LinkOpener({ ...ways, links });
  return new SentryRoute({ ...ways, links, sentries: role.sentries });
}

/** A validator tells where it is reached: at its sentries, where it has some, and only there. */
function ownRecordOf(
  { signer, sentries }: NetworkOptions,
  { validator }: NetworkRole,
  node: Libp2pNode,
  hash: Hash,
): { readonly own?: OwnRecord } {
  if (signer === undefined || validator === undefined) return {};
  return {
    own: {
      genesisHash: hash,
      validator,
      sign: (digest) => signer.sign(digest),
      ends: () =>
        sentries === undefined
          ? ownEnd(node.peerId.toString(), node.getMultiaddrs().map(String))
          : sentryEnds(sentries),
    },
  };
}

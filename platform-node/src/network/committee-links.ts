/**
 * The links to the other validators: at most one a pair, one process a key
 * (docs/protocol/network.md, "Links").
 *
 * When both sides opened one, the one that the lower validator index opened stays; both sides
 * decide it for themselves from what is proven, so they agree without a word. A validator that
 * proves itself from another process than before is let in only when the old one no longer answers;
 * else it is told so, and a process that hears it from f + 1 validators, one of which is honest,
 * stops.
 */
import type { Connection, Stream } from '@libp2p/interface';
import { equalBytes, PydeError } from '@pyde/core/bytes';
import type { Signer } from '@pyde/core/consensus';
import { maxFaulty } from '@pyde/core/finality';
import {
  Bandwidth,
  NONCE_BYTES,
  type Offence,
  type ProvenPeer,
  type Refusal,
  SEND_QUEUE_BYTES,
  SESSION_BYTES,
  type SendQueueOptions,
} from '@pyde/core/net';
import type { Clock, Logger, Random, VerifySignatures } from '@pyde/core/platform';
import {
  type Genesis,
  genesisHash,
  toHash,
  toValidatorIndex,
  type ValidatorIndex,
} from '@pyde/core/types';
import { CommitteeLink, type LinkEnd } from './committee-link.ts';
import { LinkTraffic } from './link-traffic.ts';

export interface CommitteeLinksOptions {
  readonly genesis: Genesis;
  readonly validator: ValidatorIndex;
  readonly signer: Signer;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly verify: VerifySignatures;
  readonly handshakeTimeoutMs: number;
  readonly bandwidthBytesPerSecond?: number;
  readonly user: LinksUser;
}

export interface LinksUser {
  message(from: ValidatorIndex, bytes: Uint8Array): void;
  connected(peer: ValidatorIndex): void;
  /** The connection is a validator's or its sentry's; not told of one to our own sentry. */
  proven(connection: Connection, peer: ProvenPeer): void;
  /** Of a connection that is not to our own sentry, which cannot know. */
  offence(connection: Connection, offence: Offence): void;
  failed(error: PydeError): void;
}

/** A stream to or from another validator, directly or through our sentry. */
export interface CommitteeStream {
  readonly stream: Stream;
  readonly connection: Connection;
  readonly role: 'dialler' | 'listener';
  /** The end at which the other side sees us. */
  readonly ownPeerId: string;
  /** The other end; undefined when our sentry holds the hello against what it sees. */
  readonly remotePeerId: string | undefined;
}

interface Slot {
  live: CommitteeLink | undefined;
  /** From another process than the live one, which is being asked whether it is still there. */
  waiting: { readonly link: CommitteeLink; readonly timer: NodeJS.Timeout } | undefined;
}

const TICK_MS = 500;
const PROBE_MS = 2_000;
const PROBE_LOOKS = 20;
/** A link that missed a ping gives way to any new one of the same process. */
const FRESH_MS = 3_000;
/** Handshakes under way; each costs one verification and, once proven, one signature. */
const MAX_HANDSHAKES = 64;
const MAX_HANDSHAKES_PER_CONNECTION = 2;

export class CommitteeLinks {
  readonly traffic = new LinkTraffic();
  readonly #options: CommitteeLinksOptions;
  readonly #genesisHash;
  readonly #session: Uint8Array;
  readonly #queue: SendQueueOptions;
  readonly #slots = new Map<ValidatorIndex, Slot>();
  readonly #handshakes = new Set<CommitteeLink>();
  /** Validators that refuse this process because the key is live in another one. */
  readonly #refusers = new Set<ValidatorIndex>();
  #tick: NodeJS.Timeout | undefined;
  #tickedMs = 0;
  #stopped = false;
  /** Said once. */
  #gaveUp = false;
  #handshakesFailed = 0;
  #refused = 0;
  #droppedBefore = { consensus: 0, bulk: 0 };

  constructor(options: CommitteeLinksOptions) {
    this.#options = options;
    this.#genesisHash = toHash(genesisHash(options.genesis));
    this.#session = options.random.bytes(SESSION_BYTES);
    const perSecond = options.bandwidthBytesPerSecond;
    const nowMs = options.clock.now().monotonicMs;
    this.#queue = {
      maxBytes: SEND_QUEUE_BYTES,
      ...(perSecond === undefined ? {} : { bandwidth: new Bandwidth(perSecond, nowMs) }),
    };
  }

  start(): void {
    this.#tickedMs = this.#options.clock.now().monotonicMs;
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
  }

  /** Closes every link; none is taken any more. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#tick);
    for (const link of this.#handshakes) link.close('this node stops');
    for (const slot of this.#slots.values()) {
      clearTimeout(slot.waiting?.timer);
      slot.waiting?.link.close('this node stops');
      slot.live?.close('this node stops');
    }
  }

  /** This one. */
  get validator(): ValidatorIndex {
    return this.#options.validator;
  }

  /** The live link; undefined when there is none. */
  link(validator: ValidatorIndex): CommitteeLink | undefined {
    return this.#slots.get(validator)?.live;
  }

  /** The others to which there is no link. */
  *missing(): Iterable<ValidatorIndex> {
    for (const index of this.#options.genesis.validators.keys()) {
      const validator = toValidatorIndex(index);
      if (validator !== this.validator && this.link(validator) === undefined) yield validator;
    }
  }

  *live(): Iterable<CommitteeLink> {
    for (const { live } of this.#slots.values()) if (live !== undefined) yield live;
  }

  /** Is there a link to that end, or a handshake on its way? */
  reaches(peerId: string): boolean {
    for (const link of this.live()) if (link.peer?.peerId === peerId) return true;
    for (const link of this.#handshakes) {
      if (link.connection.remotePeer.toString() === peerId) return true;
    }
    return false;
  }

  /** Dropped when there is no link. @throws PydeError `net.frame` for what nobody would take */
  send(validator: ValidatorIndex, message: Uint8Array): void {
    const live = this.link(validator);
    if (live === undefined) return;
    live.send(message);
    this.traffic.sent(message);
  }

  broadcast(message: Uint8Array): void {
    for (const link of this.live()) {
      link.send(message);
      this.traffic.sent(message);
    }
  }

  /** A handshake begins; undefined when too many are under way. */
  take(opened: CommitteeStream): CommitteeLink | undefined {
    const { stream, connection, role, ownPeerId, remotePeerId } = opened;
    const relayed = remotePeerId === undefined;
    if (this.#stopped || !this.#mayBegin(connection, relayed)) {
      stream.abort(new Error('too many handshakes'));
      if (!this.#stopped && !relayed) this.#options.user.offence(connection, 'stream-exhaustion');
      return undefined;
    }
    const { genesis, signer, random, validator, verify } = this.#options;
    const link = new CommitteeLink({
      stream,
      connection,
      handshake: {
        role,
        genesisHash: this.#genesisHash,
        validator,
        session: this.#session,
        nonce: random.bytes(NONCE_BYTES),
        peerId: ownPeerId,
        remotePeerId,
        publicKeyOf: (index) => genesis.validators[index]?.publicKey,
        sign: (digest) => signer.sign(digest),
        verify,
      },
      handshakeTimeoutMs: this.#options.handshakeTimeoutMs,
      queue: this.#queue,
      clock: this.#options.clock,
      owner: this.#owner,
    });
    this.#handshakes.add(link);
    return link;
  }

  metrics(): Record<string, number> {
    const dropped = { ...this.#droppedBefore };
    let live = 0;
    let consensusBytes = 0;
    let bulkBytes = 0;
    let writeAhead = 0;
    for (const { stream } of this.live()) {
      live++;
      consensusBytes += stream.queue.bytesOf('consensus');
      bulkBytes += stream.queue.bytesOf('bulk');
      writeAhead += stream.writeAheadBytes;
      dropped.consensus += stream.queue.dropped('consensus');
      dropped.bulk += stream.queue.dropped('bulk');
    }
    return {
      links_live: live,
      link_handshakes_pending: this.#handshakes.size,
      link_handshakes_failed: this.#handshakesFailed,
      links_refused_live_elsewhere: this.#refused,
      link_queue_consensus_bytes: consensusBytes,
      link_queue_bulk_bytes: bulkBytes,
      link_write_ahead_bytes: writeAhead,
      link_dropped_consensus: dropped.consensus,
      link_dropped_bulk: dropped.bulk,
      ...this.traffic.metrics(),
    };
  }

  readonly #owner = {
    proven: (link: CommitteeLink, peer: ProvenPeer): void => this.#proven(link, peer),
    message: (link: CommitteeLink, message: Uint8Array): void => {
      const from = link.peer?.validator;
      if (from === undefined || this.link(from) !== link) return;
      this.traffic.received(message);
      this.#options.user.message(from, message);
    },
    refused: (link: CommitteeLink, refusal: Refusal): void => this.#onRefusal(link, refusal),
    ended: (link: CommitteeLink, end: LinkEnd): void => this.#ended(link, end),
  };

  /** A sentry's connection has everybody's streams; it counts them itself. */
  #mayBegin(connection: Connection, relayed: boolean): boolean {
    if (this.#handshakes.size >= MAX_HANDSHAKES) return false;
    if (relayed) return true;
    let same = 0;
    for (const link of this.#handshakes) if (link.connection === connection) same++;
    return same < MAX_HANDSHAKES_PER_CONNECTION;
  }

  #proven(link: CommitteeLink, peer: ProvenPeer): void {
    this.#handshakes.delete(link);
    if (!link.isRelayed) this.#options.user.proven(link.connection, peer);
    const slot = this.#slot(peer.validator);
    const live = slot.live;
    if (live?.peer === undefined) this.#adopt(slot, link, peer);
    else if (!equalBytes(live.peer.session, peer.session)) this.#probe(slot, live, link, peer);
    else if (this.#staysOver(link, live, peer.validator)) this.#adopt(slot, link, peer);
    else link.close('there is a link already');
  }

  /** Of two links between the same two processes: is the new one to stay? */
  #staysOver(link: CommitteeLink, live: CommitteeLink, other: ValidatorIndex): boolean {
    const ours = this.#options.validator < other;
    if (link.openedByUs === live.openedByUs || link.openedByUs === ours) return true;
    return this.#options.clock.now().monotonicMs - live.heardMs > FRESH_MS;
  }

  #adopt(slot: Slot, link: CommitteeLink, peer: ProvenPeer): void {
    const before = slot.live;
    slot.live = link;
    if (before !== undefined) {
      this.#countDrops(before);
      before.close('another link took its place');
    }
    this.#options.logger.info('linked', { validator: peer.validator, peer: peer.peerId });
    this.#options.user.connected(peer.validator);
  }

  /** Is the process behind the live link still there? It has two seconds to say so. */
  #probe(slot: Slot, live: CommitteeLink, link: CommitteeLink, peer: ProvenPeer): void {
    if (slot.waiting !== undefined) {
      link.refuse('busy', 'another process with this key is being looked at');
      return;
    }
    link.hold();
    const ping = live.ping();
    let looks = 0;
    const timer = setInterval(() => {
      // Counted, not timed: while this process stands still nobody's answer is read.
      const late = ++looks >= PROBE_LOOKS;
      const answered = slot.live === live && live.pongNumber >= ping;
      if (!answered && !late && slot.live === live) return;
      clearInterval(timer);
      slot.waiting = undefined;
      if (answered) this.#refuseTwin(link, peer);
      else this.#admit(slot, live, link, peer);
    }, PROBE_MS / PROBE_LOOKS);
    slot.waiting = { link, timer };
  }

  #refuseTwin(link: CommitteeLink, { validator }: ProvenPeer): void {
    if (!link.isOpen) return;
    this.#refused++;
    this.#options.logger.warn('refused a second process with the key of a validator', {
      validator,
    });
    link.refuse('live-elsewhere', `validator ${validator} is live in another process`);
  }

  #admit(slot: Slot, live: CommitteeLink, link: CommitteeLink, peer: ProvenPeer): void {
    if (slot.live === live) live.cut('it no longer answers');
    if (!link.isOpen) return;
    this.#adopt(slot, link, peer);
    link.release();
  }

  #onRefusal(link: CommitteeLink, { code }: Refusal): void {
    const peer = link.peer?.validator;
    if (code !== 'live-elsewhere' || peer === undefined || this.#gaveUp) return;
    this.#refusers.add(peer);
    const { genesis, validator, user } = this.#options;
    const enough = maxFaulty(genesis.validators.length) + 1;
    if (this.#refusers.size < enough) return;
    this.#gaveUp = true;
    user.failed(
      new PydeError(
        'network.key-live',
        `${this.#refusers.size} validators say that validator ${validator} is live in another ` +
          'process; stop that one first, and never run one key twice',
        { validator, refusers: this.#refusers.size },
      ),
    );
  }

  #ended(link: CommitteeLink, end: LinkEnd): void {
    const { logger, user } = this.#options;
    const peer = link.peer;
    if (end.offence !== undefined && !link.isRelayed) user.offence(link.connection, end.offence);
    if (peer === undefined) {
      this.#handshakes.delete(link);
      this.#handshakesFailed++;
      logger.debug('no link', { peer: link.connection.remotePeer.toString(), reason: end.reason });
      return;
    }
    const slot = this.#slots.get(peer.validator);
    if (slot?.live !== link) return;
    slot.live = undefined;
    this.#countDrops(link);
    logger.info('link lost', { validator: peer.validator, reason: end.reason });
  }

  #onTick(): void {
    const nowMs = this.#options.clock.now().monotonicMs;
    const stalledMs = Math.max(0, nowMs - this.#tickedMs - 2 * TICK_MS);
    this.#tickedMs = nowMs;
    for (const link of this.live()) {
      link.tick(nowMs, stalledMs);
      const peer = link.peer?.validator;
      // It let this process in after all: whoever else had the key is gone.
      if (peer !== undefined && link.roundTripMs !== undefined) this.#refusers.delete(peer);
    }
  }

  #slot(validator: ValidatorIndex): Slot {
    let slot = this.#slots.get(validator);
    if (slot === undefined) {
      slot = { live: undefined, waiting: undefined };
      this.#slots.set(validator, slot);
    }
    return slot;
  }

  #countDrops({ stream }: CommitteeLink): void {
    this.#droppedBefore.consensus += stream.queue.dropped('consensus');
    this.#droppedBefore.bulk += stream.queue.dropped('bulk');
  }
}

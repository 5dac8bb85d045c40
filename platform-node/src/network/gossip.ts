/**
 * Gossip for everybody: certificates of finality, and transactions on their way to a validator
 * (docs/protocol/network.md, "Gossip"). gossipsub carries it, without signatures of its own: what
 * is said carries the signatures that matter. A message is known by the hash of its topic and
 * bytes, so that it is looked at once whoever brings it.
 *
 * Nothing is passed on before the node has looked at it. Of what one peer sends, so much is looked
 * at as its budget allows; the rest is dropped. A peer that sends faster than anybody honest is not
 * read until it may again, and that costs its score.
 */

import type { GossipSub, GossipsubOpts, Message } from '@libp2p/gossipsub';
import { gossipsub, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub';
import type { Connection, PeerId, Stream } from '@libp2p/interface';
import { PydeError } from '@pyde/core/bytes';
import { blake3 } from '@pyde/core/crypto';
import {
  GOSSIP_LIMITS,
  GOSSIP_TOPICS,
  type GossipTopic,
  gossipTopicId,
  type Offence,
} from '@pyde/core/net';
import type { Logger } from '@pyde/core/platform';
import type { Hash } from '@pyde/core/types';
import { deadline, raced } from './deadline.ts';
import { gossipRegistrar } from './gossip-registrar.ts';
import type { GossipFactory } from './libp2p-node.ts';
import { RpcMeter } from './rpc-meter.ts';

/** Messages that the node looks at at a time, of one peer and of all, and their bytes. */
const MAX_CONSIDERED_PER_PEER = 64;
const MAX_CONSIDERED = 256;
const MAX_CONSIDERED_BYTES = 32 * 1024 * 1024;
const CONSIDER_TIMEOUT_MS = 10_000;
/** One RPC of the library: several messages when they were asked for. */
const MAX_RPC_BYTES = 4 * 1024 * 1024;
/** What a slow reader may make us hold; above it its stream is reset. */
const MAX_OUTBOUND_BYTES = 4 * 1024 * 1024;
/** As many as the library tells of within its window. */
const MAX_MESSAGE_IDS = 2_048;
/** Best first. */
const PROTOCOLS = ['/meshsub/1.2.0', '/meshsub/1.1.0', '/meshsub/1.0.0'];
const MAX_STREAMS = 4;
/** A stream that must wait counts as one flood for each such time, so that a great one ends soon. */
const FLOOD_MS = 250;
const MAX_FLOODS_PER_PAUSE = 25;
/** Attempts, one a turn of the event loop, to find the library reading a new stream. */
const MAX_LOOKS = 100;

type ScoreParams = NonNullable<GossipsubOpts['scoreParams']>;
type TopicScoreParams = NonNullable<ScoreParams['topics']>[string];

export type Verdict = 'accept' | 'ignore' | 'reject';

export interface GossipOptions {
  readonly genesisHash: Hash;
  readonly logger: Logger;
  consider(topic: GossipTopic, peerId: string, bytes: Uint8Array): Promise<Verdict>;
  /** One message out of the peer's budget. */
  admit(peerId: string, topic: GossipTopic): 'take' | 'throttle' | 'flood';
  offend(peerId: string, offence: Offence): void;
  /** Points against a peer, 0 to 100, where it is banned. */
  points(peerId: string): number;
}

export class Gossip {
  /** Makes the service of a libp2p node; its only user. */
  readonly factory: GossipFactory;
  readonly #options: GossipOptions;
  readonly #topics = new Map<string, GossipTopic>();
  readonly #considered = new Map<string, number>();
  #consideredInAll = 0;
  #consideredBytes = 0;
  #service: GossipSub | undefined;
  #subscribed = false;
  readonly #counts = { published: 0, received: 0, accepted: 0, rejected: 0, dropped: 0, paused: 0 };
  #bytesIn = 0;

  constructor(options: GossipOptions) {
    this.#options = options;
    for (const topic of GOSSIP_TOPICS) {
      this.#topics.set(gossipTopicId(topic, options.genesisHash), topic);
    }
    this.factory = (components) => {
      const service = gossipsub({
        globalSignaturePolicy: StrictNoSign,
        msgIdFn: (message) => blake3(new TextEncoder().encode(message.topic), message.data),
        allowedTopics: [...this.#topics.keys()],
        fallbackToFloodsub: false,
        floodPublish: false,
        emitSelf: false,
        batchPublish: true,
        allowPublishToZeroTopicPeers: true,
        ignoreDuplicatePublishError: true,
        tagMeshPeers: false,
        maxInboundStreams: MAX_STREAMS,
        maxOutboundStreams: MAX_STREAMS,
        maxInboundDataLength: MAX_RPC_BYTES,
        maxOutboundBufferSize: MAX_OUTBOUND_BYTES,
        decodeRpcLimits: DECODE_LIMITS,
        scoreParams: this.#scoreParams(),
        scoreThresholds: THRESHOLDS,
      })({
        privateKey: components.privateKey,
        peerId: components.peerId,
        peerStore: components.peerStore,
        connectionManager: components.connectionManager,
        logger: components.logger,
        registrar: gossipRegistrar(components.registrar, PROTOCOLS, (stream, connection) =>
          this.#meter(stream, connection),
        ),
      });
      for (const id of this.#topics.keys()) {
        service.topicValidators.set(id, (peer, message) => this.#validate(peer, message));
      }
      this.#service = service;
      return service;
    };
  }

  /** Listens to the topics; the node that the factory made the service of must have started. */
  start(): void {
    for (const id of this.#topics.keys()) this.#service?.subscribe(id);
    this.#subscribed = true;
  }

  stop(): void {
    if (!this.#subscribed) return;
    this.#subscribed = false;
    for (const id of this.#topics.keys()) this.#service?.unsubscribe(id);
  }

  /**
   * To everybody who listens; lost without notice when nobody does.
   * @throws PydeError `network.size`
   */
  publish(topic: GossipTopic, message: Uint8Array): void {
    const { maxBytes } = GOSSIP_LIMITS[topic];
    if (message.length === 0 || message.length > maxBytes) {
      throw new PydeError(
        'network.size',
        `a message of topic ${topic} has 1 to ${maxBytes} bytes, this one ${message.length}`,
        { bytes: message.length },
      );
    }
    if (!this.#subscribed) return;
    this.#counts.published++;
    this.#service
      ?.publish(gossipTopicId(topic, this.#options.genesisHash), message)
      .catch((error) => {
        this.#options.logger.warn('a message could not be published', {
          topic,
          cause: error instanceof Error ? error.message : String(error),
        });
      });
  }

  metrics(): Readonly<Record<string, number>> {
    const { published, received, accepted, rejected, dropped, paused } = this.#counts;
    return {
      gossip_published: published,
      gossip_received: received,
      gossip_accepted: accepted,
      gossip_rejected: rejected,
      gossip_dropped: dropped,
      gossip_streams_paused: paused,
      gossip_bytes_in: this.#bytesIn,
      gossip_considered_now: this.#consideredInAll,
    };
  }

  async #validate(peer: PeerId, message: Message): Promise<TopicValidatorResult> {
    const topic = this.#topics.get(message.topic);
    if (topic === undefined) return TopicValidatorResult.Ignore;
    const peerId = peer.toString();
    this.#counts.received++;
    // No offence: it may pass on what many others said. Whoever makes such a flood of its own is
    // rejected message by message.
    if (this.#options.admit(peerId, topic) !== 'take') {
      this.#counts.dropped++;
      return TopicValidatorResult.Ignore;
    }
    const { length } = message.data;
    if (length === 0 || length > GOSSIP_LIMITS[topic].maxBytes) {
      this.#counts.rejected++;
      this.#options.offend(peerId, 'oversized-frame');
      return TopicValidatorResult.Reject;
    }
    if (!this.#enter(peerId, length)) {
      this.#counts.dropped++;
      return TopicValidatorResult.Ignore;
    }
    try {
      return this.#result(peerId, await this.#verdict(topic, peerId, message.data));
    } finally {
      this.#leave(peerId, length);
    }
  }

  async #verdict(topic: GossipTopic, peerId: string, bytes: Uint8Array): Promise<Verdict> {
    const limit = deadline(CONSIDER_TIMEOUT_MS, () => new Error('the node takes too long'));
    try {
      return await raced(this.#options.consider(topic, peerId, bytes), limit.signal);
    } catch (error) {
      this.#options.logger.error('a gossip message could not be looked at', {
        topic,
        cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      return 'ignore';
    } finally {
      limit.clear();
    }
  }

  #result(peerId: string, verdict: Verdict): TopicValidatorResult {
    switch (verdict) {
      case 'accept':
        this.#counts.accepted++;
        return TopicValidatorResult.Accept;
      case 'ignore':
        return TopicValidatorResult.Ignore;
      case 'reject':
        this.#counts.rejected++;
        this.#options.offend(peerId, 'bad-gossip');
        return TopicValidatorResult.Reject;
    }
  }

  #enter(peerId: string, bytes: number): boolean {
    const ofPeer = this.#considered.get(peerId) ?? 0;
    const full =
      ofPeer >= MAX_CONSIDERED_PER_PEER ||
      this.#consideredInAll >= MAX_CONSIDERED ||
      this.#consideredBytes + bytes > MAX_CONSIDERED_BYTES;
    if (full) return false;
    this.#considered.set(peerId, ofPeer + 1);
    this.#consideredInAll++;
    this.#consideredBytes += bytes;
    return true;
  }

  #leave(peerId: string, bytes: number): void {
    const left = (this.#considered.get(peerId) ?? 1) - 1;
    if (left === 0) this.#considered.delete(peerId);
    else this.#considered.set(peerId, left);
    this.#consideredInAll--;
    this.#consideredBytes -= bytes;
  }

  /**
   * The first reader of a stream is handed what waits, so the meter must come second: it looks
   * whether the library reads yet, once a turn.
   */
  #meter(stream: Stream, connection: Connection, looks = 0): void {
    if (stream.listenerCount('message') === 0) {
      if (looks < MAX_LOOKS) setImmediate(() => this.#meter(stream, connection, looks + 1));
      return;
    }
    const meter = new RpcMeter(performance.now());
    stream.addEventListener('message', ({ data }) => {
      this.#bytesIn += data.byteLength;
      const waitMs = meter.pass(data.subarray(), performance.now());
      if (waitMs > 0) this.#pause(stream, connection, waitMs);
    });
  }

  #pause(stream: Stream, connection: Connection, waitMs: number): void {
    if (stream.readStatus !== 'readable') return;
    this.#counts.paused++;
    stream.pause();
    setTimeout(() => resume(stream), waitMs).unref();
    const floods = Math.min(Math.ceil(waitMs / FLOOD_MS), MAX_FLOODS_PER_PAUSE);
    for (let i = 0; i < floods; i++)
      this.#options.offend(connection.remotePeer.toString(), 'flood');
  }

  /** What the node knows against a peer counts among peers that gossip, too. */
  #scoreParams(): ScoreParams {
    return {
      topics: Object.fromEntries([...this.#topics.keys()].map((id) => [id, TOPIC_SCORES])),
      appSpecificScore: (peerId) => -this.#options.points(peerId),
      appSpecificWeight: 1,
      // Connections by address are the gater's business; a localnet is one address.
      IPColocationFactorWeight: 0,
      behaviourPenaltyWeight: -1,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyDecay: 0.9,
    };
  }
}

function resume(stream: Stream): void {
  try {
    if (stream.readStatus === 'paused') stream.resume();
  } catch {
    // Its connection is gone, and it has not been told yet.
  }
}

const DECODE_LIMITS = {
  maxSubscriptions: 16,
  maxMessages: 128,
  maxControlMessages: 64,
  maxIhaveMessageIDs: MAX_MESSAGE_IDS,
  maxIwantMessageIDs: MAX_MESSAGE_IDS,
  maxIdontwantMessageIDs: 512,
  maxPeerInfos: 16,
};

/** In points: 100 end in a ban, so a peer half way there is not gossiped with. */
const THRESHOLDS = { gossipThreshold: -30, publishThreshold: -40, graylistThreshold: -50 };

/** How much there is to gossip varies too much to expect deliveries; what is wrong counts. */
const TOPIC_SCORES: TopicScoreParams = {
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 0.1,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 50,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 100,
  meshMessageDeliveriesThreshold: 20,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -2,
  invalidMessageDeliveriesDecay: 0.9,
};

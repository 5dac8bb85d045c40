/**
 * How large and how frequent everything may be that comes over the network: one table for request
 * protocols and one for gossip topics (docs/protocol/network.md, "Tables"). Those of link frames
 * are by kind, in `link-frames.ts`. Sizes are checked before anything is allocated.
 */
import { toHex } from '../bytes/index.ts';
import { MAX_MESSAGE_BYTES } from '../consensus/index.ts';
import type { Offence } from './offence.ts';
import type { BucketRate } from './token-bucket.ts';

/** In the order in which pages name them. */
export const REQUEST_PROTOCOLS = [
  'head',
  'cert',
  'epoch',
  'proof',
  'waves',
  'peers',
  'events',
  'manifest',
  'chunk',
] as const;
export type RequestProtocol = (typeof REQUEST_PROTOCOLS)[number];

export const GOSSIP_TOPICS = ['finality', 'tx'] as const;
export type GossipTopic = (typeof GOSSIP_TOPICS)[number];

export interface RequestLimit {
  readonly maxQuestionBytes: number;
  readonly maxAnswerBytes: number;
  /** Questions of one peer. */
  readonly rate: BucketRate;
  /** Questions of all peers together that are no proven validators. */
  readonly rateInAll: BucketRate;
  /** Streams of one peer that may be open at once. */
  readonly maxOpen: number;
  /** From the question to the last byte of the answer. */
  readonly timeoutMs: number;
  /** What a question above the rate counts as; one above the size is an `oversized-frame`. */
  readonly breach: Offence;
}

export interface GossipLimit {
  readonly maxBytes: number;
  /** Messages that one peer forwards. */
  readonly rate: BucketRate;
  readonly breach: Offence;
}

const KIB = 1024;
const MIB = 1024 * KIB;

const limit = (
  maxQuestionBytes: number,
  maxAnswerBytes: number,
  [capacity, perSecond]: readonly [number, number],
  inAllPerSecond: number,
  { maxOpen = 2, timeoutMs = 5_000 }: { maxOpen?: number; timeoutMs?: number } = {},
): RequestLimit => ({
  maxQuestionBytes,
  maxAnswerBytes,
  rate: { capacity, perSecond },
  rateInAll: { capacity: 2 * inAllPerSecond, perSecond: inAllPerSecond },
  maxOpen,
  timeoutMs,
  breach: 'flood',
});

/** question, answer, [burst, a second] of one peer, a second in all. */
export const REQUEST_LIMITS: Readonly<Record<RequestProtocol, RequestLimit>> = {
  head: limit(64, 256 * KIB, [1, 1], 200),
  cert: limit(64, 1 * MIB, [16, 4], 200),
  epoch: limit(64, 256 * KIB, [8, 2], 50, { timeoutMs: 10_000 }),
  proof: limit(8 * KIB, 3 * MIB, [16, 8], 200, { timeoutMs: 10_000 }),
  waves: limit(64, MAX_MESSAGE_BYTES, [8, 4], 40, { timeoutMs: 20_000 }),
  peers: limit(64, 256 * KIB, [2, 1], 20),
  events: limit(4 * KIB, 1 * MIB, [8, 4], 50, { timeoutMs: 10_000 }),
  manifest: limit(64, 1 * MIB, [2, 1], 10, { timeoutMs: 10_000 }),
  chunk: limit(64, 5 * MIB, [8, 4], 20, { timeoutMs: 30_000 }),
};

/** A proven validator, whose catching up helps everybody, may ask so many times as often. */
export const VALIDATOR_RATE_FACTOR = 8;

/** Bytes of answers, whatever was asked: of one peer, and of all that are no proven validators. */
export const ANSWER_BYTES: BucketRate = { capacity: 32 * MIB, perSecond: 8 * MIB };
export const ANSWER_BYTES_IN_ALL: BucketRate = { capacity: 64 * MIB, perSecond: 32 * MIB };

export const GOSSIP_LIMITS: Readonly<Record<GossipTopic, GossipLimit>> = {
  finality: { maxBytes: 128 * KIB, rate: { capacity: 64, perSecond: 32 }, breach: 'flood' },
  tx: { maxBytes: 1 * MIB, rate: { capacity: 128, perSecond: 64 }, breach: 'flood' },
};

/** libp2p protocol of the streams between validators. */
export const COMMITTEE_PROTOCOL = '/pyde/1/committee';

export const requestProtocolId = (protocol: RequestProtocol): string => `/pyde/1/${protocol}`;

/** Of another chain's topic nothing is ever received. */
export const gossipTopicId = (topic: GossipTopic, genesisHash: Uint8Array): string =>
  `/pyde/1/${toHex(genesisHash.subarray(0, 4)).slice(2)}/${topic}`;

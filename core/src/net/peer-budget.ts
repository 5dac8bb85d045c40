/**
 * What each peer may ask and gossip: one bucket for each peer and name in the tables, and one for
 * each request protocol over all peers, so that a crowd of peers is held, too. Validators' links
 * are no part of it, and proven validators do not draw on what is for all.
 */
import { BoundedMap } from './bounded-map.ts';
import {
  GOSSIP_LIMITS,
  type GossipTopic,
  REQUEST_LIMITS,
  REQUEST_PROTOCOLS,
  type RequestProtocol,
  VALIDATOR_RATE_FACTOR,
} from './protocol-limits.ts';
import { type BucketRate, TokenBucket } from './token-bucket.ts';

export type Budgeted = RequestProtocol | GossipTopic;
export type PeerClass = 'anybody' | 'validator';

const MAX_PEERS = 2_048;

export class PeerBudget {
  readonly #peers: BoundedMap<string, Map<Budgeted, TokenBucket>>;
  readonly #inAll = new Map<Budgeted, TokenBucket>();

  constructor(nowMs: number, maxPeers: number = MAX_PEERS) {
    this.#peers = new BoundedMap(maxPeers);
    for (const protocol of REQUEST_PROTOCOLS) {
      this.#inAll.set(protocol, new TokenBucket(REQUEST_LIMITS[protocol].rateInAll, nowMs));
    }
  }

  get peers(): number {
    return this.#peers.size;
  }

  /** One question or message; a refused one costs the peer nothing but the `breach` of its table. */
  spend(
    peerId: string,
    what: Budgeted,
    nowMs: number,
    peerClass: PeerClass = 'anybody',
  ): 'take' | 'throttle' {
    if (!this.#bucket(peerId, what, nowMs, peerClass).take(1, nowMs)) return 'throttle';
    const inAll = peerClass === 'validator' ? undefined : this.#inAll.get(what);
    return inAll === undefined || inAll.take(1, nowMs) ? 'take' : 'throttle';
  }

  #bucket(peerId: string, what: Budgeted, nowMs: number, peerClass: PeerClass): TokenBucket {
    let buckets = this.#peers.get(peerId);
    if (buckets === undefined) {
      buckets = new Map();
      this.#peers.set(peerId, buckets);
    }
    let bucket = buckets.get(what);
    if (bucket === undefined) {
      bucket = new TokenBucket(rateOf(what, peerClass), nowMs);
      buckets.set(what, bucket);
    }
    return bucket;
  }
}

function rateOf(what: Budgeted, peerClass: PeerClass): BucketRate {
  if (what === 'finality' || what === 'tx') return GOSSIP_LIMITS[what].rate;
  const { capacity, perSecond } = REQUEST_LIMITS[what].rate;
  const factor = peerClass === 'validator' ? VALIDATOR_RATE_FACTOR : 1;
  return { capacity: factor * capacity, perSecond: factor * perSecond };
}

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
/** Refusals that come at once before they count; as many a second as answers do not count either. */
const PATIENCE = 16;

interface Buckets {
  readonly granted: TokenBucket;
  readonly refused: TokenBucket;
}

export class PeerBudget {
  readonly #peers: BoundedMap<string, Map<Budgeted, Buckets>>;
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

  /**
   * One question or message. `throttle`: it is refused, and that is all, since a hurried peer is no
   * hostile one; `flood`: it comes so often after refusals that the `breach` of its table is due.
   */
  spend(
    peerId: string,
    what: Budgeted,
    nowMs: number,
    peerClass: PeerClass = 'anybody',
  ): 'take' | 'throttle' | 'flood' {
    const { granted, refused } = this.#buckets(peerId, what, nowMs, peerClass);
    if (!granted.take(1, nowMs)) return refused.take(1, nowMs) ? 'throttle' : 'flood';
    const inAll = peerClass === 'validator' ? undefined : this.#inAll.get(what);
    return inAll === undefined || inAll.take(1, nowMs) ? 'take' : 'throttle';
  }

  #buckets(peerId: string, what: Budgeted, nowMs: number, peerClass: PeerClass): Buckets {
    let byName = this.#peers.get(peerId);
    if (byName === undefined) {
      byName = new Map();
      this.#peers.set(peerId, byName);
    }
    let buckets = byName.get(what);
    if (buckets === undefined) {
      const rate = rateOf(what, peerClass);
      const { capacity, perSecond } = rate;
      const patience = { capacity: PATIENCE + capacity, perSecond: perSecond };
      buckets = {
        granted: new TokenBucket(rate, nowMs),
        refused: new TokenBucket(patience, nowMs),
      };
      byName.set(what, buckets);
    }
    return buckets;
  }
}

function rateOf(what: Budgeted, peerClass: PeerClass): BucketRate {
  if (what === 'finality' || what === 'tx') return GOSSIP_LIMITS[what].rate;
  const { capacity, perSecond } = REQUEST_LIMITS[what].rate;
  const factor = peerClass === 'validator' ? VALIDATOR_RATE_FACTOR : 1;
  return { capacity: factor * capacity, perSecond: factor * perSecond };
}

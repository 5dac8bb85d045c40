/**
 * What each peer may ask and gossip: one bucket for each peer and name in the tables, and one for
 * each request protocol over all peers, so that a crowd of peers is held, too; and the same of the
 * bytes of answers, since a small question may have a large one. Validators' links are no part of
 * it, and proven validators do not draw on what is for all.
 */
import { BoundedMap } from './bounded-map.ts';
import {
  ANSWER_BYTES,
  ANSWER_BYTES_IN_ALL,
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

interface Spent {
  readonly byName: Map<Budgeted, Buckets>;
  readonly answerBytes: TokenBucket;
}

export class PeerBudget {
  readonly #peers: BoundedMap<string, Spent>;
  readonly #inAll = new Map<Budgeted, TokenBucket>();
  readonly #bytesInAll: TokenBucket;

  constructor(nowMs: number, maxPeers: number = MAX_PEERS) {
    this.#peers = new BoundedMap(maxPeers);
    this.#bytesInAll = new TokenBucket(ANSWER_BYTES_IN_ALL, nowMs);
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
    const spent = this.#spent(peerId, nowMs);
    const { granted, refused } = bucketsOf(spent, what, nowMs, peerClass);
    if (!granted.take(1, nowMs)) return refused.take(1, nowMs) ? 'throttle' : 'flood';
    if (isGossip(what)) return 'take';
    const owesBytes = spent.answerBytes.available(nowMs) < 0;
    if (peerClass === 'validator') return owesBytes ? 'throttle' : 'take';
    if (owesBytes || this.#bytesInAll.available(nowMs) < 0) return 'throttle';
    return this.#inAll.get(what)?.take(1, nowMs) === false ? 'throttle' : 'take';
  }

  /** An answer of so many bytes was made: what is too much of it is waited for before the next. */
  answered(peerId: string, bytes: number, nowMs: number, peerClass: PeerClass = 'anybody'): void {
    this.#spent(peerId, nowMs).answerBytes.owe(bytes, nowMs);
    if (peerClass !== 'validator') this.#bytesInAll.owe(bytes, nowMs);
  }

  #spent(peerId: string, nowMs: number): Spent {
    let spent = this.#peers.get(peerId);
    if (spent === undefined) {
      spent = { byName: new Map(), answerBytes: new TokenBucket(ANSWER_BYTES, nowMs) };
      this.#peers.set(peerId, spent);
    }
    return spent;
  }
}

function bucketsOf(
  { byName }: Spent,
  what: Budgeted,
  nowMs: number,
  peerClass: PeerClass,
): Buckets {
  let buckets = byName.get(what);
  if (buckets === undefined) {
    const rate = rateOf(what, peerClass);
    const patience = { capacity: PATIENCE + rate.capacity, perSecond: rate.perSecond };
    buckets = { granted: new TokenBucket(rate, nowMs), refused: new TokenBucket(patience, nowMs) };
    byName.set(what, buckets);
  }
  return buckets;
}

const isGossip = (what: Budgeted): what is GossipTopic => what === 'finality' || what === 'tx';

function rateOf(what: Budgeted, peerClass: PeerClass): BucketRate {
  if (isGossip(what)) return GOSSIP_LIMITS[what].rate;
  const { capacity, perSecond } = REQUEST_LIMITS[what].rate;
  const factor = peerClass === 'validator' ? VALIDATOR_RATE_FACTOR : 1;
  return { capacity: factor * capacity, perSecond: factor * perSecond };
}

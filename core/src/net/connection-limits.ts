/**
 * How many connections a node takes, from whom and how fast (docs/protocol/network.md,
 * "Connections"). libp2p has no caps by address; the platform's gater asks here.
 *
 * A connection is taken or refused twice: when it arrives, by its address alone, and when its
 * encryption stands, by the peer id that then is known. Committee members have places of their own,
 * and addresses from which a member proved itself are let in to that second question however full
 * it is: nobody can shut a validator's link out.
 */
import { PydeError } from '../bytes/index.ts';
import { BoundedMap } from './bounded-map.ts';
import {
  hostKey,
  type IpAddress,
  isLoopback,
  isPrivate,
  parseIp,
  subnetKey,
} from './ip-address.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ConnectionLimits {
  /** In all, without those of committee members. */
  readonly maxConnections: number;
  /** Of committee members, besides. */
  readonly reservedForCommittee: number;
  /** One IPv4 address or one /64 of IPv6. */
  readonly maxPerHost: number;
  /** One /24 of IPv4 or one /48 of IPv6. */
  readonly maxPerSubnet: number;
  readonly newPerSecondPerHost: number;
  readonly newPerSecond: number;
  /** Whose encryption or handshake is not complete. */
  readonly maxPending: number;
  readonly maxPendingPerHost: number;
  /** Besides, for each address from which a committee member proved itself. */
  readonly pendingForCommitteeHost: number;
  /** From arrival to a complete handshake; the caller's timer. */
  readonly handshakeTimeoutMs: number;
  /** Loopback and private addresses count in all only: localnets, where everybody is one host. */
  readonly exemptLocal: boolean;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 512,
  reservedForCommittee: 256,
  maxPerHost: 8,
  maxPerSubnet: 64,
  newPerSecondPerHost: 5,
  newPerSecond: 64,
  maxPending: 64,
  maxPendingPerHost: 4,
  pendingForCommitteeHost: 2,
  handshakeTimeoutMs: 10_000,
  exemptLocal: false,
};

export type ConnectionRefusal =
  | 'address'
  | 'full'
  | 'host-full'
  | 'subnet-full'
  | 'rate'
  | 'host-rate'
  | 'pending-full'
  | 'host-pending-full';

export type Admission =
  | { readonly admitted: true; readonly ticket: number }
  | { readonly admitted: false; readonly refusal: ConnectionRefusal };

interface Ticket {
  readonly host: string;
  readonly subnet: string;
  readonly local: boolean;
  /** Let in past the caps because a member was seen at this address. */
  readonly beyond: boolean;
  pending: boolean;
  committee: boolean;
}

/** Hosts whose rate is remembered. */
const MAX_HOSTS = 4_096;
/** Addresses of committee members: some for each. */
const MAX_COMMITTEE_HOSTS = 512;

export class ConnectionCaps {
  readonly #limits: ConnectionLimits;
  readonly #tickets = new Map<number, Ticket>();
  #nextTicket = 1;
  readonly #rate: TokenBucket;
  readonly #hostRates = new BoundedMap<string, TokenBucket>(MAX_HOSTS);
  readonly #committeeHosts = new BoundedMap<string, true>(MAX_COMMITTEE_HOSTS);
  readonly #byHost = new Map<string, number>();
  readonly #bySubnet = new Map<string, number>();
  readonly #pendingByHost = new Map<string, number>();
  #pending = 0;
  #ordinary = 0;
  #committee = 0;

  constructor(limits: Partial<ConnectionLimits>, nowMs: number) {
    this.#limits = { ...DEFAULT_CONNECTION_LIMITS, ...limits };
    this.#rate = bucketOf(this.#limits.newPerSecond, nowMs);
  }

  get limits(): ConnectionLimits {
    return this.#limits;
  }

  /** Connections of committee members, others, and how many of both are not complete. */
  get counts(): {
    readonly committee: number;
    readonly ordinary: number;
    readonly pending: number;
  } {
    return { committee: this.#committee, ordinary: this.#ordinary, pending: this.#pending };
  }

  /** A connection from `address` arrived. A ticket counts until it is released. */
  arrive(address: string, nowMs: number): Admission {
    const place = placeOf(address, this.#limits.exemptLocal);
    if (place === undefined) return { admitted: false, refusal: 'address' };
    const refusal = this.#whyNot(place, nowMs);
    if (refusal !== undefined && !this.#mayGoBeyond(place.host)) {
      return { admitted: false, refusal };
    }
    const ticket = this.#nextTicket++;
    const entry = { ...place, beyond: refusal !== undefined, pending: true, committee: false };
    this.#tickets.set(ticket, entry);
    this.#count(entry, 1);
    this.#countPending(entry, 1);
    return { admitted: true, ticket };
  }

  /**
   * Its encryption stands and names the peer: undefined when it may stay. One that came in past
   * the caps and is no committee member is held against them now.
   * @param isCommittee a peer id that a committee member has proved or announced by signature
   */
  identified(ticket: number, isCommittee: boolean): ConnectionRefusal | undefined {
    const entry = this.#tickets.get(ticket);
    if (entry === undefined) return undefined;
    if (isCommittee && this.#committee < this.#limits.reservedForCommittee) {
      this.#toCommittee(entry);
      return undefined;
    }
    if (!entry.beyond) return undefined;
    // Its own connection is among those counted.
    return this.#overCaps(entry, 1);
  }

  /** Its handshake is complete. */
  complete(ticket: number): void {
    const entry = this.#tickets.get(ticket);
    if (entry === undefined || !entry.pending) return;
    entry.pending = false;
    this.#countPending(entry, -1);
  }

  /** A committee member proved itself over it: it gives its ordinary place back. */
  proven(ticket: number): void {
    const entry = this.#tickets.get(ticket);
    if (entry === undefined) return;
    this.complete(ticket);
    if (!entry.local) this.#committeeHosts.set(entry.host, true);
    if (this.#committee < this.#limits.reservedForCommittee) this.#toCommittee(entry);
  }

  /**
   * An address at which we reached a committee member ourselves, or that its signed record names:
   * it may come from there, too.
   */
  provenAt(address: string): void {
    const place = placeOf(address, this.#limits.exemptLocal);
    if (place !== undefined && !place.local) this.#committeeHosts.set(place.host, true);
  }

  /** Is it an address from which a committee member proved itself? */
  isCommitteeHost(address: string): boolean {
    const place = placeOf(address, this.#limits.exemptLocal);
    return place !== undefined && this.#committeeHosts.has(place.host);
  }

  /** It is closed; a second time does nothing. */
  release(ticket: number): void {
    const entry = this.#tickets.get(ticket);
    if (entry === undefined) return;
    this.#tickets.delete(ticket);
    if (entry.pending) this.#countPending(entry, -1);
    if (entry.committee) this.#committee--;
    else this.#count(entry, -1);
  }

  #whyNot(place: Place, nowMs: number): ConnectionRefusal | undefined {
    const { limits } = this;
    const caps = this.#overCaps(place, 0);
    if (caps !== undefined) return caps;
    if (this.#pending >= limits.maxPending) return 'pending-full';
    if (place.local) return this.#rate.take(1, nowMs) ? undefined : 'rate';
    if ((this.#pendingByHost.get(place.host) ?? 0) >= limits.maxPendingPerHost) {
      return 'host-pending-full';
    }
    const known = this.#hostRates.get(place.host);
    const hostRate = known ?? bucketOf(limits.newPerSecondPerHost, nowMs);
    if (known === undefined) this.#hostRates.set(place.host, hostRate);
    // The host's own bucket first: one host at its limit leaves those of all to the others.
    if (!hostRate.take(1, nowMs)) return 'host-rate';
    return this.#rate.take(1, nowMs) ? undefined : 'rate';
  }

  /** @param counted of these connections that are the one that is asked about */
  #overCaps(place: Place, counted: 0 | 1): ConnectionRefusal | undefined {
    const { limits } = this;
    if (this.#ordinary - counted >= limits.maxConnections) return 'full';
    if (place.local) return undefined;
    if ((this.#byHost.get(place.host) ?? 0) - counted >= limits.maxPerHost) return 'host-full';
    const inSubnet = (this.#bySubnet.get(place.subnet) ?? 0) - counted;
    return inSubnet >= limits.maxPerSubnet ? 'subnet-full' : undefined;
  }

  #mayGoBeyond(host: string): boolean {
    if (!this.#committeeHosts.has(host)) return false;
    const most = this.#limits.maxPendingPerHost + this.#limits.pendingForCommitteeHost;
    return (this.#pendingByHost.get(host) ?? 0) < most;
  }

  #toCommittee(entry: Ticket): void {
    if (entry.committee) return;
    this.#count(entry, -1);
    entry.committee = true;
    this.#committee++;
  }

  #count({ host, subnet }: Place, by: 1 | -1): void {
    this.#ordinary += by;
    add(this.#byHost, host, by);
    add(this.#bySubnet, subnet, by);
  }

  #countPending({ host }: Place, by: 1 | -1): void {
    this.#pending += by;
    add(this.#pendingByHost, host, by);
  }
}

interface Place {
  readonly host: string;
  readonly subnet: string;
  readonly local: boolean;
}

function placeOf(address: string, exemptLocal: boolean): Place | undefined {
  let ip: IpAddress;
  try {
    ip = parseIp(address);
  } catch (error) {
    if (error instanceof PydeError) return undefined;
    throw error;
  }
  const local = exemptLocal && (isLoopback(ip) || isPrivate(ip));
  return { host: hostKey(ip), subnet: subnetKey(ip), local };
}

const bucketOf = (perSecond: number, nowMs: number): TokenBucket =>
  new TokenBucket({ capacity: perSecond, perSecond }, nowMs);

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

/**
 * The door of the libp2p node: who may connect, by the caps, scores and bans of core/net
 * (docs/protocol/network.md, "Connections"). libp2p itself has no cap by address.
 *
 * A connection is judged by its address when it arrives and by its peer id once its encryption
 * stands; from then on it no longer counts as pending. One that ends without a name, or comes faster
 * than its host may bring them, counts against the host. A validator behind sentries takes and dials
 * nobody else.
 */
import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import {
  ConnectionCaps,
  type ConnectionLimits,
  type ConnectionRefusal,
  ipOfMultiaddr,
  type PeerScores,
} from '@pyde/core/net';
import type { Clock } from '@pyde/core/platform';

export interface GaterOptions {
  readonly limits: Partial<ConnectionLimits>;
  readonly scores: PeerScores;
  readonly clock: Clock;
  /** When given, all others are refused. */
  readonly only?: ReadonlySet<string>;
  /** Has a committee member proved itself behind this peer, or named it by its signature? */
  isCommittee(peerId: string): boolean;
}

/** What a host's own connections alone bring about, and no honest peer's, which backs off. */
const OF_ITS_HOST: ReadonlySet<ConnectionRefusal> = new Set(['host-pending-full', 'host-rate']);

export class Gater implements ConnectionGater {
  readonly caps: ConnectionCaps;
  readonly #options: GaterOptions;
  /** Of inbound connections that are open or on their way, by their remote address. */
  readonly #tickets = new Map<string, number>();
  /** Of those, whose encryption has not named their peer yet. */
  readonly #nameless = new Set<number>();
  #refusedByAddress = 0;
  #refusedByPeer = 0;

  constructor(options: GaterOptions) {
    this.#options = options;
    this.caps = new ConnectionCaps(options.limits, options.clock.now().monotonicMs);
  }

  /** A committee member proved itself over this connection. */
  proven(remoteAddr: Multiaddr): void {
    const ticket = this.#tickets.get(keyOf(remoteAddr));
    const ip = ipOf(remoteAddr);
    if (ticket !== undefined) this.caps.proven(ticket);
    else if (ip !== undefined) this.caps.provenAt(ip);
  }

  /** Multiaddrs that validators' signed records name: they may come from there. */
  expect(addresses: Iterable<string>): void {
    for (const address of addresses) {
      const ip = ipOfMultiaddr(address) === undefined ? undefined : address.split('/')[2];
      if (ip !== undefined) this.caps.provenAt(ip);
    }
  }

  metrics(): Record<string, number> {
    const { committee, ordinary, pending } = this.caps.counts;
    return {
      connections_inbound_committee: committee,
      connections_inbound_ordinary: ordinary,
      connections_inbound_pending: pending,
      connections_refused_by_address: this.#refusedByAddress,
      connections_refused_by_peer: this.#refusedByPeer,
    };
  }

  denyInboundConnection = (connection: MultiaddrConnection): boolean => {
    const denied = this.#arrive(connection);
    if (denied) this.#refusedByAddress++;
    return denied;
  };

  denyInboundEncryptedConnection = (
    peerId: { toString(): string },
    connection: MultiaddrConnection,
  ): boolean => {
    const denied = this.#identify(peerId.toString(), connection);
    if (denied) this.#refusedByPeer++;
    return denied;
  };

  denyInboundUpgradedConnection = (_: unknown, connection: MultiaddrConnection): boolean => {
    const ticket = this.#tickets.get(keyOf(connection.remoteAddr));
    if (ticket !== undefined) this.caps.complete(ticket);
    return false;
  };

  denyDialPeer = (peerId: { toString(): string }): boolean => this.#isRefused(peerId.toString());

  /** Which peer answers is only known afterwards. */
  denyOutboundEncryptedConnection = (peerId: { toString(): string }): boolean =>
    this.#isRefused(peerId.toString());

  denyDialMultiaddr = (): boolean => false;

  #arrive(connection: MultiaddrConnection): boolean {
    const address = ipOf(connection.remoteAddr);
    if (address === undefined) return true;
    const { scores, clock } = this.#options;
    const nowMs = clock.now().monotonicMs;
    if (scores.isHostBanned(address, nowMs) && !this.caps.isCommitteeHost(address)) return true;
    const admission = this.caps.arrive(address, nowMs);
    if (!admission.admitted) {
      if (OF_ITS_HOST.has(admission.refusal)) scores.reportHost(address, 'flood', nowMs);
      return true;
    }
    const { ticket } = admission;
    const key = keyOf(connection.remoteAddr);
    this.#tickets.set(key, ticket);
    this.#nameless.add(ticket);
    const release = (): void => {
      this.caps.release(ticket);
      if (this.#tickets.get(key) === ticket) this.#tickets.delete(key);
      if (!this.#nameless.delete(ticket)) return;
      scores.reportHost(address, 'nameless-connection', clock.now().monotonicMs);
    };
    connection.addEventListener('close', release, { once: true });
    if (connection.status !== 'open') release();
    return false;
  }

  #identify(peerId: string, connection: MultiaddrConnection): boolean {
    const ticket = this.#tickets.get(keyOf(connection.remoteAddr));
    if (ticket !== undefined) this.#nameless.delete(ticket);
    if (this.#isRefused(peerId, ipOf(connection.remoteAddr))) return true;
    if (ticket === undefined) return true;
    const isCommittee = this.#options.isCommittee(peerId);
    if (this.caps.identified(ticket, isCommittee) !== undefined) return true;
    if (isCommittee) this.caps.proven(ticket);
    return false;
  }

  #isRefused(peerId: string, address?: string): boolean {
    const { only, scores, clock } = this.#options;
    if (only !== undefined && !only.has(peerId)) return true;
    return scores.isRefused(peerId, clock.now().monotonicMs, address);
  }
}

/** A connection's address has its peer's name once that is known. */
function keyOf(address: Multiaddr): string {
  const [place = ''] = address.toString().split('/p2p/');
  return place;
}

/** The text of its IP address; undefined for an address that begins with none. */
export function ipOf(address: Multiaddr): string | undefined {
  const ip = address.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6');
  return ip?.value;
}

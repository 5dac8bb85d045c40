/** The list of peers that an operator sees: every connection, and every link on it. */
import type { Connection } from '@libp2p/interface';
import type { CommitteeLink } from './committee-link.ts';
import type { PeerStatus } from './interface.ts';
import { transportOf } from './libp2p-node.ts';

/** Behind a sentry one connection has many links. */
export function peerStatuses(
  connections: readonly Connection[],
  links: Iterable<CommitteeLink>,
  scoreOf: (peerId: string) => number,
): PeerStatus[] {
  const byConnection = new Map<Connection, CommitteeLink[]>();
  for (const link of links) {
    const known = byConnection.get(link.connection);
    if (known === undefined) byConnection.set(link.connection, [link]);
    else known.push(link);
  }
  return connections.flatMap((connection) => {
    const own = byConnection.get(connection) ?? [];
    const plain = plainStatus(connection, scoreOf);
    return own.length === 0 ? [plain] : own.map((link) => ({ ...plain, ...linkStatus(link) }));
  });
}

function plainStatus(connection: Connection, scoreOf: (peerId: string) => number): PeerStatus {
  const peerId = connection.remotePeer.toString();
  const address = connection.remoteAddr.toString();
  return {
    peerId,
    address,
    direction: connection.direction,
    transport: transportOf(address),
    sinceMs: connection.timeline.open,
    bytesIn: 0,
    bytesOut: 0,
    score: scoreOf(peerId),
  };
}

function linkStatus(link: CommitteeLink): Partial<PeerStatus> {
  const { peer, roundTripMs, stream } = link;
  return {
    ...(peer === undefined ? {} : { peerId: peer.peerId, validator: peer.validator }),
    ...(roundTripMs === undefined ? {} : { roundTripMs }),
    bytesIn: stream.bytesIn,
    bytesOut: stream.bytesOut,
  };
}

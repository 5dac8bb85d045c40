/**
 * What a peer tells of others when it is asked (docs/protocol/network.md, "Peer exchange"):
 * { records Vec<PeerRecord>, peers Vec<{ peer_id String, addresses Vec<String> }> }. Records carry
 * a validator's signature; of the rest nothing is believed before a dial.
 */
import { decodeExactly, encode } from '../bytes/index.ts';
import { netError } from './error.ts';
import {
  MAX_PEER_RECORD_BYTES,
  type PeerEnd,
  type PeerRecord,
  readPeerEnd,
  readPeerRecord,
  writePeerEnd,
  writePeerRecord,
} from './peer-record.ts';

export interface PeerExchange {
  readonly records: readonly PeerRecord[];
  readonly peers: readonly PeerEnd[];
}

/** Records and peers together. */
export const MAX_EXCHANGED = 64;
export const MAX_PEER_EXCHANGE_BYTES = 8 + MAX_EXCHANGED * MAX_PEER_RECORD_BYTES;

const LEAST_RECORD_BYTES = 712;
const LEAST_PEER_BYTES = 28;

export const encodePeerExchange = ({ records, peers }: PeerExchange): Uint8Array =>
  encode((w) => w.vec(records, writePeerRecord).vec(peers, writePeerEnd));

/** Size and shape; signatures are asked of `verifyPeerRecord`. @throws PydeError */
export function decodePeerExchange(bytes: Uint8Array): PeerExchange {
  if (bytes.length > MAX_PEER_EXCHANGE_BYTES) {
    throw netError('net.exchange', `an answer has at most ${MAX_PEER_EXCHANGE_BYTES} bytes`, {
      bytes: bytes.length,
    });
  }
  const exchange = decodeExactly(bytes, (r) => ({
    records: r.vec(MAX_EXCHANGED, LEAST_RECORD_BYTES, readPeerRecord),
    peers: r.vec(MAX_EXCHANGED, LEAST_PEER_BYTES, readPeerEnd),
  }));
  const count = exchange.records.length + exchange.peers.length;
  if (count > MAX_EXCHANGED) {
    throw netError('net.exchange', `an answer names at most ${MAX_EXCHANGED} peers`, { count });
  }
  return exchange;
}

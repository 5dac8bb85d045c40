/**
 * Peers as they are kept across restarts:
 * { version u8, peers Vec<{ peer_id String, reached bool, addresses Vec<String> }>,
 * records Vec<PeerRecord> }. Read as hostile; records are verified anew by whoever takes them up.
 */
import { decodeExactly, encode } from '../bytes/index.ts';
import { MAX_COMMITTEE_SIZE } from '../types/index.ts';
import { netError } from './error.ts';
import {
  type PeerEnd,
  type PeerRecord,
  readPeerEnd,
  readPeerRecord,
  writePeerEnd,
  writePeerRecord,
} from './peer-record.ts';

export interface StoredPeer extends PeerEnd {
  /** We had a connection with it that we dialled. */
  readonly reached: boolean;
}

export interface StoredBook {
  readonly peers: readonly StoredPeer[];
  readonly records: readonly PeerRecord[];
}

const VERSION = 1;
const MAX_STORED_PEERS = 2_048;
const LEAST_PEER_BYTES = 29;
const LEAST_RECORD_BYTES = 712;

export const encodeBook = ({ peers, records }: StoredBook): Uint8Array =>
  encode((w) =>
    w
      .u8(VERSION)
      .vec(peers.slice(0, MAX_STORED_PEERS), (v, peer) => writePeerEnd(v.bool(peer.reached), peer))
      .vec(records.slice(0, MAX_COMMITTEE_SIZE), writePeerRecord),
  );

/** @throws PydeError `net.store`, `net.*`, `borsh.*` */
export const decodeBook = (bytes: Uint8Array): StoredBook =>
  decodeExactly(bytes, (r) => {
    const version = r.u8();
    if (version !== VERSION) {
      throw netError('net.store', `stored peers have version ${VERSION}, not ${version}`);
    }
    return {
      peers: r.vec(MAX_STORED_PEERS, LEAST_PEER_BYTES, (v) => {
        const reached = v.bool();
        return { reached, ...readPeerEnd(v) };
      }),
      records: r.vec(MAX_COMMITTEE_SIZE, LEAST_RECORD_BYTES, readPeerRecord),
    };
  });

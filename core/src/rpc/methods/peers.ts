/**
 * Whom this node is connected to: for its operator alone, since an address book is worth something to
 * whoever wants to cut a validator off (docs/protocol/deviations.md, "RPC").
 */
import type { RpcPeer } from '../backend.ts';
import type { MethodTable } from './method.ts';

export const peerMethods: MethodTable = {
  pyde_getPeers: {
    params: [],
    isForOperator: true,
    run: (backend) => backend.peers().map(peerJson),
  },
};

const peerJson = (peer: RpcPeer): unknown => ({
  peer_id: peer.peerId,
  validator: peer.validator ?? null,
  address: peer.address,
  direction: peer.direction,
  transport: peer.transport,
  since_ms: peer.sinceMs,
  bytes_in: peer.bytesIn,
  bytes_out: peer.bytesOut,
  round_trip_ms: peer.roundTripMs ?? null,
  score: peer.score,
});

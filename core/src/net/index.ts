export { Bandwidth, MIN_BANDWIDTH } from './bandwidth.ts';
export {
  type Admission,
  ConnectionCaps,
  type ConnectionLimits,
  type ConnectionRefusal,
  DEFAULT_CONNECTION_LIMITS,
} from './connection-limits.ts';
export type { NetErrorCode } from './error.ts';
export { FrameReader } from './frame-reader.ts';
export {
  Handshake,
  type HandshakeEffect,
  type HandshakeOptions,
  type HandshakeState,
  type ProvenPeer,
} from './handshake.ts';
export {
  decodeHello,
  decodeRefusal,
  encodeRefusal,
  type Hello,
  LINK_VERSION,
  NONCE_BYTES,
  type Refusal,
  type RefusalCode,
  SESSION_BYTES,
} from './handshake-messages.ts';
export {
  hostKey,
  type IpAddress,
  ipOfMultiaddr,
  isLoopback,
  isPrivate,
  parseIp,
  subnetKey,
} from './ip-address.ts';
export { PEER_SOURCES, type PeerSource } from './known-peer.ts';
export {
  encodeFrame,
  encodeFrameHeader,
  FRAME_HEADER_BYTES,
  FRAME_KINDS,
  FRAME_PEEK_BYTES,
  type Frame,
  type FrameHeader,
  type FrameKind,
  HANDSHAKE_FRAMES,
  LINK_FRAMES,
  PING_BYTES,
} from './link-frames.ts';
export {
  checkMultiaddr,
  isMultiaddr,
  MAX_MULTIADDR_BYTES,
  peerIdOfMultiaddr,
} from './multiaddr.ts';
export { OFFENCE_POINTS, type Offence } from './offence.ts';
export {
  type DialTarget,
  type DialWish,
  PeerBook,
  type PeerBookOptions,
  type PeerNews,
} from './peer-book.ts';
export { type Budgeted, PeerBudget, type PeerClass } from './peer-budget.ts';
export {
  decodePeerExchange,
  encodePeerExchange,
  MAX_EXCHANGED,
  MAX_PEER_EXCHANGE_BYTES,
  type PeerExchange,
} from './peer-exchange.ts';
export { checkPeerId, isPeerId, MAX_PEER_ID_BYTES } from './peer-id.ts';
export {
  decodePeerRecord,
  encodePeerRecord,
  isNewerRecord,
  MAX_PEER_RECORD_BYTES,
  MAX_RECORD_ADDRESSES,
  MAX_RECORD_ENDS,
  type PeerEnd,
  type PeerRecord,
  peerRecordDigest,
  signPeerRecord,
  type UnsignedPeerRecord,
  verifyPeerRecord,
} from './peer-record.ts';
export {
  type Ban,
  DEFAULT_SCORE_RULES,
  PeerScores,
  type ScoreRules,
  type Standing,
} from './peer-scores.ts';
export {
  ANSWER_BYTES,
  ANSWER_BYTES_IN_ALL,
  COMMITTEE_PROTOCOL,
  GOSSIP_LIMITS,
  GOSSIP_TOPICS,
  type GossipLimit,
  type GossipTopic,
  gossipTopicId,
  REQUEST_LIMITS,
  REQUEST_PROTOCOLS,
  type RequestLimit,
  type RequestProtocol,
  requestProtocolId,
  VALIDATOR_RATE_FACTOR,
} from './protocol-limits.ts';
export {
  SEND_QUEUE_BYTES,
  type SendClass,
  SendQueue,
  type SendQueueOptions,
  sendClassOf,
  WRITE_AHEAD_BYTES,
} from './send-queue.ts';
export { type BucketRate, TokenBucket } from './token-bucket.ts';

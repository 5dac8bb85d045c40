export type { ConnectionLimits, GossipTopic, Offence, RequestProtocol } from '@pyde/core/net';
export type {
  NetworkErrorCode,
  NetworkOptions,
  NetworkUser,
  NodeNetwork,
  PeerStatus,
  SentryDuty,
} from './interface.ts';
export { createNodeNetwork } from './node-network.ts';

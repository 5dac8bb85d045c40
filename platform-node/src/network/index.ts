export type {
  ConnectionLimits,
  GossipTopic,
  NetworkErrorCode,
  NetworkOptions,
  NetworkUser,
  NodeNetwork,
  Offence,
  PeerStatus,
  RequestProtocol,
  SentryDuty,
} from './interface.ts';

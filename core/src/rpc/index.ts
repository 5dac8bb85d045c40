export type { NodeIdentity, RpcBackend, RpcPeer } from './backend.ts';
export type { JsonRpcError, RpcErrorCode } from './error.ts';
export { MAX_REQUEST_BYTES, requestTooLarge } from './json-bounds.ts';
export { type CallWatch, type RpcCaller, RpcService } from './service.ts';
export {
  MAX_OUTBOUND_CHARS,
  MAX_SUBSCRIPTIONS,
  type RpcConnection,
  type RpcSink,
} from './subscriptions.ts';

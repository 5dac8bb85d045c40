export type { NodeIdentity, RpcBackend } from './backend.ts';
export { type JsonRpcError, type RpcErrorCode, SERVER_ERROR } from './error.ts';
export { MAX_REQUEST_BYTES, MAX_REQUEST_DEPTH, requestTooLarge } from './json-bounds.ts';
export { MAX_BATCH_ITEMS } from './json-rpc.ts';
export { RpcService } from './service.ts';
export {
  MAX_OUTBOUND_CHARS,
  MAX_SUBSCRIPTIONS,
  type RpcConnection,
  type RpcSink,
} from './subscriptions.ts';

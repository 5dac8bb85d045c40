export {
  type CallOptions,
  RpcClient,
  type RpcClientErrorCode,
  type RpcClientOptions,
} from './rpc-client.ts';
export type { Subscription } from './rpc-socket.ts';

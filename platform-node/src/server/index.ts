export { RpcServer, type RpcServerOptions, type ServerErrorCode } from './rpc-server.ts';

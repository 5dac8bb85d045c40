export type { ServerErrorCode } from './listening.ts';
export { type PageAnswer, PageServer, type PageServerOptions, type Pages } from './pages.ts';
export { RpcServer, type RpcServerOptions, type ServerWatch } from './rpc-server.ts';

/**
 * Error codes of the RPC and how they become JSON-RPC error objects (spec/rpc.md; JSON-RPC 2.0,
 * section 5.1). Every error object carries a stable `data.code`; what the node refuses for a reason
 * of its own, from whatever module, is −32000 with that module's code.
 */
import { type ErrorDetails, PydeError } from '../bytes/index.ts';

export type RpcErrorCode =
  | 'rpc.parse'
  | 'rpc.request'
  | 'rpc.too-large'
  | 'rpc.too-deep'
  | 'rpc.batch-size'
  | 'rpc.response-size'
  | 'rpc.method'
  | 'rpc.not-served'
  | 'rpc.params'
  | 'rpc.internal'
  | 'rpc.subscriptions'
  | 'rpc.wave-pruned'
  | 'rpc.transaction-unknown'
  | 'rpc.range'
  | 'rpc.operator-only';

/** The node refused, for the reason in `data.code`. */
export const SERVER_ERROR = -32000;

const JSON_RPC_CODE: ReadonlyMap<string, number> = new Map<RpcErrorCode, number>([
  ['rpc.parse', -32700],
  ['rpc.request', -32600],
  ['rpc.too-large', -32600],
  ['rpc.too-deep', -32600],
  ['rpc.batch-size', -32600],
  ['rpc.method', -32601],
  ['rpc.not-served', -32601],
  ['rpc.params', -32602],
  ['rpc.internal', -32603],
]);

export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly code: string; readonly details?: ErrorDetails };
}

export function toJsonRpcError(error: PydeError): JsonRpcError {
  const details = Object.keys(error.details).length === 0 ? {} : { details: error.details };
  return {
    code: JSON_RPC_CODE.get(error.code) ?? SERVER_ERROR,
    message: error.message,
    data: { code: error.code, ...details },
  };
}

export function badParams(message: string, details: ErrorDetails = {}): PydeError<RpcErrorCode> {
  return new PydeError('rpc.params', message, details);
}

export function notServed(method: string, what: string): PydeError<RpcErrorCode> {
  return new PydeError('rpc.not-served', `${method} is not yet served: ${what}`, { method });
}

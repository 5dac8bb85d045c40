/**
 * Reads what a node answered (spec/rpc.md). The node is not trusted: whatever it sends becomes the
 * result of a call or a `PydeError`, never another exception.
 */
import { type ErrorDetails, PydeError } from '@pyde/core/bytes';

export type RpcClientErrorCode =
  | 'rpc.url'
  | 'rpc.unreachable'
  | 'rpc.timeout'
  | 'rpc.rate-limited'
  | 'rpc.http'
  | 'rpc.response'
  | 'rpc.closed'
  | 'rpc.parse'
  | 'rpc.request'
  | 'rpc.method'
  | 'rpc.params'
  | 'rpc.internal'
  | 'rpc.refused';

/** Error codes of JSON-RPC 2.0, section 5.1; anything else is the node's own refusal. */
const NAME_OF_CODE: ReadonlyMap<number, RpcClientErrorCode> = new Map([
  [-32700, 'rpc.parse'],
  [-32600, 'rpc.request'],
  [-32601, 'rpc.method'],
  [-32602, 'rpc.params'],
  [-32603, 'rpc.internal'],
]);

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws PydeError `rpc.response` */
export function parseJson(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notRpc(from, 'it is not JSON');
  }
}

/**
 * The result inside one response object.
 * @throws PydeError of the node's error: `rpc.refused` for a refusal with a code of its own, which
 *   is `details.code`; `rpc.method`, `rpc.params` … for those of JSON-RPC; `rpc.response` when it
 *   is no response at all
 */
export function resultOf(response: unknown, from: string): unknown {
  if (!isObject(response)) throw notRpc(from, 'it is not a response object');
  if ('error' in response && response['error'] !== null) throw refusal(response['error'], from);
  if (!('result' in response)) throw notRpc(from, 'it has neither a result nor an error');
  return response['result'];
}

export function notRpc(from: string, why: string): PydeError<RpcClientErrorCode> {
  return new PydeError(
    'rpc.response',
    `${from} answered something else than JSON-RPC: ${why}. Check that the address is that of a Pyde node`,
    { url: from },
  );
}

function refusal(error: unknown, from: string): PydeError<RpcClientErrorCode> {
  if (!isObject(error) || typeof error['code'] !== 'number') {
    return notRpc(from, 'its error has no code');
  }
  const rpcCode = error['code'];
  const message =
    typeof error['message'] === 'string' ? error['message'] : `error ${rpcCode} without a message`;
  const data = isObject(error['data']) ? error['data'] : {};
  const details: Record<string, string | number | boolean | null> = {
    ...flat(data['details']),
    rpcCode,
  };
  if (typeof data['code'] === 'string') details['code'] = data['code'];
  return new PydeError(NAME_OF_CODE.get(rpcCode) ?? 'rpc.refused', message, details);
}

/** The entries of `value` that an error's details can hold. */
function flat(value: unknown): ErrorDetails {
  if (!isObject(value)) return {};
  const out: Record<string, string | number | boolean | null> = {};
  for (const [key, entry] of Object.entries(value)) if (isFlat(entry)) out[key] = entry;
  return out;
}

function isFlat(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

/**
 * JSON-RPC 2.0 over texts (spec/rpc.md): size and depth, batches, notifications, ids and error
 * objects. It knows no method. The text is from anybody: whatever it is, the answer is one text,
 * and an exception that is no refusal becomes −32603 without a word about its cause.
 */
import { isPydeError, PydeError } from '../bytes/index.ts';
import type { Logger } from '../platform/index.ts';
import { type RpcErrorCode, toJsonRpcError } from './error.ts';
import { checkJsonBounds } from './json-bounds.ts';

export const MAX_BATCH_ITEMS = 100;
/** Calls of a batch after its answers have grown beyond this are refused, not run. */
export const MAX_BATCH_RESPONSE_CHARS = 32 * 1024 * 1024;

/** Runs one method. A `PydeError` it throws is the caller's answer. */
export type MethodCall = (method: string, params: readonly unknown[]) => Promise<unknown>;

type Id = string | number | null;

interface Request {
  /** undefined in a notification. */
  readonly id: Id | undefined;
  readonly method: string;
  /** An array, or an object of parameters by name, which no method takes. */
  readonly params: object;
}

/**
 * Answers one request text. The calls of a batch run one after the other, but that neighbours which
 * all may overlap are started in their order and awaited together.
 * @param mayOverlap methods whose place in the order is settled when they start
 * @returns the response text, or undefined when every request in it was a notification
 */
export async function handleText(
  text: string,
  call: MethodCall,
  logger: Logger,
  mayOverlap: (method: unknown) => boolean = () => false,
): Promise<string | undefined> {
  let parsed: unknown;
  try {
    checkJsonBounds(text);
    parsed = parse(text);
    if (Array.isArray(parsed)) checkBatch(parsed);
  } catch (error) {
    return errorText(error, null, logger);
  }
  if (!Array.isArray(parsed)) return handleRequest(parsed, call, logger);
  const answers: string[] = [];
  let chars = 0;
  let started: Promise<string | undefined>[] = [];
  const settle = async (): Promise<void> => {
    for (const answer of await Promise.all(started)) {
      if (answer === undefined) continue;
      answers.push(answer);
      chars += answer.length;
    }
    started = [];
  };
  for (const item of parsed) {
    const overlaps = isObject(item) && mayOverlap(item['method']);
    if (!overlaps) await settle();
    started.push(
      handleRequest(item, chars > MAX_BATCH_RESPONSE_CHARS ? refuseForSize : call, logger),
    );
    if (!overlaps) await settle();
  }
  await settle();
  return answers.length === 0 ? undefined : `[${answers.join(',')}]`;
}

/** The response text for an error that belongs to no request, or to the one with `id`. */
export function errorText(error: unknown, id: Id, logger: Logger): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: toJsonRpcError(refusalOf(error, logger)) });
}

async function handleRequest(
  item: unknown,
  call: MethodCall,
  logger: Logger,
): Promise<string | undefined> {
  let request: Request;
  try {
    request = readRequest(item);
  } catch (error) {
    return errorText(error, validId(item) ?? null, logger);
  }
  const { id, method, params } = request;
  try {
    const result = (await call(method, inOrder(params))) ?? null;
    return id === undefined ? undefined : JSON.stringify({ jsonrpc: '2.0', id, result });
  } catch (error) {
    const text = errorText(error, id ?? null, logger);
    return id === undefined ? undefined : text;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PydeError<RpcErrorCode>(
      'rpc.parse',
      'the request is not JSON; send a JSON-RPC 2.0 object',
    );
  }
}

function checkBatch(batch: readonly unknown[]): void {
  if (batch.length >= 1 && batch.length <= MAX_BATCH_ITEMS) return;
  throw new PydeError<RpcErrorCode>(
    'rpc.batch-size',
    `a batch holds 1 to ${MAX_BATCH_ITEMS} calls, got ${batch.length}; split it`,
    { calls: batch.length, maxCalls: MAX_BATCH_ITEMS },
  );
}

function readRequest(item: unknown): Request {
  if (!isObject(item)) throw badRequest('a request is an object with jsonrpc, id, method, params');
  if (item['jsonrpc'] !== '2.0') throw badRequest('the member jsonrpc must be "2.0"');
  const { id, method, params } = item;
  if ('id' in item && !isId(id)) {
    throw badRequest('the member id must be a string, a number up to 2^53 - 1, or null');
  }
  if (typeof method !== 'string') throw badRequest('the member method must be a string');
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    throw badRequest('the member params must be an array');
  }
  return { id: 'id' in item ? validId(item) : undefined, method, params: params ?? [] };
}

function inOrder(params: object): readonly unknown[] {
  if (Array.isArray(params)) return params;
  throw new PydeError<RpcErrorCode>(
    'rpc.params',
    'params is an array of values in order; parameters by name are not supported',
  );
}

/** What to echo: the id when it can be one. */
function validId(item: unknown): Id | undefined {
  return isObject(item) && isId(item['id']) ? item['id'] : undefined;
}

/** A whole number beyond 2⁵³ would not come back as it was sent. */
function isId(id: unknown): id is Id {
  if (typeof id === 'number') return Math.abs(id) <= Number.MAX_SAFE_INTEGER;
  return typeof id === 'string' || id === null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badRequest(message: string): PydeError<RpcErrorCode> {
  return new PydeError('rpc.request', message);
}

function refusalOf(error: unknown, logger: Logger): PydeError {
  if (isPydeError(error)) return error;
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  logger.error('an RPC method failed', { cause });
  return new PydeError<RpcErrorCode>(
    'rpc.internal',
    'the node failed to answer this call; its log says why',
  );
}

function refuseForSize(): Promise<never> {
  return Promise.reject(
    new PydeError<RpcErrorCode>(
      'rpc.response-size',
      'the answers of this batch grew too large, so this call was not run; send it by itself',
    ),
  );
}

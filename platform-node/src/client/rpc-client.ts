/**
 * A client of a node's JSON-RPC (spec/rpc.md): calls over HTTP, subscriptions over the WebSocket on
 * the same port. It trusts the node with nothing but its own answers: they are bounded in size and
 * time, and handed on as `unknown` for the caller to check.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { PydeError } from '@pyde/core/bytes';
import { isObject, notRpc, parseJson, type RpcClientErrorCode, resultOf } from './response.ts';
import { RpcSocket, type Subscription } from './rpc-socket.ts';

export type { RpcClientErrorCode } from './response.ts';

export interface RpcClientOptions {
  /** For one call, connecting included. Default 30,000. */
  readonly timeoutMs?: number;
  /** An answer longer than this is refused. Default 64 MiB. */
  readonly maxResponseBytes?: number;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
/** What a node answers between its order to stop and its end. */
const SERVICE_UNAVAILABLE = 503;
const TOO_MANY_REQUESTS = 429;
/** Connections stay open between calls; an idle one keeps no process alive. */
const HTTP = new HttpAgent({ keepAlive: true });
const HTTPS = new HttpsAgent({ keepAlive: true });
const STALE_CONNECTION = new Error('an idle connection was closed');
/** spec/rpc.md; a longer batch is sent in several requests. */
const MAX_BATCH_ITEMS = 100;

export class RpcClient {
  readonly url: string;
  readonly #timeoutMs: number;
  readonly #maxResponseBytes: number;
  #nextId = 1;
  #socket: RpcSocket | undefined;

  /**
   * @param url `http://host:port` or `https://…`; the scheme may be left out for http
   * @throws PydeError `rpc.url`
   */
  constructor(url: string, options: RpcClientOptions = {}) {
    this.url = normalUrl(url);
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#maxResponseBytes = options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES;
  }

  /**
   * One call. @throws PydeError of {@link RpcClientErrorCode}; a refusal of the node is
   * `rpc.refused` with the node's stable code in `details.code`
   */
  async call(
    method: string,
    params: readonly unknown[] = [],
    options: CallOptions = {},
  ): Promise<unknown> {
    const id = this.#nextId++;
    const text = await this.#post({ jsonrpc: '2.0', id, method, params }, options);
    return resultOf(parseJson(text, this.url), this.url);
  }

  /**
   * Several calls in as few requests as the batch limit allows; results in the calls' order.
   * @throws PydeError the first error among them
   */
  async batch(
    calls: readonly { readonly method: string; readonly params?: readonly unknown[] }[],
    options: CallOptions = {},
  ): Promise<unknown[]> {
    const results: unknown[] = [];
    for (let first = 0; first < calls.length; first += MAX_BATCH_ITEMS) {
      const requests = calls.slice(first, first + MAX_BATCH_ITEMS).map(({ method, params }) => ({
        jsonrpc: '2.0',
        id: this.#nextId++,
        method,
        params: params ?? [],
      }));
      const answer = parseJson(await this.#post(requests, options), this.url);
      if (!Array.isArray(answer)) resultOf(answer, this.url);
      const byId = new Map<unknown, unknown>();
      for (const response of Array.isArray(answer) ? answer : []) {
        if (isObject(response)) byId.set(response['id'], response);
      }
      for (const { id } of requests) {
        if (!byId.has(id)) throw notRpc(this.url, `its batch lacks the answer to call ${id}`);
        results.push(resultOf(byId.get(id), this.url));
      }
    }
    return results;
  }

  /**
   * Subscribes over the client's one WebSocket, which is opened when first needed.
   * @param params as of `pyde_subscribe`: `['newWaves']`, `['finality']`, `['logs', filter]`
   * @param onResult called for each push, in order
   * @param onEnd called once when the node or the network ended the subscription, with the reason;
   *   not called after `unsubscribe` or `close`
   */
  async subscribe(
    params: readonly unknown[],
    onResult: (result: unknown) => void,
    onEnd: (reason: PydeError) => void = () => {},
  ): Promise<Subscription> {
    if (this.#socket === undefined || this.#socket.ended) {
      const url = new URL('/ws', this.url);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      this.#socket = new RpcSocket(url.href, this.#timeoutMs);
    }
    return this.#socket.subscribe(params, onResult, onEnd);
  }

  /** Ends the WebSocket and all subscriptions. Calls over HTTP need no ending. */
  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #post(body: unknown, options: CallOptions): Promise<string> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal =
      options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    try {
      const response = await send(this.url, JSON.stringify(body), signal);
      const status = response.statusCode ?? 0;
      if (status === TOO_MANY_REQUESTS) {
        response.resume();
        throw rateLimited(this.url, response.headers['retry-after']);
      }
      const text = await this.#boundedText(response);
      if (status < 200 || status > 299) throw httpError(this.url, status, text);
      return text;
    } catch (error) {
      if (error instanceof PydeError) throw error;
      if (timeout.aborted) {
        throw new PydeError(
          'rpc.timeout',
          `${this.url} did not answer within ${timeoutMs} ms. Check that the node is running and not overloaded`,
          { url: this.url, timeoutMs },
        );
      }
      if (options.signal?.aborted) {
        throw new PydeError('rpc.closed', `the call to ${this.url} was cancelled`);
      }
      throw unreachable(this.url, error);
    }
  }

  async #boundedText(response: IncomingMessage): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > this.#maxResponseBytes) {
        throw new PydeError(
          'rpc.response',
          `${this.url} answered more than the ${this.#maxResponseBytes} bytes that are accepted`,
          { url: this.url, maxBytes: this.#maxResponseBytes },
        );
      }
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  }
}

/** Without `fetch`, which takes longer for a call than the node does for its answer. */
async function send(url: string, body: string, signal: AbortSignal): Promise<IncomingMessage> {
  try {
    return await post(url, body, signal);
  } catch (error) {
    // The node closed the idle connection in the moment in which it was taken for this call.
    if (error !== STALE_CONNECTION) throw error;
    return await post(url, body, signal);
  }
}

function post(url: string, body: string, signal: AbortSignal): Promise<IncomingMessage> {
  const isSecure = url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const options = { method: 'POST', headers, signal };
    const request = isSecure
      ? httpsRequest(url, { ...options, agent: HTTPS }, resolve)
      : httpRequest(url, { ...options, agent: HTTP }, resolve);
    request.on('error', (error) => {
      const isStale = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
      reject(isStale ? STALE_CONNECTION : error);
    });
    request.end(body);
  });
}

function normalUrl(url: string): string {
  const full = url.includes('://') ? url : `http://${url}`;
  const parsed = URL.canParse(full) ? new URL(full) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new PydeError(
      'rpc.url',
      `${url} is not the address of a node; write it like http://127.0.0.1:9933`,
      { url },
    );
  }
  return parsed.href;
}

/** A sentence for what the platform's connect error says in a code. */
function unreachable(url: string, error: unknown): PydeError<RpcClientErrorCode> {
  const code = causeCode(error);
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there. Start the node or check host and port',
    ENOTFOUND: 'the host name is not known. Check the spelling and the network',
    EAI_AGAIN: 'the host name could not be looked up. Check the network',
    ECONNRESET: 'the connection was cut. Check that it is a Pyde node, and try again',
  };
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const plain = code ?? (cause instanceof Error ? cause.message : 'no reason given');
  const reason = reasons[code ?? ''] ?? `the connection failed (${plain})`;
  return new PydeError('rpc.unreachable', `${url} cannot be reached: ${reason}`, {
    url,
    cause: code ?? null,
  });
}

function causeCode(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    const [first] = at instanceof AggregateError ? at.errors : [];
    at = at.cause ?? first;
  }
  return undefined;
}

function rateLimited(url: string, retryAfter: string | undefined): PydeError<RpcClientErrorCode> {
  const seconds = Number(retryAfter ?? 'NaN');
  const wait = Number.isFinite(seconds) ? `in ${seconds} s` : 'later';
  return new PydeError('rpc.rate-limited', `${url} limits its callers; try again ${wait}`, {
    url,
    retryAfterSeconds: Number.isFinite(seconds) ? seconds : null,
  });
}

/** A node answers its errors with HTTP 200 or a JSON-RPC body; the rest is another server's. */
function httpError(url: string, status: number, text: string): PydeError {
  try {
    resultOf(JSON.parse(text), url);
  } catch (error) {
    if (error instanceof PydeError && error.code !== 'rpc.response') return error;
  }
  if (status === SERVICE_UNAVAILABLE) {
    return new PydeError(
      'rpc.unreachable',
      `${url} is stopping or not ready (HTTP 503); try again when it is back`,
      { url, status },
    );
  }
  return new PydeError(
    'rpc.http',
    `${url} answered HTTP ${status}. Check that the address is that of a Pyde node`,
    { url, status },
  );
}

/**
 * HTTP and WebSocket in front of the RPC service, on one port (spec/rpc.md): `POST /` for requests,
 * `GET /ws` upgraded for requests and subscriptions. It moves texts and bounds what callers can
 * make it hold; every answer to a request it could read is HTTP 200.
 */
import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import websocket from '@fastify/websocket';
import { isPydeError, PydeError } from '@pyde/core/bytes';
import type { Logger } from '@pyde/core/platform';
import { type CallWatch, type RpcBackend, RpcService } from '@pyde/core/rpc';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { listenOn } from './listening.ts';
import { type Pages, servePages } from './pages.ts';
import { readBody } from './request-body.ts';
import { SocketSet } from './socket-set.ts';

export interface RpcServerOptions {
  readonly backend: RpcBackend;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly logger: Logger;
  /** Requests a second from one address, over HTTP and on each WebSocket. Off by default. */
  readonly requestsPerSecond?: number;
  /** Other pages to GET on this port, by path. */
  readonly pages?: Pages;
  /** Told of what callers ask. */
  readonly watch?: ServerWatch;
}

export interface ServerWatch {
  readonly called: CallWatch;
  /** A request was refused because its address asks too often. */
  rateLimited(): void;
  /** So many WebSockets are open. */
  sockets(open: number): void;
}

const MAX_CONNECTIONS = 2_048;
const REQUEST_TIMEOUT_MS = 30_000;
/** What `stop` grants to answers under way. */
const STOP_GRACE_MS = 700;
/** A text that is a little too large is answered, one beyond this ends the connection. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

const HINT = 'This is a Pyde node. POST JSON-RPC 2.0 here, or connect a WebSocket to /ws.\n';

export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #service: RpcService;
  readonly #sockets: SocketSet;
  #app: FastifyInstance | undefined;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    const { backend, logger, requestsPerSecond, watch } = options;
    this.#service = new RpcService(backend, logger, watch?.called);
    this.#sockets = new SocketSet(this.#service, logger, requestsPerSecond);
  }

  /**
   * Listens. @returns the address that it is bound to
   * @throws PydeError of {@link ServerErrorCode}
   */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port } = this.#options;
    const app = await this.#build();
    const bound = await listenOn(app, { host, port });
    this.#app = app;
    return bound;
  }

  /** Ends all connections, within a second. Safe to call twice. */
  async stop(): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    if (app === undefined) return;
    const impatient = setTimeout(() => app.server.closeAllConnections(), STOP_GRACE_MS);
    await Promise.all([this.#sockets.close(STOP_GRACE_MS), app.close()]);
    clearTimeout(impatient);
  }

  async #build(): Promise<FastifyInstance> {
    const app: FastifyInstance = fastify({
      forceCloseConnections: 'idle',
      requestTimeout: REQUEST_TIMEOUT_MS,
      routerOptions: { ignoreTrailingSlash: true },
    });
    app.server.maxConnections = MAX_CONNECTIONS;
    app.removeAllContentTypeParsers();
    // The type is not asked for: many callers post JSON under the one their tool sends by default.
    app.addContentTypeParser('*', (_: FastifyRequest, payload: IncomingMessage) =>
      readBody(payload),
    );
    app.setErrorHandler(async (error, _, reply) => {
      const limited = error instanceof RateLimited;
      if (limited) this.#options.watch?.rateLimited();
      if (!limited && !isPydeError(error)) this.#logRequestError(error);
      reply.code(limited ? 429 : 200).type('application/json; charset=utf-8');
      return this.#service.refuse(error instanceof RateLimited ? error.refusal : asRefusal(error));
    });
    app.setNotFoundHandler(async (_, reply) => reply.code(404).type('text/plain').send(HINT));
    await app.register(cors, { origin: '*', methods: ['GET', 'POST'] });
    if (this.#options.requestsPerSecond !== undefined) {
      const { default: rateLimit } = await import('@fastify/rate-limit');
      await app.register(rateLimit, {
        max: this.#options.requestsPerSecond,
        timeWindow: 1_000,
        errorResponseBuilder: () => new RateLimited(),
      });
    }
    await app.register(websocket, {
      options: { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false },
      preClose: () => Promise.resolve(),
    });
    app.get('/', async (_, reply) => reply.type('text/plain; charset=utf-8').send(HINT));
    app.post('/', async (request, reply) => {
      const text = typeof request.body === 'string' ? request.body : '';
      const answer = await this.#service.handle(text, { isOperator: isLocal(request) });
      reply.type('application/json; charset=utf-8');
      return answer ?? '';
    });
    app.get('/ws', { websocket: true }, (socket) => {
      this.#sockets.accept(socket);
      const tell = (): void => this.#options.watch?.sockets(this.#sockets.size);
      tell();
      socket.once('close', tell);
    });
    if (this.#options.pages !== undefined) servePages(app, this.#options.pages);
    return app;
  }

  #logRequestError(error: unknown): void {
    this.#options.logger.warn('an HTTP request failed', {
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Headers by which a proxy on this machine, or a page in its browser, tells that others ask. */
const OF_OTHERS = ['x-forwarded-for', 'forwarded', 'origin'];

function isLocal({ ip, headers }: FastifyRequest): boolean {
  if (OF_OTHERS.some((name) => headers[name] !== undefined)) return false;
  return ip === '::1' || /^(::ffff:)?127\./.test(ip);
}

/** Answered with 429; the plugin sets Retry-After. */
class RateLimited extends Error {
  readonly refusal = new PydeError(
    'server.rate-limited',
    'too many requests from this address; wait as long as Retry-After says',
  );
}

/** What the HTTP layer refuses by itself is the caller's doing. */
function asRefusal(error: unknown): unknown {
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500;
  if (isPydeError(error) || typeof status !== 'number' || status >= 500) return error;
  return new PydeError('rpc.request', 'the HTTP request is malformed; send JSON with POST');
}

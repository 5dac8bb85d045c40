/**
 * Pages that can be read with GET, beside the RPC or on a port of their own: for an operator's
 * tools, which take a status and a text.
 */
import type { Logger } from '@pyde/core/platform';
import fastify, { type FastifyInstance } from 'fastify';
import { listenOn } from './listening.ts';

export interface PageAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** By path. */
export type Pages = ReadonlyMap<string, () => Promise<PageAnswer>>;

export interface PageServerOptions {
  readonly pages: Pages;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly logger: Logger;
}

const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 10_000;

export function servePages(app: FastifyInstance, pages: Pages): void {
  for (const [path, page] of pages) {
    app.get(path, async (_, reply) => {
      const { status, type, body } = await page();
      reply.code(status).type(type).header('cache-control', 'no-store');
      return body;
    });
  }
}

/** A listener for pages alone. */
export class PageServer {
  readonly #options: PageServerOptions;
  #app: FastifyInstance | undefined;

  constructor(options: PageServerOptions) {
    this.#options = options;
  }

  /**
   * Listens. @returns the address that it is bound to
   * @throws PydeError of `ServerErrorCode`
   */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const { pages, host, port, logger } = this.#options;
    const app: FastifyInstance = fastify({
      forceCloseConnections: true,
      requestTimeout: REQUEST_TIMEOUT_MS,
    });
    app.server.maxConnections = MAX_CONNECTIONS;
    app.setErrorHandler(async (error, _, reply) => {
      const cause = error instanceof Error ? error.message : String(error);
      logger.warn('a page could not be made', { cause });
      return reply.code(500).type('text/plain').send('the page could not be made; see the log\n');
    });
    const known = [...pages.keys()].join(' ');
    app.setNotFoundHandler(async (_, reply) =>
      reply.code(404).type('text/plain').send(`There is ${known} here.\n`),
    );
    servePages(app, pages);
    const bound = await listenOn(app, { host, port });
    this.#app = app;
    return bound;
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    await app?.close();
  }
}

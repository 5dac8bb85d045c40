/** The RPC of one node: every method for requests, and connections that can subscribe. */
import { isPydeError, PydeError } from '../bytes/index.ts';
import type { Logger } from '../platform/index.ts';
import type { RpcBackend } from './backend.ts';
import { notServed, type RpcErrorCode } from './error.ts';
import { errorText, handleText } from './json-rpc.ts';
import { METHODS, mayOverlap } from './methods/index.ts';
import { checkArity } from './params.ts';
import { RpcConnection, type RpcSink } from './subscriptions.ts';

/** Who asks, as far as the server can tell. */
export interface RpcCaller {
  /** On the node's own machine. */
  readonly isOperator: boolean;
}

/**
 * Told of every call of a method when it begins, and by what it returned when it is answered: `ok`,
 * or the code of the refusal. The method is one of the table, or `unknown`.
 */
export type CallWatch = (method: string) => (code: string) => void;

const STRANGER: RpcCaller = { isOperator: false };

export class RpcService {
  readonly #backend: RpcBackend;
  readonly #logger: Logger;
  readonly #watch: CallWatch | undefined;

  constructor(backend: RpcBackend, logger: Logger, watch?: CallWatch) {
    this.#backend = backend;
    this.#logger = logger;
    this.#watch = watch;
  }

  /** The response text; undefined when the text held only notifications. Never rejects. */
  handle(text: string, caller = STRANGER): Promise<string | undefined> {
    const call = (method: string, params: readonly unknown[]) => this.#call(method, params, caller);
    return handleText(text, call, this.#logger, mayOverlap);
  }

  /** A connection that stays open; the caller hands it every text that arrives, and its end. */
  connect(sink: RpcSink): RpcConnection {
    const call = (method: string, params: readonly unknown[]) =>
      this.#call(method, params, STRANGER);
    return new RpcConnection(this.#backend, call, sink, this.#logger);
  }

  /** The response text for a request that could not even be read. */
  refuse(error: unknown): string {
    return errorText(error, null, this.#logger);
  }

  async #call(method: string, params: readonly unknown[], caller: RpcCaller): Promise<unknown> {
    const answered = this.#watch?.(METHODS.has(method) ? method : 'unknown');
    try {
      const result = await this.#run(method, params, caller);
      answered?.('ok');
      return result;
    } catch (error) {
      answered?.(isPydeError(error) ? error.code : 'rpc.internal');
      throw error;
    }
  }

  async #run(
    method: string,
    params: readonly unknown[],
    { isOperator }: RpcCaller,
  ): Promise<unknown> {
    const found = METHODS.get(method);
    if (found === undefined) throw unknownMethod(method);
    if (found.isForOperator === true && !isOperator) throw forOperator(method);
    if (found.params !== undefined) checkArity(method, found.params, params);
    return found.run(this.#backend, params);
  }
}

function forOperator(method: string): PydeError<RpcErrorCode> {
  return new PydeError(
    'rpc.operator-only',
    `${method} is for the node's operator: ask on its own machine, over HTTP at 127.0.0.1`,
    { method },
  );
}

function unknownMethod(method: string): PydeError<RpcErrorCode> {
  if (method === 'pyde_subscribe' || method === 'pyde_unsubscribe') {
    return notServed(method, 'it needs a connection that stays open; connect to /ws on this port');
  }
  const shown = method.length > 64 ? `${method.slice(0, 64)}…` : method;
  return new PydeError('rpc.method', `there is no method ${shown}; see the RPC reference`, {
    method: shown,
  });
}

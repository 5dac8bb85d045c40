/**
 * One WebSocket to a node's `/ws`, carrying calls and the pushes of subscriptions (spec/rpc.md).
 * It does not reconnect: an ended socket says why to each subscription, and who needs the stream
 * subscribes again, with a cursor where the stream has one.
 */
import { PydeError } from '@pyde/core/bytes';
import { isObject, resultOf } from './response.ts';

export interface Subscription {
  /** The node's name for it. */
  readonly id: string;
  /** Ends it; a node that is gone counts as ended. */
  unsubscribe(): Promise<void>;
}

interface Listener {
  readonly onResult: (result: unknown) => void;
  readonly onEnd: (reason: PydeError) => void;
}

interface PendingCall {
  readonly settle: (response: unknown) => void;
  readonly fail: (reason: PydeError) => void;
}

export class RpcSocket {
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;
  readonly #calls = new Map<number, PendingCall>();
  readonly #listeners = new Map<string, Listener>();
  #open = false;
  #nextId = 1;
  #ended: PydeError | undefined;

  constructor(url: string, timeoutMs: number) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
    this.#socket = new WebSocket(url);
    this.#opened = new Promise((resolve) => {
      this.#socket.addEventListener('open', () => {
        this.#open = true;
        resolve();
      });
    });
    this.#socket.addEventListener('message', (event) => this.#onMessage(event.data));
    this.#socket.addEventListener('close', (event) => this.#onClose(event.code, event.reason));
    // A failure is followed by `close`; without a listener it would be thrown.
    this.#socket.addEventListener('error', () => {});
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  async subscribe(
    params: readonly unknown[],
    onResult: (result: unknown) => void,
    onEnd: (reason: PydeError) => void,
  ): Promise<Subscription> {
    // The listener must stand before the next message is read, hence inside the call.
    const id = await this.#call('pyde_subscribe', params, (result) => {
      if (typeof result !== 'string') {
        throw new PydeError('rpc.response', `${this.#url} named a subscription with no string`);
      }
      this.#listeners.set(result, { onResult, onEnd });
      return result;
    });
    return { id, unsubscribe: () => this.#unsubscribe(id) };
  }

  close(): void {
    this.#listeners.clear();
    this.#end(new PydeError('rpc.closed', `the connection to ${this.#url} was closed by us`));
    this.#socket.close(1000);
  }

  async #unsubscribe(id: string): Promise<void> {
    if (!this.#listeners.delete(id) || this.ended) return;
    await this.#call('pyde_unsubscribe', [id], () => undefined);
    if (this.#listeners.size === 0 && this.#calls.size === 0) this.close();
  }

  #call<T>(method: string, params: readonly unknown[], accept: (result: unknown) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#calls.delete(id);
        reject(
          new PydeError(
            'rpc.timeout',
            `${this.#url} did not answer ${method} within ${this.#timeoutMs} ms`,
          ),
        );
      }, this.#timeoutMs);
      const done = (): void => {
        clearTimeout(timer);
        this.#calls.delete(id);
      };
      this.#calls.set(id, {
        settle: (response) => {
          done();
          try {
            resolve(accept(resultOf(response, this.#url)));
          } catch (error) {
            reject(error);
          }
        },
        fail: (reason) => {
          done();
          reject(reason);
        },
      });
      void this.#opened.then(() => {
        if (this.#calls.has(id)) {
          this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
        }
      });
    });
  }

  #onMessage(data: unknown): void {
    let message: unknown;
    try {
      message = JSON.parse(String(data));
    } catch {
      message = undefined;
    }
    if (!isObject(message)) {
      this.#end(new PydeError('rpc.response', `${this.#url} sent something that is not JSON-RPC`));
      this.#socket.close(1002);
      return;
    }
    if (typeof message['id'] === 'number') {
      this.#calls.get(message['id'])?.settle(message);
      return;
    }
    const push = message['params'];
    if (message['method'] !== 'pyde_subscription' || !isObject(push)) return;
    const id = push['subscription'];
    if (typeof id !== 'string') return;
    this.#listeners.get(id)?.onResult(push['result']);
  }

  #onClose(code: number, reason: string): void {
    if (!this.#open) {
      this.#end(
        new PydeError(
          'rpc.unreachable',
          `${this.#url} cannot be reached. Start the node or check host and port`,
          { url: this.#url },
        ),
      );
      return;
    }
    const why = reason === '' ? `code ${code}` : reason;
    this.#end(
      new PydeError('rpc.closed', `the connection to ${this.#url} ended: ${why}`, { code, reason }),
    );
  }

  #end(reason: PydeError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const call of [...this.#calls.values()]) call.fail(reason);
    for (const listener of [...this.#listeners.values()]) listener.onEnd(reason);
    this.#listeners.clear();
  }
}

/**
 * Subscriptions of one connection (spec/rpc.md): `newWaves`, `finality`, `logs`.
 *
 * A connection holds a bounded number of them and a bounded amount of text that its reader has not
 * taken yet. A reader that is too slow is closed with a reason: waves do not stop for it, and it
 * comes back with a cursor or asks for what it missed.
 */
import { PydeError } from '../bytes/index.ts';
import type { Logger } from '../platform/index.ts';
import type { RpcBackend } from './backend.ts';
import { badParams, type RpcErrorCode } from './error.ts';
import { handleText } from './json-rpc.ts';
import { type LogFilter, mayOverlap, readLogSubscription } from './methods/index.ts';
import { checkArity, readString } from './params.ts';
import { certJson, type Json, waveJson } from './record-json.ts';

export const MAX_SUBSCRIPTIONS = 64;
/** UTF-16 units that wait to be sent on one connection; about as many bytes. */
export const MAX_OUTBOUND_CHARS = 8 * 1024 * 1024;

/** One open connection, as a platform offers it. */
export interface RpcSink {
  send(text: string): void;
  /** How much of what was sent the other side has not taken yet, in bytes. */
  buffered(): number;
  /** Ends the connection and tells the other side why. */
  close(reason: string): void;
}

type Topic =
  | { readonly kind: 'newWaves' }
  | { readonly kind: 'finality' }
  | { readonly kind: 'logs'; readonly filter: LogFilter };

type Call = (method: string, params: readonly unknown[]) => Promise<unknown>;

export class RpcConnection {
  readonly #sink: RpcSink;
  readonly #call: Call;
  readonly #logger: Logger;
  /** By id; undefined until the answer that names the subscription is sent. */
  readonly #subscriptions = new Map<string, { readonly topic: Topic; live: boolean }>();
  readonly #stop: readonly (() => void)[];
  #nextId = 1;
  #closed = false;

  /** @param call runs every method but those of subscriptions */
  constructor(backend: RpcBackend, call: Call, sink: RpcSink, logger: Logger) {
    this.#sink = sink;
    this.#call = call;
    this.#logger = logger;
    this.#stop = [
      backend.onWave((record) => this.#push('newWaves', () => waveJson(record))),
      backend.onFinality((cert) => this.#push('finality', () => certJson(cert))),
    ];
  }

  /** Answers one request text. */
  async receive(text: string): Promise<void> {
    const opened: string[] = [];
    const call: Call = async (method, params) => {
      // The rest of a batch is not worth running when nobody is there to read it.
      if (this.#closed) throw new PydeError<RpcErrorCode>('rpc.request', 'the connection is gone');
      if (method === 'pyde_subscribe') {
        const id = this.#subscribe(params);
        opened.push(id);
        return id;
      }
      if (method === 'pyde_unsubscribe') return this.#unsubscribe(params);
      return this.#call(method, params);
    };
    const answer = await handleText(text, call, this.#logger, mayOverlap);
    if (answer !== undefined) this.#send(answer);
    // Pushes begin after the answer that names them.
    for (const id of opened) {
      const subscription = this.#subscriptions.get(id);
      if (subscription !== undefined) subscription.live = true;
    }
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.#subscriptions.clear();
    for (const stop of this.#stop) stop();
  }

  #subscribe(params: readonly unknown[]): string {
    checkArity('pyde_subscribe', ['topic', 'filter?'], params);
    const topic = readTopic(params);
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new PydeError<RpcErrorCode>(
        'rpc.subscriptions',
        `a connection holds at most ${MAX_SUBSCRIPTIONS} subscriptions; end one first`,
        { max: MAX_SUBSCRIPTIONS },
      );
    }
    const id = `0x${(this.#nextId++).toString(16)}`;
    this.#subscriptions.set(id, { topic, live: false });
    return id;
  }

  #unsubscribe(params: readonly unknown[]): true {
    checkArity('pyde_unsubscribe', ['id'], params);
    const id = readString(params[0], 'id', 64);
    if (!this.#subscriptions.delete(id)) {
      throw badParams(`this connection has no subscription ${id}`);
    }
    return true;
  }

  #push(kind: Topic['kind'], render: () => Json): void {
    let result: string | undefined;
    for (const [id, { topic, live }] of this.#subscriptions) {
      if (topic.kind !== kind || !live) continue;
      result ??= JSON.stringify(render());
      this.#send(
        `{"jsonrpc":"2.0","method":"pyde_subscription",` +
          `"params":{"subscription":"${id}","result":${result}}}`,
      );
      if (this.#closed) return;
    }
  }

  #send(text: string): void {
    if (this.#closed) return;
    const waiting = this.#sink.buffered();
    // An answer larger than the bound may still go out when nothing else waits.
    if (waiting > 0 && waiting + text.length > MAX_OUTBOUND_CHARS) {
      this.close();
      this.#sink.close('slow reader: too much waits to be read; connect again and go on');
      return;
    }
    this.#sink.send(text);
  }
}

function readTopic(params: readonly unknown[]): Topic {
  const [name, filter] = params;
  const kind = readString(name, 'topic', 64);
  if (kind === 'logs') return { kind, filter: readLogSubscription(filter) };
  if (kind !== 'newWaves' && kind !== 'finality') {
    throw badParams(`topic must be "newWaves", "finality" or "logs", got ${JSON.stringify(kind)}`);
  }
  if (filter !== undefined) throw badParams(`${kind} takes no filter`);
  return { kind };
}

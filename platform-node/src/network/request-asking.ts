/**
 * Asking: one question to one peer on a stream of its own (docs/protocol/network.md, "Request
 * streams"). A question ends by its answer, a refusal, its protocol's time, or its caller's signal;
 * in each case its stream is gone. What a peer says is believed to be no larger than the table
 * allows, and nothing else. Not answering in time, cutting an answer short and bytes out of shape
 * cost the peer's score; a refusal does not.
 */

import type { Libp2p, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { isPydeError, PydeError } from '@pyde/core/bytes';
import {
  type Offence,
  REQUEST_LIMITS,
  type RequestProtocol,
  requestProtocolId,
} from '@pyde/core/net';
import { deadline } from './deadline.ts';
import { exchange } from './request-stream.ts';

/**
 * Questions to one peer that wait at a time, and to all. Half of what it allows: it may not have
 * seen the end of the last ones.
 */
const MAX_OPEN_PER_PEER = 8;
const MAX_OPEN = 256;

export type AskErrorCode =
  | 'network.busy'
  | 'network.cancelled'
  | 'network.refused'
  | 'network.size'
  | 'network.stopped'
  | 'network.timeout'
  | 'network.unreachable';

export interface AskingOptions {
  readonly node: Pick<Libp2p, 'dialProtocol'>;
  offend(peerId: string, offence: Offence): void;
  /** Instead of the protocol's own, for tests. */
  readonly timeoutMs?: number;
}

export class RequestAsking {
  readonly #options: AskingOptions;
  readonly #open = new Map<string, number>();
  /** By peer and protocol. */
  readonly #lanes = new Map<string, { open: number; readonly waiting: (() => void)[] }>();
  readonly #stopped = new AbortController();
  #openInAll = 0;
  #asked = 0;
  #failed = 0;

  constructor(options: AskingOptions) {
    this.#options = options;
  }

  /**
   * The answer to one question; dials the peer when there is no connection to it.
   * @throws PydeError {@link AskErrorCode}, `network.format`, `network.truncated`;
   *   `network.refused` has the peer's own code in `details.refusal`
   */
  async ask(
    peerId: string,
    protocol: RequestProtocol,
    question: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const limits = REQUEST_LIMITS[protocol];
    if (question.length > limits.maxQuestionBytes) {
      throw new PydeError<AskErrorCode>(
        'network.size',
        `a question ${protocol} has at most ${limits.maxQuestionBytes} bytes, this one ` +
          `${question.length}; ask for less at once`,
      );
    }
    if (signal?.aborted === true) throw cancelled(protocol);
    this.#enter(peerId);
    this.#asked++;
    const lane = `${peerId} ${protocol}`;
    try {
      await this.#turn(lane, protocol, signal);
      try {
        return await this.#exchange(peerId, protocol, question, signal);
      } finally {
        this.#next(lane);
      }
    } catch (error) {
      this.#failed++;
      throw error;
    } finally {
      this.#leave(peerId);
    }
  }

  /** Ends every open question with `network.stopped`; later ones fail at once. */
  stop(): void {
    this.#stopped.abort(
      new PydeError<AskErrorCode>('network.stopped', 'the network of this node has stopped'),
    );
  }

  metrics(): Readonly<Record<string, number>> {
    return {
      requests_asked: this.#asked,
      requests_failed: this.#failed,
      requests_open_now: this.#openInAll,
    };
  }

  async #exchange(
    peerId: string,
    protocol: RequestProtocol,
    question: Uint8Array,
    outer: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const limits = REQUEST_LIMITS[protocol];
    const caller = new AbortController();
    const cancel = (): void => caller.abort(cancelled(protocol));
    const stop = (): void => caller.abort(this.#stopped.signal.reason);
    outer?.addEventListener('abort', cancel, { once: true });
    this.#stopped.signal.addEventListener('abort', stop, { once: true });
    if (this.#stopped.signal.aborted) stop();
    if (outer?.aborted === true) cancel();
    const timeoutMs = this.#options.timeoutMs ?? limits.timeoutMs;
    const limit = deadline(timeoutMs, () => late(protocol, timeoutMs), caller.signal);
    let stream: Stream | undefined;
    try {
      stream = await this.#openStream(peerId, protocol, limit.signal);
      const answer = await exchange(stream, question, limits.maxAnswerBytes, limit.signal);
      if (answer.kind === 'answer') return answer.bytes;
      const { code, message } = answer.refusal;
      throw new PydeError<AskErrorCode>(
        'network.refused',
        `the peer refused a question ${protocol}: ${code}: ${message}`,
        { refusal: code },
      );
    } catch (error) {
      throw this.#judge(peerId, protocol, stream, error, limit.signal);
    } finally {
      limit.clear();
      outer?.removeEventListener('abort', cancel);
      this.#stopped.signal.removeEventListener('abort', stop);
      if (stream !== undefined && stream.status !== 'closed') {
        stream.abort(new Error('the question is over'));
      }
    }
  }

  async #openStream(
    peerId: string,
    protocol: RequestProtocol,
    signal: AbortSignal,
  ): Promise<Stream> {
    try {
      return await this.#options.node.dialProtocol(
        peerIdFromString(peerId),
        requestProtocolId(protocol),
        { signal, maxOutboundStreams: MAX_OPEN_PER_PEER },
      );
    } catch (error) {
      signal.throwIfAborted();
      throw new PydeError<AskErrorCode>(
        'network.unreachable',
        `cannot ask ${peerId} for ${protocol}: ${reasonOf(error)}`,
        { peerId },
      );
    }
  }

  /** Whatever ended the question, as a PydeError; what the peer can help costs its score. */
  #judge(
    peerId: string,
    protocol: RequestProtocol,
    stream: Stream | undefined,
    error: unknown,
    signal: AbortSignal,
  ): PydeError {
    // A stream that was cut because its time was over fails with the library's word for it.
    const cause: unknown = signal.aborted ? signal.reason : error;
    if (!isPydeError(cause)) {
      return new PydeError<AskErrorCode>(
        'network.unreachable',
        `the question ${protocol} to ${peerId} failed: ${reasonOf(cause)}`,
        { peerId },
      );
    }
    const offence = stream === undefined ? undefined : offenceOf(cause);
    if (offence !== undefined) this.#options.offend(peerId, offence);
    return cause;
  }

  /** Of one protocol so many questions are open to a peer; the others go out in their order. */
  #turn(name: string, protocol: RequestProtocol, signal: AbortSignal | undefined): Promise<void> {
    const lane = this.#lanes.get(name) ?? { open: 0, waiting: [] };
    this.#lanes.set(name, lane);
    if (lane.open < REQUEST_LIMITS[protocol].maxOpen) {
      lane.open++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const drop = (): void => {
        lane.waiting.splice(lane.waiting.indexOf(go), 1);
        reject(cancelled(protocol));
      };
      // Whoever ends hands its place over.
      const go = (): void => {
        signal?.removeEventListener('abort', drop);
        resolve();
      };
      lane.waiting.push(go);
      signal?.addEventListener('abort', drop, { once: true });
    });
  }

  #next(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    const next = lane.waiting.shift();
    if (next !== undefined) next();
    else if (--lane.open === 0) this.#lanes.delete(name);
  }

  #enter(peerId: string): void {
    const open = this.#open.get(peerId) ?? 0;
    if (open >= MAX_OPEN_PER_PEER || this.#openInAll >= MAX_OPEN) {
      throw new PydeError<AskErrorCode>(
        'network.busy',
        `${open} questions to ${peerId} and ${this.#openInAll} in all are open; wait for answers`,
        { peerId },
      );
    }
    this.#open.set(peerId, open + 1);
    this.#openInAll++;
  }

  #leave(peerId: string): void {
    const open = (this.#open.get(peerId) ?? 1) - 1;
    if (open === 0) this.#open.delete(peerId);
    else this.#open.set(peerId, open);
    this.#openInAll--;
  }
}

/**
 * Other codes are nobody's fault, and neither is a stream that closed before the first byte: the
 * peer may have stopped, or have too many streams.
 */
function offenceOf({ code, details }: PydeError): Offence | undefined {
  switch (code) {
    case 'network.timeout':
      return 'slow-answer';
    case 'network.truncated':
      return details.bytes === 0 ? undefined : 'truncated';
    case 'network.size':
      return 'oversized-frame';
    case 'network.format':
      return 'bad-frame';
    default:
      return undefined;
  }
}

function late(protocol: RequestProtocol, timeoutMs: number): PydeError<AskErrorCode> {
  return new PydeError('network.timeout', `no answer to ${protocol} within ${timeoutMs} ms`);
}

function cancelled(protocol: RequestProtocol): PydeError<AskErrorCode> {
  return new PydeError('network.cancelled', `the question ${protocol} was cancelled`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

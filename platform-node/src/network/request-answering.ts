/**
 * Answering: what any peer may ask, and at what price (docs/protocol/network.md, "Request
 * streams"). Every question passes the same doors, cheapest first:
 *
 * 1. a slot: so many streams a peer and in all; a stream above them is reset
 * 2. the peer's budget for the protocol; above it the question is refused unread
 * 3. the question, whole and within its cap before its time is over
 * 4. room for the largest answer, of the peer's share and of all; else `busy`
 * 5. the answer, which the peer must take within the protocol's time
 *
 * Nothing waits for another's question: a peer that sends or reads slowly holds its own slots and
 * its own share, and loses them when its time is over. Refusals are short and say why.
 */
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { isPydeError, PydeError } from '@pyde/core/bytes';
import {
  type Offence,
  REQUEST_LIMITS,
  REQUEST_PROTOCOLS,
  type RequestProtocol,
  requestProtocolId,
} from '@pyde/core/net';
import type { Logger } from '@pyde/core/platform';
import { deadline, raced } from './deadline.ts';
import { type Refusal, readQuestion, writeAnswer, writeRefusal } from './request-stream.ts';

/** Streams of questions, of all protocols, that are open at a time. */
const MAX_SLOTS_PER_PEER = 16;
const MAX_SLOTS = 512;
/** The library resets streams above this before we see them; ours come first. */
const MAX_STREAMS_PER_CONNECTION = 64;
/** Answers that are being made or sent, by their largest size until the true one is known. */
const MAX_ANSWER_BYTES_PER_PEER = 16 * 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** A question is small: it comes at once or it is not meant. */
const QUESTION_TIMEOUT_MS = 5_000;
/** How long an end that was told everything may take to close its side. */
const LINGER_MS = 5_000;

/** Asked when this node makes them; refused with the code `not-served` until then. */
export const NOT_SERVED: ReadonlySet<RequestProtocol> = new Set(['events', 'manifest', 'chunk']);

export interface AnsweringOptions {
  readonly node: Pick<Libp2p, 'handle' | 'unhandle'>;
  readonly logger: Logger;
  readonly served: ReadonlySet<RequestProtocol>;
  /** @throws PydeError: sent as a refusal */
  answer(peerId: string, protocol: RequestProtocol, question: Uint8Array): Promise<Uint8Array>;
  /** One question out of the peer's budget; `flood` when being refused does not slow it down. */
  admit(peerId: string, protocol: RequestProtocol): 'take' | 'throttle' | 'flood';
  offend(peerId: string, offence: Offence): void;
  /** For tests. */
  readonly questionTimeoutMs?: number;
}

export class RequestAnswering {
  readonly #options: AnsweringOptions;
  readonly #slots = new Shares(MAX_SLOTS_PER_PEER, MAX_SLOTS);
  readonly #answerBytes = new Shares(MAX_ANSWER_BYTES_PER_PEER, MAX_ANSWER_BYTES);
  readonly #lanes = new Map<RequestProtocol, Shares>();
  readonly #open = new Set<Stream>();
  #stopped = false;
  #answered = 0;
  #refused = 0;
  #broken = 0;

  constructor(options: AnsweringOptions) {
    this.#options = options;
  }

  /** Opens the doors; a question may come at once. */
  async start(): Promise<void> {
    for (const protocol of REQUEST_PROTOCOLS) {
      await this.#options.node.handle(
        requestProtocolId(protocol),
        (stream, connection) => {
          this.#take(protocol, stream, connection);
        },
        { maxInboundStreams: MAX_STREAMS_PER_CONNECTION },
      );
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#options.node.unhandle(REQUEST_PROTOCOLS.map(requestProtocolId));
    for (const stream of this.#open) stream.abort(new Error('the node stops'));
  }

  metrics(): Readonly<Record<string, number>> {
    return {
      requests_answered: this.#answered,
      requests_refused: this.#refused,
      requests_broken: this.#broken,
      request_streams_now: this.#slots.held,
      answer_bytes_now: this.#answerBytes.held,
    };
  }

  #take(protocol: RequestProtocol, stream: Stream, connection: Connection): void {
    const peerId = connection.remotePeer.toString();
    if (this.#stopped || !this.#slots.take(peerId, 1)) {
      stream.abort(new Error('too many questions at once'));
      if (!this.#stopped) this.#options.offend(peerId, 'stream-exhaustion');
      return;
    }
    this.#open.add(stream);
    this.#serve(peerId, protocol, stream)
      .catch((error) => this.#broke(peerId, protocol, error))
      .then(() => closed(stream, LINGER_MS))
      .finally(() => {
        this.#open.delete(stream);
        this.#slots.give(peerId, 1);
      });
  }

  async #serve(peerId: string, protocol: RequestProtocol, stream: Stream): Promise<void> {
    try {
      if (!this.#options.served.has(protocol)) {
        return await this.#refuse(stream, notServed(protocol));
      }
      const admission = this.#options.admit(peerId, protocol);
      if (admission === 'flood') this.#options.offend(peerId, REQUEST_LIMITS[protocol].breach);
      if (admission !== 'take') return await this.#refuse(stream, TOO_FAST);
      const lane = this.#lane(protocol);
      if (!lane.take(peerId, 1)) return await this.#refuse(stream, BUSY);
      try {
        const question = await this.#question(protocol, stream);
        await this.#answer(peerId, protocol, question, stream);
      } finally {
        lane.give(peerId, 1);
      }
    } catch (error) {
      stream.abort(new Error('the question failed'));
      throw error;
    }
  }

  /** Questions of one protocol: twice what an honest peer has open, which may see the end later. */
  #lane(protocol: RequestProtocol): Shares {
    let lane = this.#lanes.get(protocol);
    if (lane === undefined) {
      lane = new Shares(2 * REQUEST_LIMITS[protocol].maxOpen, MAX_SLOTS);
      this.#lanes.set(protocol, lane);
    }
    return lane;
  }

  async #question(protocol: RequestProtocol, stream: Stream): Promise<Uint8Array> {
    const limit = deadline(this.#options.questionTimeoutMs ?? QUESTION_TIMEOUT_MS, tooSlow);
    try {
      return await readQuestion(stream, REQUEST_LIMITS[protocol].maxQuestionBytes, limit.signal);
    } finally {
      limit.clear();
    }
  }

  async #answer(
    peerId: string,
    protocol: RequestProtocol,
    question: Uint8Array,
    stream: Stream,
  ): Promise<void> {
    const { maxAnswerBytes, timeoutMs } = REQUEST_LIMITS[protocol];
    let reserved = maxAnswerBytes;
    if (!this.#answerBytes.take(peerId, reserved)) return await this.#refuse(stream, BUSY);
    const limit = deadline(timeoutMs, () => notTaken(timeoutMs));
    try {
      const answer = await this.#made(peerId, protocol, question, limit.signal);
      if (!(answer instanceof Uint8Array)) return await this.#refuse(stream, answer);
      this.#answerBytes.give(peerId, reserved - answer.length);
      reserved = answer.length;
      await writeAnswer(stream, answer, limit.signal);
      this.#answered++;
    } finally {
      limit.clear();
      this.#answerBytes.give(peerId, reserved);
    }
  }

  /** The answer, or why there is none. An error that is no PydeError is a defect, and told as one. */
  async #made(
    peerId: string,
    protocol: RequestProtocol,
    question: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array | Refusal> {
    try {
      const answer = await raced(this.#options.answer(peerId, protocol, question), signal);
      if (answer.length <= REQUEST_LIMITS[protocol].maxAnswerBytes) return answer;
      this.#options.logger.error('an answer is larger than its protocol allows', {
        protocol,
        bytes: answer.length,
      });
      return { code: 'too-large', message: 'the answer is too large; ask for less' };
    } catch (error) {
      if (signal.aborted) return BUSY;
      if (isPydeError(error)) return { code: error.code, message: error.message };
      this.#options.logger.error('a question could not be answered', {
        protocol,
        cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      return { code: 'internal', message: 'this node failed to answer; ask another' };
    }
  }

  /** What the peer still sends is dropped unread. */
  async #refuse(stream: Stream, refusal: Refusal): Promise<void> {
    this.#refused++;
    const limit = deadline(LINGER_MS, () => notTaken(LINGER_MS));
    try {
      await writeRefusal(stream, refusal, limit.signal);
      await stream.closeRead({ signal: limit.signal });
    } finally {
      limit.clear();
    }
  }

  #broke(peerId: string, protocol: RequestProtocol, error: unknown): void {
    this.#broken++;
    const offence = isPydeError(error) ? offenceOf(error.code) : undefined;
    if (offence !== undefined) this.#options.offend(peerId, offence);
    this.#options.logger.debug('a question broke off', {
      peerId,
      protocol,
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}

const TOO_FAST: Refusal = { code: 'too-fast', message: 'ask this less often' };
const BUSY: Refusal = {
  code: 'busy',
  message: 'this node has too much to answer; ask again later',
};

function notServed(protocol: RequestProtocol): Refusal {
  return { code: 'not-served', message: `this node does not serve ${protocol}` };
}

function tooSlow(): PydeError {
  return new PydeError('network.slow-question', 'a question did not come whole in its time');
}

function notTaken(timeoutMs: number): PydeError {
  return new PydeError('network.timeout', `an answer was not taken within ${timeoutMs} ms`);
}

function offenceOf(code: string): Offence | undefined {
  switch (code) {
    case 'network.slow-question':
      return 'slow-loris';
    case 'network.size':
      return 'oversized-frame';
    case 'network.truncated':
      return 'truncated';
    default:
      // A peer that takes its answer slowly may have a slow line.
      return undefined;
  }
}

/** When both ends have closed, or the time is over and the stream was reset. */
function closed(stream: Stream, withinMs: number): Promise<void> {
  if (stream.status !== 'open' && stream.status !== 'closing') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => stream.abort(new Error('the peer does not close')), withinMs);
    stream.addEventListener(
      'close',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

/** How much of something each peer holds, with a bound a peer and one in all. */
class Shares {
  readonly #perPeer: number;
  readonly #inAll: number;
  readonly #byPeer = new Map<string, number>();
  #held = 0;

  constructor(perPeer: number, inAll: number) {
    this.#perPeer = perPeer;
    this.#inAll = inAll;
  }

  get held(): number {
    return this.#held;
  }

  take(peerId: string, count: number): boolean {
    const has = this.#byPeer.get(peerId) ?? 0;
    if (has + count > this.#perPeer || this.#held + count > this.#inAll) return false;
    this.#byPeer.set(peerId, has + count);
    this.#held += count;
    return true;
  }

  give(peerId: string, count: number): void {
    const left = (this.#byPeer.get(peerId) ?? 0) - count;
    if (left > 0) this.#byPeer.set(peerId, left);
    else this.#byPeer.delete(peerId);
    this.#held -= count;
  }
}

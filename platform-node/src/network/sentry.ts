/**
 * A sentry: it stands between the world and validators that are never named
 * (docs/protocol/network.md, "Sentries"). Others open committee streams to it as if it were the
 * validator; it passes their frames on, both ways, over the connection that the validator keeps to
 * it. The validator's own dialling goes through it as well: the stream `/pyde/1/relay` begins with
 * the index of whom it wants (u16 LE), and is piped from then on.
 *
 * Handshakes stay end to end: the sentry has no key and proves nothing. It only holds the end that a
 * hello names against the one that it sees itself, which the validator cannot see. Frames are
 * size-checked and bounded on both sides; a side that does not read loses bulk first, as on a link.
 */
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { isPydeError, type PydeError } from '@pyde/core/bytes';
import {
  COMMITTEE_PROTOCOL,
  decodeHello,
  type Frame,
  HANDSHAKE_FRAMES,
  LINK_FRAMES,
  type Offence,
  type PeerBook,
} from '@pyde/core/net';
import type { Clock, Logger } from '@pyde/core/platform';
import { toValidatorIndex, type ValidatorIndex } from '@pyde/core/types';
import { FrameStream } from './frame-stream.ts';
import type { SentryDuty } from './interface.ts';

/** From the validator to its sentry: pipe me to the validator that the first two bytes name. */
export const RELAY_PROTOCOL = '/pyde/1/relay';
/** From the sentry to its validator: somebody wants you. */
export const RELAYED_PROTOCOL = '/pyde/1/relayed';

export interface SentryOptions {
  readonly node: Libp2p;
  readonly book: PeerBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly duties: readonly SentryDuty[];
  readonly handshakeTimeoutMs: number;
  offence(connection: Connection, offence: Offence): void;
}

const TARGET_BYTES = 2;
const MAX_STREAMS = 256;
/** Pipes whose handshake is not through. */
const MAX_PENDING = 64;
const MAX_PENDING_PER_CONNECTION = 2;
/** Who waits for a validator that does not answer hears of it before it gives up itself. */
const INSIDE_MS = 3_000;

export class Sentry {
  readonly #options: SentryOptions;
  readonly #pipes = new Set<Pipe>();
  #nextDuty = 0;
  #opening = 0;
  #refused = 0;

  constructor(options: SentryOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { node } = this.#options;
    const most = { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS };
    await node.handle(
      COMMITTEE_PROTOCOL,
      (stream, connection) => void this.#fromOutside(stream, connection),
      most,
    );
    await node.handle(
      RELAY_PROTOCOL,
      (stream, connection) => void this.#fromValidator(stream, connection),
      most,
    );
  }

  stop(): void {
    for (const pipe of this.#pipes) pipe.close();
  }

  metrics(): Record<string, number> {
    return {
      sentry_pipes: this.#pipes.size,
      sentry_streams_refused: this.#refused,
    };
  }

  /** Somebody wants the validator. */
  async #fromOutside(stream: Stream, connection: Connection): Promise<void> {
    const inside = this.#validatorConnection();
    if (inside === undefined || !this.#mayBegin(connection)) {
      this.#refuse(stream);
      return;
    }
    this.#opening++;
    try {
      stream.pause();
      const signal = AbortSignal.timeout(INSIDE_MS);
      const further = await inside.newStream(RELAYED_PROTOCOL, { signal });
      this.#join({ stream, connection }, further);
    } catch (error) {
      this.#failed(stream, error);
    } finally {
      this.#opening--;
    }
  }

  /** The validator wants somebody. */
  async #fromValidator(stream: Stream, connection: Connection): Promise<void> {
    if (!this.#isDuty(connection.remotePeer.toString())) {
      this.#refuse(stream);
      this.#options.offence(connection, 'unasked');
      return;
    }
    this.#opening++;
    try {
      const signal = AbortSignal.timeout(this.#options.handshakeTimeoutMs);
      const wanted = await readTarget(stream, signal);
      const outside = await this.#reach(wanted, signal);
      const further = await outside.newStream(COMMITTEE_PROTOCOL, { signal });
      this.#join({ stream: further, connection: outside }, stream);
    } catch (error) {
      this.#failed(stream, error);
    } finally {
      this.#opening--;
    }
  }

  #join(outside: Outside, inside: Stream): void {
    const { clock, handshakeTimeoutMs, offence } = this.#options;
    const pipe = new Pipe({
      outside,
      inside,
      clock,
      handshakeTimeoutMs,
      ended: (breach) => {
        this.#pipes.delete(pipe);
        if (breach !== undefined) offence(outside.connection, breach);
      },
    });
    this.#pipes.add(pipe);
    outside.stream.resume();
    inside.resume();
  }

  async #reach(validator: ValidatorIndex, signal: AbortSignal): Promise<Connection> {
    const { node, book } = this.#options;
    const ends = book.recordOf(validator)?.ends ?? [];
    let last: unknown = new Error(`nobody told where validator ${validator} is`);
    for (const { peerId, addresses } of ends) {
      if (peerId === node.peerId.toString()) continue;
      try {
        const list = addresses.map((address) => multiaddr(`${address}/p2p/${peerId}`));
        return await node.dial(list, { signal });
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  #isDuty(peerId: string): boolean {
    return this.#options.duties.some((duty) => duty.peerId === peerId);
  }

  /** Of the validators that are there, each in its turn, over its newest connection. */
  #validatorConnection(): Connection | undefined {
    const newest = new Map<string, Connection>();
    for (const connection of this.#options.node.getConnections()) {
      const peerId = connection.remotePeer.toString();
      if (connection.status !== 'open' || !this.#isDuty(peerId)) continue;
      const known = newest.get(peerId);
      if (known === undefined || known.timeline.open <= connection.timeline.open) {
        newest.set(peerId, connection);
      }
    }
    return [...newest.values()][this.#nextDuty++ % Math.max(1, newest.size)];
  }

  #mayBegin(connection: Connection): boolean {
    let pending = this.#opening;
    let same = 0;
    for (const pipe of this.#pipes) {
      if (pipe.isProven) continue;
      pending++;
      if (pipe.connection === connection) same++;
    }
    return pending < MAX_PENDING && same < MAX_PENDING_PER_CONNECTION;
  }

  #refuse(stream: Stream): void {
    this.#refused++;
    stream.abort(new Error('refused'));
  }

  #failed(stream: Stream, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.logger.debug('a stream could not be passed on', { reason });
    this.#refuse(stream);
  }
}

interface Outside {
  readonly stream: Stream;
  readonly connection: Connection;
}

interface PipeOptions {
  readonly outside: Outside;
  readonly inside: Stream;
  readonly clock: Clock;
  readonly handshakeTimeoutMs: number;
  /** Once, with what the outside did wrong. */
  ended(breach: Offence | undefined): void;
}

/** Two streams, and the frames of each to the other. */
class Pipe {
  readonly connection: Connection;
  readonly #options: PipeOptions;
  readonly #outside: FrameStream;
  readonly #inside: FrameStream;
  readonly #deadline: NodeJS.Timeout;
  #hello = false;
  /** Proofs that passed: what they are worth is for the two ends to say. */
  readonly #proofs = { outside: false, inside: false };
  #ended = false;

  constructor(options: PipeOptions) {
    this.#options = options;
    this.connection = options.outside.connection;
    const { clock } = options;
    const allowed = HANDSHAKE_FRAMES;
    this.#outside = new FrameStream({
      stream: options.outside.stream,
      allowed,
      clock,
      frame: (frame) => this.#fromOutside(frame),
      ended: (breach) => this.#end(offenceOf(breach)),
    });
    this.#inside = new FrameStream({
      stream: options.inside,
      allowed,
      clock,
      frame: (frame) => this.#fromInside(frame),
      ended: () => this.#end(undefined),
    });
    this.#deadline = setTimeout(() => {
      // Once it said hello it may be the validator that is late.
      if (!this.isProven) this.#end(this.#hello ? undefined : 'failed-handshake');
    }, options.handshakeTimeoutMs);
  }

  get isProven(): boolean {
    return this.#proofs.outside && this.#proofs.inside;
  }

  close(): void {
    this.#end(undefined);
  }

  #fromOutside(frame: Frame): void {
    if (!this.#hello && !this.#isHelloOfIts(frame)) {
      this.#end('replayed-handshake');
      return;
    }
    this.#hello = true;
    if (frame.kind === 'proof') this.#proof('outside');
    pass(frame, this.#inside);
  }

  #fromInside(frame: Frame): void {
    if (frame.kind === 'proof') this.#proof('inside');
    pass(frame, this.#outside);
  }

  #proof(side: 'outside' | 'inside'): void {
    this.#proofs[side] = true;
    // Whoever proved first may speak as soon as the other one could have checked it.
    if (!this.isProven) return;
    clearTimeout(this.#deadline);
    this.#outside.allow(LINK_FRAMES);
    this.#inside.allow(LINK_FRAMES);
  }

  /** A refusal may come first, too: it names nobody. */
  #isHelloOfIts({ kind, payload }: Frame): boolean {
    if (kind === 'refuse') return true;
    if (kind !== 'hello') return false;
    try {
      return decodeHello(payload).peerId === this.connection.remotePeer.toString();
    } catch (error) {
      if (isPydeError(error)) return false;
      throw error;
    }
  }

  #end(breach: Offence | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#deadline);
    this.#outside.close();
    this.#inside.close();
    this.#options.ended(breach);
  }
}

function pass(frame: Frame, to: FrameStream): void {
  if (frame.kind === 'message') to.push(frame.payload);
  else to.pushControl(frame);
}

function offenceOf(breach: PydeError | undefined): Offence | undefined {
  if (breach === undefined) return undefined;
  return breach.details['oversized'] === true ? 'oversized-frame' : 'bad-frame';
}

/** The first two bytes of a relay stream; what follows them stays in it, paused. */
function readTarget(stream: Stream, signal: AbortSignal): Promise<ValidatorIndex> {
  return new Promise((resolve, reject) => {
    const held: Uint8Array[] = [];
    const done = (): void => {
      stream.removeEventListener('message', take);
      stream.removeEventListener('close', fail);
      signal.removeEventListener('abort', fail);
    };
    const fail = (): void => {
      done();
      reject(new Error('no target was named'));
    };
    const take = ({ data }: { data: { subarray(): Uint8Array } }): void => {
      held.push(data.subarray());
      const bytes = Buffer.concat(held);
      if (bytes.length < TARGET_BYTES) return;
      stream.pause();
      done();
      if (bytes.length > TARGET_BYTES) stream.unshift(bytes.subarray(TARGET_BYTES));
      resolve(toValidatorIndex(bytes.readUInt16LE()));
    };
    stream.addEventListener('message', take);
    stream.addEventListener('close', fail);
    signal.addEventListener('abort', fail);
  });
}

/** What begins a relay stream. */
export function targetBytes(validator: ValidatorIndex): Uint8Array {
  return Uint8Array.of(validator & 0xff, validator >> 8);
}

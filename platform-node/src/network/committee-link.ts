/**
 * One link to another validator: a stream, the handshake on it, and after that messages and pings
 * (docs/protocol/network.md, "Handshake", "Links"). Nothing of the other side is believed and no
 * message is taken before its proof; who may stay linked is `CommitteeLinks`' business.
 */
import type { Connection, Stream } from '@libp2p/interface';
import { isPydeError, type PydeError } from '@pyde/core/bytes';
import {
  decodeRefusal,
  encodeRefusal,
  type Frame,
  HANDSHAKE_FRAMES,
  Handshake,
  type HandshakeEffect,
  type HandshakeOptions,
  LINK_FRAMES,
  type Offence,
  PING_BYTES,
  type ProvenPeer,
  type Refusal,
  type RefusalCode,
  type SendQueueOptions,
} from '@pyde/core/net';
import type { Clock } from '@pyde/core/platform';
import { FrameStream } from './frame-stream.ts';

/** What a link tells its owner. */
export interface LinkOwner {
  proven(link: CommitteeLink, peer: ProvenPeer): void;
  message(link: CommitteeLink, message: Uint8Array): void;
  /** The other side gives up a proven link, and says why. */
  refused(link: CommitteeLink, refusal: Refusal): void;
  /** Once. */
  ended(link: CommitteeLink, end: LinkEnd): void;
}

/** Why a link is over. */
export interface LinkEnd {
  readonly reason: string;
  /** What the other side did wrong, if it did. */
  readonly offence?: Offence;
}

export interface CommitteeLinkOptions {
  readonly stream: Stream;
  readonly connection: Connection;
  readonly handshake: HandshakeOptions;
  readonly handshakeTimeoutMs: number;
  readonly queue: SendQueueOptions;
  readonly clock: Clock;
  readonly owner: LinkOwner;
}

export const PING_EVERY_MS = 2_000;
/** So long without a byte, and the link is given up. */
export const SILENCE_MS = 10_000;
/** More messages than that before the link is let in, and it is cut off. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

export class CommitteeLink {
  readonly connection: Connection;
  readonly openedByUs: boolean;
  readonly sinceMs: number;
  readonly #options: CommitteeLinkOptions;
  readonly #stream: FrameStream;
  readonly #handshake: Handshake;
  readonly #deadline: NodeJS.Timeout;
  #peer: ProvenPeer | undefined;
  #end: LinkEnd | undefined;
  #heardMs: number;
  #pingedMs: number;
  #pingNumber = 0n;
  #pongNumber = 0n;
  #pingSentMs: number | undefined;
  #roundTripMs: number | undefined;
  /** Messages that came while it is not settled whether this link stays. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;

  constructor(options: CommitteeLinkOptions) {
    this.#options = options;
    this.connection = options.connection;
    this.openedByUs = options.handshake.role === 'dialler';
    const { monotonicMs, unixMs } = options.clock.now();
    this.sinceMs = unixMs;
    this.#heardMs = monotonicMs;
    this.#pingedMs = monotonicMs;
    this.#handshake = new Handshake(options.handshake);
    this.#stream = new FrameStream({
      stream: options.stream,
      allowed: HANDSHAKE_FRAMES,
      queue: options.queue,
      clock: options.clock,
      frame: (frame) => this.#take(frame),
      ended: (breach) => this.#streamEnded(breach),
    });
    this.#deadline = setTimeout(() => {
      const message = `no handshake within ${options.handshakeTimeoutMs} ms`;
      this.#over({ reason: message, offence: 'failed-handshake' });
    }, options.handshakeTimeoutMs);
    this.#apply(this.#handshake.begin());
  }

  /** The other validator, once it has proved to be that. */
  get peer(): ProvenPeer | undefined {
    return this.#peer;
  }

  /** Through our sentry: the connection is not that of the other side. */
  get isRelayed(): boolean {
    return this.#options.handshake.remotePeerId === undefined;
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** Monotonic time of the last bytes from the other side. */
  get heardMs(): number {
    return this.#heardMs;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get stream(): Pick<FrameStream, 'bytesIn' | 'bytesOut' | 'queue' | 'writeAheadBytes'> {
    return this.#stream;
  }

  /** The bytes are shared by all links and must not change. */
  send(message: Uint8Array): void {
    this.#stream.push(message);
  }

  /** Takes no more messages until `release`; those under way are kept. */
  hold(): void {
    this.#held ??= [];
    this.#stream.pause();
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#stream.resume();
    for (const message of held) {
      if (this.isOpen) this.#options.owner.message(this, message);
    }
  }

  /** The number of the newest ping that was answered. */
  get pongNumber(): bigint {
    return this.#pongNumber;
  }

  /** Its number. */
  ping(): bigint {
    const { monotonicMs } = this.#options.clock.now();
    this.#pingedMs = monotonicMs;
    this.#pingSentMs = monotonicMs;
    const payload = new Uint8Array(PING_BYTES);
    new DataView(payload.buffer).setBigUint64(0, ++this.#pingNumber, true);
    this.#stream.pushControl({ kind: 'ping', payload });
    return this.#pingNumber;
  }

  /** From time to time; `stalledMs` is how long this process itself stood still. */
  tick(nowMs: number, stalledMs: number): void {
    if (this.#peer === undefined || !this.isOpen) return;
    // What came meanwhile waits to be read: the other side is not to blame.
    this.#heardMs += stalledMs;
    if (nowMs - this.#heardMs >= SILENCE_MS) {
      this.cut(`nothing came for ${SILENCE_MS / 1_000} s`);
    } else if (nowMs - this.#pingedMs >= PING_EVERY_MS) this.ping();
  }

  /** Says why, then closes. */
  refuse(code: RefusalCode, message: string): void {
    if (!this.isOpen) return;
    if (this.#peer === undefined) {
      this.#apply(this.#handshake.refuse(code, message));
      return;
    }
    this.#stream.pushControl({ kind: 'refuse', payload: encodeRefusal({ code, message }) });
    this.close(message);
  }

  /** The other side is dead, and with it the connection, unless that is our sentry's. */
  cut(reason: string): void {
    // First, so that the link ends for this reason and not for the loss of its connection.
    this.#over({ reason });
    if (!this.isRelayed) this.connection.abort(new Error(reason));
  }

  close(reason: string): void {
    this.#finish({ reason }, () => this.#stream.close());
  }

  #take(frame: Frame): void {
    this.#heardMs = this.#options.clock.now().monotonicMs;
    if (this.#peer === undefined) this.#apply(this.#handshake.receive(frame));
    else this.#takeProven(frame);
  }

  #takeProven({ kind, payload }: Frame): void {
    switch (kind) {
      case 'message':
        if (this.#held === undefined) this.#options.owner.message(this, payload);
        else this.#hold(payload);
        return;
      case 'ping':
        this.#stream.pushControl({ kind: 'pong', payload });
        return;
      case 'pong':
        this.#pong(payload);
        return;
      case 'refuse':
        this.#takeRefusal(payload);
        return;
      default:
        this.#over({ reason: `a ${kind} came after the handshake`, offence: 'bad-frame' });
    }
  }

  #hold(message: Uint8Array): void {
    this.#heldBytes += message.length;
    if (this.#heldBytes > MAX_HELD_BYTES) {
      this.#over({ reason: 'too much came before the link was settled' });
    } else this.#held?.push(message);
  }

  #pong(payload: Uint8Array): void {
    const number = new DataView(payload.buffer, payload.byteOffset).getBigUint64(0, true);
    if (number > this.#pingNumber) return;
    this.#pongNumber = number;
    if (number !== this.#pingNumber || this.#pingSentMs === undefined) return;
    this.#roundTripMs = this.#options.clock.now().monotonicMs - this.#pingSentMs;
    this.#pingSentMs = undefined;
  }

  #takeRefusal(payload: Uint8Array): void {
    try {
      const refusal = decodeRefusal(payload);
      this.#options.owner.refused(this, refusal);
      this.#over({ reason: `it refuses: ${refusal.code}, ${refusal.message}` });
    } catch (error) {
      if (!isPydeError(error)) throw error;
      this.#over({ reason: error.message, offence: 'bad-frame' });
    }
  }

  #apply(effects: readonly HandshakeEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          this.#stream.pushControl(effect.frame);
          break;
        case 'proven':
          clearTimeout(this.#deadline);
          this.#peer = effect.peer;
          this.#stream.allow(LINK_FRAMES);
          this.#options.owner.proven(this, effect.peer);
          break;
        case 'failed': {
          const reason = `refused: ${effect.code}, ${effect.message}`;
          const { offence } = effect;
          this.#finish(offence === undefined ? { reason } : { reason, offence }, () =>
            this.#stream.close(),
          );
          break;
        }
        case 'refused':
          this.#over({ reason: `it refuses: ${effect.code}, ${effect.message}` });
          break;
      }
    }
  }

  #streamEnded(breach: PydeError | undefined): void {
    if (breach === undefined) {
      const reason = 'the stream ended';
      // Opening streams for nothing is not free; somebody who stopped in between can afford it.
      const idle = this.#peer === undefined && !this.openedByUs;
      this.#over(idle ? { reason, offence: 'flood' } : { reason });
    } else {
      const oversized = breach.details['oversized'] === true;
      this.#over({ reason: breach.message, offence: oversized ? 'oversized-frame' : 'bad-frame' });
    }
  }

  #over(end: LinkEnd): void {
    this.#finish(end, () => this.#stream.abort());
  }

  #finish(end: LinkEnd, close: () => void): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    clearTimeout(this.#deadline);
    close();
    this.#options.owner.ended(this, end);
  }
}

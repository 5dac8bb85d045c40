/**
 * The way of a validator that stands behind sentries (docs/protocol/network.md, "Sentries"): it
 * keeps a connection to each of them and to nobody else, takes the streams that they pass on, and
 * opens its own through them. Its end of every handshake is the sentry's.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import type { PeerBook } from '@pyde/core/net';
import type { Clock } from '@pyde/core/platform';
import type { ValidatorIndex } from '@pyde/core/types';
import { abortConnection } from './abort-connection.ts';
import type { CommitteeLinks } from './committee-links.ts';
import { RELAY_PROTOCOL, RELAYED_PROTOCOL, targetBytes } from './sentry.ts';

export interface SentryRouteOptions {
  readonly node: Libp2p;
  readonly links: CommitteeLinks;
  readonly book: PeerBook;
  readonly clock: Clock;
  readonly handshakeTimeoutMs: number;
  /** Peer ids. */
  readonly sentries: ReadonlySet<string>;
}

const TICK_MS = 500;
const HURRY_MS = 2_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000] as const;
const MAX_STREAMS = 256;

export class SentryRoute {
  readonly #options: SentryRouteOptions;
  readonly #attempts = new Map<ValidatorIndex, { tries: number; nextMs: number }>();
  #tick: NodeJS.Timeout | undefined;
  #hurriedMs = 0;

  constructor(options: SentryRouteOptions) {
    this.#options = options;
    options.node.addEventListener('connection:open', () => this.#onTick());
  }

  async start(): Promise<void> {
    const { node, links, sentries } = this.#options;
    await node.handle(
      RELAYED_PROTOCOL,
      (stream, connection) => {
        const ownPeerId = connection.remotePeer.toString();
        if (!sentries.has(ownPeerId)) stream.abort(new Error('not a sentry of this node'));
        else
          links.take({ stream, connection, role: 'listener', ownPeerId, remotePeerId: undefined });
      },
      { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS },
    );
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#tick);
  }

  #onTick(): void {
    const nowMs = this.#options.clock.now().monotonicMs;
    const ways = this.#ways();
    if (nowMs - this.#hurriedMs >= HURRY_MS) {
      this.#hurriedMs = nowMs;
      for (const sentry of this.#options.sentries) this.#options.book.hurry(sentry);
    }
    if (ways.length === 0) return;
    const missing = new Set(this.#options.links.missing());
    for (const linked of this.#attempts.keys()) {
      if (!missing.has(linked)) this.#attempts.delete(linked);
    }
    for (const validator of missing) this.#try(validator, ways, nowMs);
  }

  #try(validator: ValidatorIndex, ways: readonly Connection[], nowMs: number): void {
    const attempts = this.#attempts.get(validator) ?? { tries: 0, nextMs: 0 };
    if (nowMs < attempts.nextMs) return;
    const way = ways[(validator + attempts.tries) % ways.length];
    const waitMs = RETRY_MS[Math.min(attempts.tries, RETRY_MS.length - 1)] ?? 0;
    this.#attempts.set(validator, { tries: attempts.tries + 1, nextMs: nowMs + waitMs });
    if (way !== undefined) void this.#open(validator, way);
  }

  /** One that fails is tried again over the next sentry. */
  async #open(validator: ValidatorIndex, connection: Connection): Promise<void> {
    const { links, handshakeTimeoutMs } = this.#options;
    const signal = AbortSignal.timeout(handshakeTimeoutMs);
    try {
      const stream = await connection.newStream(RELAY_PROTOCOL, { signal });
      stream.send(targetBytes(validator));
      const ownPeerId = connection.remotePeer.toString();
      links.take({ stream, connection, role: 'dialler', ownPeerId, remotePeerId: undefined });
    } catch {
      // A sentry that does not even answer is gone, whatever its connection says.
      if (signal.aborted) abortConnection(connection, 'the sentry does not answer');
    }
  }

  /** One connection to each sentry that is there. */
  #ways(): Connection[] {
    const { node, sentries } = this.#options;
    const open = node.getConnections().filter(({ status }) => status === 'open');
    return [...sentries].flatMap((sentry) => {
      const way = open.find(({ remotePeer }) => remotePeer.toString() === sentry);
      return way === undefined ? [] : [way];
    });
  }
}

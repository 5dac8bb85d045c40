/**
 * Opens the committee stream on every connection that this validator dialled, whoever wanted the
 * connection: whether a validator is behind it, and which, comes out in the handshake. The side
 * that was dialled waits to be asked, so that one connection has one link.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import { COMMITTEE_PROTOCOL } from '@pyde/core/net';
import type { Clock } from '@pyde/core/platform';
import type { CommitteeLinks } from './committee-links.ts';

export interface LinkOpenerOptions {
  readonly node: Libp2p;
  readonly links: CommitteeLinks;
  readonly clock: Clock;
  readonly handshakeTimeoutMs: number;
}

interface Attempts {
  tries: number;
  nextMs: number;
  /** Nobody there speaks for a validator. */
  hopeless: boolean;
}

const TICK_MS = 250;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;

export class LinkOpener {
  readonly #options: LinkOpenerOptions;
  readonly #attempts = new WeakMap<Connection, Attempts>();
  #tick: NodeJS.Timeout | undefined;

  constructor(options: LinkOpenerOptions) {
    this.#options = options;
    options.node.addEventListener('connection:open', ({ detail }) => this.#consider(detail));
  }

  async start(): Promise<void> {
    const { node, links } = this.#options;
    await node.handle(
      COMMITTEE_PROTOCOL,
      (stream, connection) => {
        links.take({ stream, connection, role: 'listener', ...this.#ends(connection) });
      },
      { maxInboundStreams: 4, maxOutboundStreams: 4 },
    );
    this.#tick = setInterval(() => {
      for (const connection of node.getConnections()) this.#consider(connection);
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#tick);
  }

  #consider(connection: Connection): void {
    if (connection.direction !== 'outbound' || connection.status !== 'open') return;
    const { links, clock } = this.#options;
    const nowMs = clock.now().monotonicMs;
    const attempts = this.#attempts.get(connection) ?? { tries: 0, nextMs: 0, hopeless: false };
    if (links.reaches(connection.remotePeer.toString())) {
      attempts.tries = 0;
      return;
    }
    if (attempts.hopeless || nowMs < attempts.nextMs) return;
    attempts.nextMs = nowMs + Math.min(FIRST_RETRY_MS * 2 ** attempts.tries++, LONGEST_RETRY_MS);
    this.#attempts.set(connection, attempts);
    void this.#open(connection, attempts);
  }

  async #open(connection: Connection, attempts: Attempts): Promise<void> {
    const signal = AbortSignal.timeout(this.#options.handshakeTimeoutMs);
    try {
      const stream = await connection.newStream(COMMITTEE_PROTOCOL, { signal });
      const { links } = this.#options;
      if (links.reaches(connection.remotePeer.toString())) stream.abort(new Error('linked'));
      else links.take({ stream, connection, role: 'dialler', ...this.#ends(connection) });
    } catch (error) {
      attempts.hopeless = error instanceof Error && error.name === 'UnsupportedProtocolError';
    }
  }

  #ends(connection: Connection): { ownPeerId: string; remotePeerId: string } {
    const ownPeerId = this.#options.node.peerId.toString();
    return { ownPeerId, remotePeerId: connection.remotePeer.toString() };
  }
}

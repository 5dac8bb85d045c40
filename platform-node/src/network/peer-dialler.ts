/**
 * Dials whom the peer book names: validators to which there is no link before all others
 * (docs/protocol/network.md, "Finding peers"). Who they are and how often they are tried is the
 * book's; only validators are tried again within seconds however long they were away, because a
 * committee that was cut apart must be whole again at once.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { DialTarget, PeerBook } from '@pyde/core/net';
import type { Clock, Logger } from '@pyde/core/platform';
import type { ValidatorIndex } from '@pyde/core/types';

export interface PeerDiallerOptions {
  readonly node: Libp2p;
  readonly book: PeerBook;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Validators to which a link is wanted and missing. */
  missing(): Iterable<ValidatorIndex>;
  isRefused(peerId: string): boolean;
}

const TICK_MS = 250;
const DIAL_MS = 5_000;
const MAX_DIALS = 16;
/** With fewer peers than that everybody known is dialled. */
const WANTED_PEERS = 16;
/** Between two dials of a missing validator, whatever the book says. */
const HURRY_MS = [500, 1_000, 2_000] as const;
/** A connection that stands so long is the one that stays. */
const SETTLED_MS = 5_000;

export class PeerDialler {
  readonly #options: PeerDiallerOptions;
  readonly #connected = new Set<string>();
  /** Ends at which a validator was met, beside those of its record. */
  readonly #ends = new Map<ValidatorIndex, Set<string>>();
  readonly #hurries = new Map<ValidatorIndex, { tries: number; atMs: number }>();
  readonly #stopping = new AbortController();
  #tick: NodeJS.Timeout | undefined;
  #running = 0;
  #failed = 0;

  constructor(options: PeerDiallerOptions) {
    this.#options = options;
    const { node } = options;
    node.addEventListener('connection:open', ({ detail }) => this.#opened(detail));
    node.addEventListener('peer:disconnect', ({ detail }) => this.#gone(detail.toString()));
  }

  start(): void {
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
    this.#onTick();
  }

  stop(): void {
    clearInterval(this.#tick);
    this.#stopping.abort();
  }

  /** That validator is reached at this peer. */
  met(validator: ValidatorIndex, peerId: string): void {
    this.#options.book.proven(peerId, validator);
    this.#hurries.delete(validator);
    // It can have one end only at a time: older ones are in its record if they are still its own.
    this.#ends.set(validator, new Set([peerId]));
  }

  metrics(): Record<string, number> {
    return {
      peers_connected: this.#connected.size,
      peers_known: this.#options.book.size,
      dials_running: this.#running,
      dials_failed: this.#failed,
    };
  }

  #onTick(): void {
    const { book, isRefused } = this.#options;
    const nowMs = this.#options.clock.now().monotonicMs;
    const missing = new Set(this.#options.missing());
    this.#hurry(missing, nowMs);
    const targets = book.nextToDial({
      nowMs,
      most: MAX_DIALS - this.#running,
      isConnected: (peerId) => this.#connected.has(peerId),
      isMissing: (validator) => missing.has(validator),
      isRefused,
      onlyMissing: this.#connected.size >= WANTED_PEERS,
    });
    for (const target of targets) void this.#dial(target);
  }

  #hurry(missing: ReadonlySet<ValidatorIndex>, nowMs: number): void {
    for (const validator of missing) {
      const hurry = this.#hurries.get(validator) ?? { tries: 0, atMs: nowMs };
      if (nowMs < hurry.atMs) continue;
      for (const peerId of this.#endsOf(validator)) this.#options.book.hurry(peerId);
      const waitMs = HURRY_MS[Math.min(hurry.tries, HURRY_MS.length - 1)] ?? 0;
      this.#hurries.set(validator, { tries: hurry.tries + 1, atMs: nowMs + waitMs });
    }
  }

  *#endsOf(validator: ValidatorIndex): Iterable<string> {
    yield* this.#ends.get(validator) ?? [];
    for (const { peerId } of this.#options.book.recordOf(validator)?.ends ?? []) yield peerId;
  }

  async #dial(target: DialTarget): Promise<void> {
    const { node, book, clock, logger } = this.#options;
    this.#running++;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(DIAL_MS)]);
    try {
      const connection = await node.dial(addressesOf(target), { signal });
      const address = connection.remoteAddr.toString();
      const nowMs = clock.now().monotonicMs;
      book.connected(connection.remotePeer.toString(), nowMs, address, target.key);
      this.#dropSecond(connection);
    } catch (error) {
      this.#failed++;
      book.failed(target.key, clock.now().monotonicMs);
      const reason = error instanceof Error ? error.message : String(error);
      logger.debug('cannot reach a peer', { target: target.key, reason });
    } finally {
      this.#running--;
    }
  }

  /** A seed without a name may be a peer that has long been connected. */
  #dropSecond(connection: Connection): void {
    const settledBefore = this.#options.clock.now().unixMs - SETTLED_MS;
    const older = this.#options.node
      .getConnections(connection.remotePeer)
      .some((other) => other !== connection && other.timeline.open < settledBefore);
    if (older) void connection.close().catch(() => {});
  }

  #opened(connection: Connection): void {
    const peerId = connection.remotePeer.toString();
    this.#connected.add(peerId);
    if (connection.direction === 'outbound') return;
    this.#options.book.connected(peerId, this.#options.clock.now().monotonicMs);
  }

  #gone(peerId: string): void {
    this.#connected.delete(peerId);
    this.#options.book.disconnected(peerId, this.#options.clock.now().monotonicMs);
  }
}

function addressesOf({ peerId, addresses }: DialTarget): Multiaddr[] {
  const suffix = peerId === undefined ? '' : `/p2p/${peerId}`;
  return addresses.map((address) => multiaddr(`${address}${suffix}`));
}

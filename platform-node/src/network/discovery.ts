/**
 * How a node learns of peers without a DHT (docs/protocol/network.md, "Finding peers"): from
 * configured seeds, DNS seeds, the file of its last run, those that connect, and what peers tell.
 * What is believed and kept is the peer book's to say; the dialler takes from it.
 *
 * A peer that serves `peers` is asked when it is identified, whoever dialled: so a seed learns of
 * those that come to it, and tells the next. A validator tells its own signed record.
 */
import { join } from 'node:path';
import type { IdentifyResult, Libp2p } from '@libp2p/interface';
import { isPydeError } from '@pyde/core/bytes';
import {
  hostKey,
  ipOfMultiaddr,
  isLoopback,
  isPrivate,
  MAX_RECORD_ADDRESSES,
  MAX_RECORD_ENDS,
  type Offence,
  type PeerBook,
  type PeerEnd,
  type PeerScores,
  peerIdOfMultiaddr,
  requestProtocolId,
  signPeerRecord,
} from '@pyde/core/net';
import type { Clock, Logger, Random } from '@pyde/core/platform';
import type { FalconSignature, Hash, ValidatorIndex } from '@pyde/core/types';
import { type DnsResolver, type DnsSeed, lookUp, parseDnsSeed, systemDns } from './dns-seeds.ts';
import type { PeerExchanger } from './peer-exchange.ts';
import { readPeerStore, writePeerStore } from './peer-store-file.ts';
import type { RequestAsking } from './request-asking.ts';

export interface DiscoveryOptions {
  readonly node: Libp2p;
  readonly book: PeerBook;
  readonly scores: PeerScores;
  readonly exchanger: PeerExchanger;
  readonly asking: RequestAsking;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** `peers` is kept in it. */
  readonly folder: string;
  readonly dnsSeeds: readonly string[];
  readonly dns?: DnsResolver;
  /** A validator's, which tells where it is reached. */
  readonly own?: OwnRecord;
  /** Behind sentries: nobody is asked, and nothing is learnt of those who connect. */
  readonly secluded?: boolean;
  offend(peerId: string, offence: Offence): void;
}

export interface OwnRecord {
  readonly genesisHash: Hash;
  readonly validator: ValidatorIndex;
  sign(digest: Hash): FalconSignature;
  /** Where it is reached now: itself, or its sentries. None: nothing is told. */
  ends(): readonly PeerEnd[];
}

export const PEERS_FILE = 'peers';

const TICK_MS = 1_000;
const SAVE_EVERY_MS = 2 * 60_000;
const LOOK_UP_EVERY_MS = 30 * 60_000;
const LOOK_UP_AGAIN_MS = 60_000;
/** One peer after the other, while there are few to dial and when there are enough. */
const ASK_EVERY_MS = 1_000;
const ASK_SELDOM_MS = 5 * 60_000;
const ENOUGH_PEERS = 64;
/** The same one again, three times as late each time: those who come together miss each other. */
const ASK_AGAIN_MS = 1_000;
const ASK_AGAIN_TIMES = 3;
const LONGEST_ASK_AGAIN_MS = 60_000;
const CHECK_OWN_EVERY_MS = 60_000;
/** Peers that serve `peers` and are connected; connections are bounded elsewhere. */
const MAX_SERVING = 1_024;
const NO_QUESTION = new Uint8Array(0);

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #dnsSeeds: readonly DnsSeed[];
  readonly #dns: DnsResolver;
  readonly #path: string;
  readonly #serving = new Map<string, { asks: number; nextMs: number }>();
  #tick: NodeJS.Timeout | undefined;
  #nextLookUpMs = 0;
  #nextAskMs = 0;
  #nextSaveMs = 0;
  #nextOwnMs = 0;
  #ownEnds = '';
  #saving: Promise<void> = Promise.resolve();
  #stopped = false;
  #told = 0;
  #lookUps = 0;

  /** @throws PydeError `network.address` for a DNS seed that is none */
  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#dnsSeeds = options.dnsSeeds.map(parseDnsSeed);
    this.#dns = options.dns ?? systemDns();
    this.#path = join(options.folder, PEERS_FILE);
    options.node.addEventListener('peer:identify', ({ detail }) => this.#identified(detail));
    options.node.addEventListener('peer:disconnect', ({ detail }) => {
      this.#serving.delete(detail.toString());
    });
  }

  /** Takes up the peers and bans of the last run, then looks for more. */
  async start(): Promise<void> {
    await this.#restore();
    this.#nextSaveMs = this.#nowMs() + SAVE_EVERY_MS;
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
    this.#onTick();
  }

  /** Resolves when what is known has been kept. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#tick === undefined) return;
    clearInterval(this.#tick);
    this.#save();
    await this.#saving;
  }

  metrics(): Readonly<Record<string, number>> {
    return {
      peers_told: this.#told,
      dns_look_ups: this.#lookUps,
      peers_serving_now: this.#serving.size,
    };
  }

  #onTick(): void {
    const nowMs = this.#nowMs();
    if (nowMs >= this.#nextOwnMs) this.#tellOwn(nowMs);
    if (nowMs >= this.#nextSaveMs) this.#save();
    if (this.#options.secluded === true) return;
    if (nowMs >= this.#nextLookUpMs && this.#dnsSeeds.length > 0) {
      this.#nextLookUpMs = nowMs + LOOK_UP_EVERY_MS;
      void this.#lookUpAll();
    }
    if (nowMs >= this.#nextAskMs) this.#askSomebody(nowMs);
  }

  async #lookUpAll(): Promise<void> {
    const { book, logger } = this.#options;
    for (const seed of this.#dnsSeeds) {
      this.#lookUps++;
      const addresses = await lookUp(seed, this.#dns);
      if (this.#stopped) return;
      book.add({ addresses, source: 'dns' });
      if (addresses.length > 0) continue;
      logger.warn('a DNS seed gave no address', { seed: seed.name });
      this.#nextLookUpMs = this.#nowMs() + LOOK_UP_AGAIN_MS;
    }
  }

  #identified({ peerId: id, listenAddrs, protocols, connection }: IdentifyResult): void {
    if (this.#stopped || this.#options.secluded === true) return;
    const peerId = id.toString();
    if (connection.direction === 'inbound') {
      this.#learnAddress(peerId, listenAddrs.map(String), connection.remoteAddr.toString());
    }
    if (!protocols.includes(requestProtocolId('peers'))) return;
    if (this.#serving.has(peerId) || this.#serving.size >= MAX_SERVING) return;
    this.#serving.set(peerId, { asks: 0, nextMs: 0 });
    void this.#ask(peerId);
  }

  /**
   * Who came to us says where it listens. That it is at that host we see ourselves; the port is its
   * word, and a wrong one costs others a dial.
   */
  #learnAddress(peerId: string, said: readonly string[], seen: string): void {
    const from = hostOf(seen);
    const own = said.find((address) => from !== undefined && hostOf(address) === from);
    if (own !== undefined) this.#options.book.connected(peerId, this.#nowMs(), own);
  }

  #askSomebody(nowMs: number): void {
    const enough = this.#options.book.size >= ENOUGH_PEERS;
    this.#nextAskMs = nowMs + (enough ? ASK_SELDOM_MS : ASK_EVERY_MS);
    const due = [...this.#serving].filter(([, { nextMs }]) => nowMs >= nextMs);
    const [at = 0] = this.#options.random.bytes(1);
    const [peerId] = due[at % Math.max(1, due.length)] ?? [];
    if (peerId !== undefined) void this.#ask(peerId);
  }

  async #ask(peerId: string): Promise<void> {
    const { asking, exchanger, offend, logger } = this.#options;
    const serving = this.#serving.get(peerId);
    if (serving !== undefined) {
      const waitMs = ASK_AGAIN_MS * ASK_AGAIN_TIMES ** serving.asks;
      serving.nextMs = this.#nowMs() + Math.min(waitMs, LONGEST_ASK_AGAIN_MS);
      serving.asks++;
    }
    try {
      const answer = await asking.ask(peerId, 'peers', NO_QUESTION);
      if (!this.#stopped) this.#told += exchanger.take(peerId, answer);
    } catch (error) {
      if (!isPydeError(error)) throw error;
      if (error.code === 'network.bad-record') offend(peerId, 'bad-record');
      logger.debug('a peer told nothing of others', { peer: peerId, reason: error.message });
    }
  }

  /** A new record whenever the ends have changed. */
  #tellOwn(nowMs: number): void {
    this.#nextOwnMs = nowMs + CHECK_OWN_EVERY_MS;
    const { own, book, clock } = this.#options;
    if (own === undefined) return;
    const ends = own.ends();
    const told = JSON.stringify(ends);
    const { genesisHash, validator } = own;
    const held = book.recordOf(validator);
    const isTold = told === this.#ownEnds && JSON.stringify(held?.ends) === told;
    if (ends.length === 0 || isTold) return;
    this.#ownEnds = told;
    // A clock that was ahead once must not make all later records old ones.
    const before = held?.sequence ?? 0n;
    const now = BigInt(Math.floor(clock.now().unixMs));
    const sequence = now > before ? now : before + 1n;
    book.addRecord(signPeerRecord(genesisHash, { validator, ends, sequence }, own.sign));
  }

  async #restore(): Promise<void> {
    const { book, scores, exchanger, logger } = this.#options;
    try {
      const stored = await readPeerStore(this.#path);
      if (stored === undefined) return;
      // Bans first: they hold even if the book is damaged.
      scores.restore(stored.scores, this.#nowMs());
      book.restore(stored.book, (record) => exchanger.isSigned(record));
    } catch (error) {
      if (!isPydeError(error)) throw error;
      logger.warn('the peers of the last run are lost', { reason: error.message });
    }
  }

  /** One write after the other; the last one has it all. */
  #save(): void {
    const { book, scores, logger } = this.#options;
    const nowMs = this.#nowMs();
    this.#nextSaveMs = nowMs + SAVE_EVERY_MS;
    const stored = { book: book.encode(), scores: scores.encode(nowMs) };
    this.#saving = this.#saving
      .then(() => writePeerStore(this.#path, stored))
      .catch((error) => {
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn('the peers could not be kept', { path: this.#path, reason });
      });
  }

  #nowMs(): number {
    return this.#options.clock.now().monotonicMs;
  }
}

/**
 * Where a node tells others that it is reached: without the addresses that only it or its neighbours
 * can use, unless it has no others.
 */
export function ownEnd(peerId: string, addresses: readonly string[]): readonly PeerEnd[] {
  const suffix = `/p2p/${peerId}`;
  const bare = addresses.map((address) =>
    address.endsWith(suffix) ? address.slice(0, -suffix.length) : address,
  );
  const outside = bare.filter((address) => !isLocal(address));
  const told = (outside.length > 0 ? outside : bare).slice(0, MAX_RECORD_ADDRESSES);
  return told.length === 0 ? [] : [{ peerId, addresses: told }];
}

/** A validator's sentries, from multiaddrs with their peer ids. */
export function sentryEnds(sentries: readonly string[]): readonly PeerEnd[] {
  const ends = new Map<string, string[]>();
  for (const sentry of sentries.slice(0, MAX_RECORD_ADDRESSES)) {
    const peerId = peerIdOfMultiaddr(sentry);
    if (peerId === undefined) continue;
    const addresses = ends.get(peerId) ?? [];
    addresses.push(sentry.slice(0, -`/p2p/${peerId}`.length));
    ends.set(peerId, addresses);
  }
  return [...ends].slice(0, MAX_RECORD_ENDS).map(([peerId, addresses]) => ({ peerId, addresses }));
}

function isLocal(address: string): boolean {
  const ip = ipOfMultiaddr(address);
  return ip !== undefined && (isLoopback(ip) || isPrivate(ip));
}

function hostOf(address: string): string | undefined {
  const ip = ipOfMultiaddr(address);
  return ip === undefined ? undefined : hostKey(ip);
}

/**
 * Who can be dialled, where and when (docs/protocol/network.md, "Finding peers"). Addresses come
 * from configuration, DNS, validators' signed records, connections and other peers' word; the last
 * is worth least: it never displaces any other, and one peer can fill only a part of the table.
 * Bounded throughout. Time is monotonic, so nothing of it outlives the process.
 */
import type { Random } from '../platform/index.ts';
import type { ValidatorIndex } from '../types/index.ts';
import { backoffMs, LASTING_MS } from './dial-backoff.ts';
import { ipOfMultiaddr, isLoopback, isPrivate } from './ip-address.ts';
import { isMultiaddr, peerIdOfMultiaddr } from './multiaddr.ts';
import { decodeBook, encodeBook, type StoredPeer } from './peer-book-store.ts';
import { MAX_EXCHANGED, type PeerExchange } from './peer-exchange.ts';
import { isPeerId } from './peer-id.ts';
import { isNewerRecord, type PeerEnd, type PeerRecord } from './peer-record.ts';

/** Best first. */
export const PEER_SOURCES = ['seed', 'dns', 'record', 'connected', 'exchange'] as const;
export type PeerSource = (typeof PEER_SOURCES)[number];

export interface PeerBookOptions {
  readonly random: Random;
  /** Never dialled nor given away. */
  readonly ownPeerId?: string;
  /** Validators behind this sentry: never given away. */
  readonly hidden?: ReadonlySet<string>;
  /** Take loopback and private addresses from others: localnets. */
  readonly takeLocal?: boolean;
  readonly maxPeers?: number;
}

export interface PeerNews {
  /** Undefined where only an address is known: a seed. */
  readonly peerId?: string;
  readonly addresses: readonly string[];
  readonly source: PeerSource;
  /** Peer that told, in exchange. */
  readonly from?: string;
}

export interface DialTarget {
  /** Names the target in `failed` and `connected`: the peer id, or the address of an unnamed one. */
  readonly key: string;
  readonly peerId: string | undefined;
  /** Those that worked first. */
  readonly addresses: readonly string[];
  readonly validator: ValidatorIndex | undefined;
}

export interface DialWish {
  readonly nowMs: number;
  readonly most: number;
  isConnected(peerId: string): boolean;
  /** A validator to which there is no link; its ends are dialled before all others. */
  isMissing(validator: ValidatorIndex): boolean;
  /** Banned, for one. */
  isRefused?(peerId: string): boolean;
  /** Only validators that are missing. */
  readonly onlyMissing?: boolean;
}

const MAX_PEERS = 2_048;
const MAX_ADDRESSES = 8;
/** Of them by the word of others. */
const MAX_TOLD_ADDRESSES = 4;
/** Peers that stand here by one peer's word. */
const MAX_TOLD_BY_ONE = 64;
/** A peer known by others' word alone is forgotten after so many failures. */
const MAX_TOLD_FAILURES = 6;
/** A dial that nobody reported the end of. */
const DIAL_LOST_MS = 60_000;

interface Address {
  readonly text: string;
  source: PeerSource;
}

interface Entry {
  readonly key: string;
  readonly peerId: string | undefined;
  readonly from: string | undefined;
  source: PeerSource;
  validator: ValidatorIndex | undefined;
  addresses: Address[];
  failures: number;
  nextDialMs: number;
  diallingSinceMs: number | undefined;
  connectedSinceMs: number | undefined;
  /** Reached at least once, in this process or an earlier one. */
  reached: boolean;
}

export class PeerBook {
  readonly #options: PeerBookOptions;
  readonly #maxPeers: number;
  readonly #entries = new Map<string, Entry>();
  readonly #records = new Map<ValidatorIndex, PeerRecord>();
  readonly #toldBy = new Map<string, number>();

  constructor(options: PeerBookOptions) {
    this.#options = options;
    this.#maxPeers = options.maxPeers ?? MAX_PEERS;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes what is new of it; what is ill-formed or above a bound is left out. @returns how much */
  add({ peerId, addresses, source, from }: PeerNews): number {
    if (peerId !== undefined) {
      return isPeerId(peerId) ? this.#addPeer(peerId, addresses, source, from) : 0;
    }
    let added = 0;
    for (const address of addresses) {
      const named = peerIdOfMultiaddr(address);
      added +=
        named === undefined
          ? this.#addTo(address, undefined, [address], source, from)
          : this.#addPeer(named, [address], source, from);
    }
    return added;
  }

  /**
   * Takes a record whose signature was verified, if it is newer than the one that is held.
   * @returns was it taken?
   */
  addRecord(record: PeerRecord): boolean {
    const held = this.#records.get(record.validator);
    if (!isNewerRecord(record, held)) return false;
    this.#records.set(record.validator, record);
    for (const { peerId } of held?.ends ?? []) {
      const entry = this.#entries.get(peerId);
      if (entry?.validator === record.validator) {
        entry.validator = undefined;
        entry.addresses = entry.addresses.filter(({ source }) => source !== 'record');
        if (entry.addresses.length === 0) this.#forget(entry);
      }
    }
    for (const { peerId, addresses } of record.ends) {
      this.#addPeer(peerId, addresses, 'record', undefined);
      const entry = this.#entries.get(peerId);
      if (entry !== undefined) entry.validator = record.validator;
    }
    return true;
  }

  recordOf(validator: ValidatorIndex): PeerRecord | undefined {
    return this.#records.get(validator);
  }

  /** Whose end it is, by a record or by proof over a link. */
  validatorOf(peerId: string): ValidatorIndex | undefined {
    return this.#entries.get(peerId)?.validator;
  }

  addressesOf(peerId: string): readonly string[] {
    return this.#entries.get(peerId)?.addresses.map(({ text }) => text) ?? [];
  }

  /**
   * Whom to dial now, the most wanted first; each is held as being dialled until its end is
   * reported by `failed` or `connected`.
   */
  nextToDial(wish: DialWish): DialTarget[] {
    const due: { readonly entry: Entry; readonly rank: number }[] = [];
    for (const entry of this.#entries.values()) {
      if (!isDue(entry, wish)) continue;
      const rank = rankOf(entry, wish);
      if (rank > 0 && wish.onlyMissing === true) continue;
      due.push({ entry, rank });
    }
    due.sort((a, b) => a.rank - b.rank || a.entry.nextDialMs - b.entry.nextDialMs);
    return due.slice(0, wish.most).map(({ entry }) => {
      entry.diallingSinceMs = wish.nowMs;
      return targetOf(entry);
    });
  }

  /** When the next dial is due, at the earliest; undefined when there is nobody to dial. */
  nextDialMs(wish: Omit<DialWish, 'nowMs' | 'most'>): number | undefined {
    let earliest: number | undefined;
    const asked = { ...wish, most: 1, nowMs: Number.POSITIVE_INFINITY };
    for (const entry of this.#entries.values()) {
      if (entry.diallingSinceMs !== undefined || !isDue(entry, asked)) continue;
      if (wish.onlyMissing === true && rankOf(entry, asked) > 0) continue;
      earliest = Math.min(earliest ?? entry.nextDialMs, entry.nextDialMs);
    }
    return earliest;
  }

  /** The dial came to nothing, or to another peer than the one that was named. */
  failed(key: string, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.diallingSinceMs = undefined;
    this.#putOff(entry, nowMs);
    if (entry.source === 'exchange' && !entry.reached && entry.failures >= MAX_TOLD_FAILURES) {
      this.#forget(entry);
    }
  }

  /**
   * A connection stands.
   * @param key of the target, where it was dialled; an address without a name gets one by this
   * @param address at which it was reached; undefined for one that came to us
   */
  connected(peerId: string, nowMs: number, address?: string, key: string = peerId): void {
    const dialled = this.#entries.get(key);
    if (dialled !== undefined) dialled.diallingSinceMs = undefined;
    if (address !== undefined) this.#addPeer(peerId, [address], 'connected', undefined);
    const entry = this.#entries.get(peerId);
    if (entry === undefined) return;
    entry.diallingSinceMs = undefined;
    entry.connectedSinceMs = nowMs;
    if (address === undefined) return;
    entry.reached = true;
    entry.source = better(entry.source, 'connected');
    if (dialled !== undefined && dialled !== entry) {
      entry.source = better(entry.source, dialled.source);
      // The seed stays in the table: another peer may have its address tomorrow.
      dialled.connectedSinceMs = nowMs;
      dialled.nextDialMs = nowMs + LASTING_MS;
      dialled.failures = 0;
    }
    const text = withoutPeerId(address, peerId);
    const at = entry.addresses.findIndex((known) => known.text === text);
    const [worked] = at > 0 ? entry.addresses.splice(at, 1) : [];
    if (worked !== undefined) entry.addresses.unshift(worked);
  }

  /** One that did not last counts as a failure, so that nobody is dialled in a circle. */
  disconnected(peerId: string, nowMs: number): void {
    const entry = this.#entries.get(peerId);
    if (entry?.connectedSinceMs === undefined) return;
    if (nowMs - entry.connectedSinceMs >= LASTING_MS) entry.failures = 0;
    entry.connectedSinceMs = undefined;
    this.#putOff(entry, nowMs);
  }

  /** A validator proved itself over a connection with this peer. */
  proven(peerId: string, validator: ValidatorIndex): void {
    const entry = this.#entries.get(peerId);
    if (entry !== undefined) entry.validator = validator;
  }

  /** Dials it without further delay: somebody said that it is back. */
  hurry(peerId: string): void {
    const entry = this.#entries.get(peerId);
    if (entry !== undefined) entry.nextDialMs = 0;
  }

  /**
   * What to tell a peer that asks: validators' records first, then peers that we reached ourselves.
   * Never who asks, ourselves or who is hidden.
   */
  toGive(asker: string): PeerExchange {
    const may = (peerId: string): boolean =>
      peerId !== asker &&
      peerId !== this.#options.ownPeerId &&
      this.#options.hidden?.has(peerId) !== true;
    const records = [...this.#records.values()].filter(({ ends }) =>
      ends.every(({ peerId }) => may(peerId)),
    );
    const given = this.#some(records, MAX_EXCHANGED);
    const named = new Set(given.flatMap(({ ends }) => ends.map(({ peerId }) => peerId)));
    const peers: PeerEnd[] = [];
    for (const { peerId, reached, addresses, validator } of this.#entries.values()) {
      if (peerId === undefined || !reached || !may(peerId) || named.has(peerId)) continue;
      // Where a validator is reached is its own to say.
      if (validator !== undefined) continue;
      peers.push({ peerId, addresses: addresses.map(({ text }) => text) });
    }
    return { records: given, peers: this.#some(peers, MAX_EXCHANGED - given.length) };
  }

  /** Peers and records for the next start; seeds are configuration and are not among them. */
  encode(): Uint8Array {
    const peers: StoredPeer[] = [];
    for (const { peerId, reached, addresses } of this.#entries.values()) {
      const kept = addresses.filter(({ source }) => source !== 'seed' && source !== 'dns');
      if (peerId === undefined || kept.length === 0) continue;
      peers.push({ peerId, reached, addresses: kept.map(({ text }) => text) });
    }
    return encodeBook({ peers, records: [...this.#records.values()] });
  }

  /**
   * Takes up what an earlier process wrote.
   * @param isSigned is the record signed by its validator? Stored bytes are believed no more
   * @throws PydeError `net.store`, `borsh.*`
   */
  restore(bytes: Uint8Array, isSigned: (record: PeerRecord) => boolean): void {
    const { peers, records } = decodeBook(bytes);
    for (const record of records) if (isSigned(record)) this.addRecord(record);
    for (const { peerId, reached, addresses } of peers) {
      this.#addPeer(peerId, addresses, reached ? 'connected' : 'exchange', undefined);
      const entry = this.#entries.get(peerId);
      if (entry !== undefined && reached) entry.reached = true;
    }
  }

  #addPeer(
    peerId: string,
    addresses: readonly string[],
    source: PeerSource,
    from: string | undefined,
  ): number {
    const own = addresses.flatMap((address) => {
      const text = withoutPeerId(address, peerId);
      return peerIdOfMultiaddr(text) === undefined ? [text] : [];
    });
    return this.#addTo(peerId, peerId, own, source, from);
  }

  #addTo(
    key: string,
    peerId: string | undefined,
    addresses: readonly string[],
    source: PeerSource,
    from: string | undefined,
  ): number {
    if (peerId !== undefined && peerId === this.#options.ownPeerId) return 0;
    const fine = addresses.filter(
      (address) => isMultiaddr(address) && this.#mayTake(address, source),
    );
    if (fine.length === 0) return 0;
    const entry = this.#entries.get(key) ?? this.#open(key, peerId, source, from);
    if (entry === undefined) return 0;
    entry.source = better(entry.source, source);
    let added = 0;
    for (const text of fine) if (addAddress(entry, text, source)) added++;
    return added;
  }

  /** Others could have us knock at the doors of our own network. */
  #mayTake(address: string, source: PeerSource): boolean {
    if (this.#options.takeLocal === true || (source !== 'exchange' && source !== 'record')) {
      return true;
    }
    const ip = ipOfMultiaddr(address);
    return ip === undefined || !(isLoopback(ip) || isPrivate(ip));
  }

  #open(
    key: string,
    peerId: string | undefined,
    source: PeerSource,
    from: string | undefined,
  ): Entry | undefined {
    const told = from === undefined ? 0 : (this.#toldBy.get(from) ?? 0);
    if (told >= MAX_TOLD_BY_ONE) return undefined;
    if (this.#entries.size >= this.#maxPeers && !this.#makeRoom(source)) return undefined;
    if (from !== undefined) this.#toldBy.set(from, told + 1);
    const entry: Entry = {
      key,
      peerId,
      from,
      source,
      validator: undefined,
      addresses: [],
      failures: 0,
      nextDialMs: 0,
      diallingSinceMs: undefined,
      connectedSinceMs: undefined,
      reached: false,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** For a better source the worst goes; for others' word one that failed and was never reached. */
  #makeRoom(source: PeerSource): boolean {
    let worst: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.connectedSinceMs !== undefined || entry.validator !== undefined) continue;
      if (worst === undefined || isWorse(entry, worst)) worst = entry;
    }
    if (worst === undefined) return false;
    const mayGo =
      rankOfSource(worst.source) > rankOfSource(source) ||
      (worst.source === source && !worst.reached && worst.failures > 0);
    if (mayGo) this.#forget(worst);
    return mayGo;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key);
    if (entry.from === undefined) return;
    const told = (this.#toldBy.get(entry.from) ?? 1) - 1;
    if (told === 0) this.#toldBy.delete(entry.from);
    else this.#toldBy.set(entry.from, told);
  }

  #putOff(entry: Entry, nowMs: number): void {
    entry.failures++;
    entry.nextDialMs = nowMs + backoffMs(entry.failures, this.#options.random);
  }

  /** `most` of them at random, all when there are no more. */
  #some<T>(items: readonly T[], most: number): T[] {
    if (items.length <= most) return [...items];
    const pool = [...items];
    const out: T[] = [];
    const bytes = this.#options.random.bytes(2 * most);
    for (let i = 0; i < most; i++) {
      const drawn = ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0);
      out.push(...pool.splice(drawn % pool.length, 1));
    }
    return out;
  }
}

const rankOfSource = (source: PeerSource): number => PEER_SOURCES.indexOf(source);

const better = (a: PeerSource, b: PeerSource): PeerSource =>
  rankOfSource(a) <= rankOfSource(b) ? a : b;

const isWorse = (a: Entry, b: Entry): boolean =>
  rankOfSource(a.source) - rankOfSource(b.source) > 0 ||
  (a.source === b.source && a.failures > b.failures);

function isDue(entry: Entry, wish: DialWish): boolean {
  const { nowMs } = wish;
  if (entry.nextDialMs > nowMs || entry.addresses.length === 0) return false;
  const since = entry.diallingSinceMs;
  if (since !== undefined && nowMs - since < DIAL_LOST_MS) return false;
  if (entry.peerId === undefined) return true;
  return !wish.isConnected(entry.peerId) && wish.isRefused?.(entry.peerId) !== true;
}

/** 0 for validators that are missing, then seeds, then those that were reached, then the rest. */
function rankOf(entry: Entry, wish: DialWish): number {
  if (entry.validator !== undefined && wish.isMissing(entry.validator)) return 0;
  if (entry.source === 'seed' || entry.source === 'dns') return 1;
  return entry.reached ? 2 : 3;
}

const targetOf = ({ key, peerId, addresses, validator }: Entry): DialTarget => ({
  key,
  peerId,
  addresses: addresses.map(({ text }) => text),
  validator,
});

function withoutPeerId(address: string, peerId: string): string {
  const suffix = `/p2p/${peerId}`;
  return address.endsWith(suffix) ? address.slice(0, -suffix.length) : address;
}

/** Was it new? A better source takes the place of a worse one's address. */
function addAddress(entry: Entry, text: string, source: PeerSource): boolean {
  const known = entry.addresses.find((address) => address.text === text);
  if (known !== undefined) {
    known.source = better(known.source, source);
    return false;
  }
  if (source === 'exchange') {
    const told = entry.addresses.filter((address) => address.source === 'exchange').length;
    if (told >= MAX_TOLD_ADDRESSES || entry.addresses.length >= MAX_ADDRESSES) return false;
  } else if (entry.addresses.length >= MAX_ADDRESSES) {
    const worst = entry.addresses.reduce((a, b) =>
      rankOfSource(b.source) >= rankOfSource(a.source) ? b : a,
    );
    if (rankOfSource(worst.source) < rankOfSource(source)) return false;
    entry.addresses.splice(entry.addresses.indexOf(worst), 1);
  }
  entry.addresses.push({ text, source });
  return true;
}

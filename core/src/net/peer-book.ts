/**
 * Who can be dialled, where and when (docs/protocol/network.md, "Finding peers"). Addresses come
 * from configuration, DNS, validators' signed records, connections and other peers' word; the last
 * is worth least: it never displaces any other, and one peer can fill only a part of the table.
 * Bounded throughout. Time is monotonic, so nothing of it outlives the process.
 */
import { readU32BigEndian } from '../bytes/index.ts';
import type { Random } from '../platform/index.ts';
import type { ValidatorIndex } from '../types/index.ts';
import { backoffMs, LASTING_MS } from './dial-backoff.ts';
import { ipOfMultiaddr, isLoopback, isPrivate } from './ip-address.ts';
import {
  addAddress,
  better,
  givesWayTo,
  isDialling,
  isWorse,
  type KnownPeer,
  type PeerSource,
  preferAddress,
} from './known-peer.ts';
import { isMultiaddr, peerIdOfMultiaddr } from './multiaddr.ts';
import { decodeBook, encodeBook, type StoredPeer } from './peer-book-store.ts';
import { MAX_EXCHANGED, type PeerExchange } from './peer-exchange.ts';
import { isPeerId } from './peer-id.ts';
import { isNewerRecord, type PeerEnd, type PeerRecord } from './peer-record.ts';

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
/** Peers that stand here by one peer's word. */
const MAX_TOLD_BY_ONE = 64;
/** A peer known by others' word alone is forgotten after so many failures. */
const MAX_TOLD_FAILURES = 6;

export class PeerBook {
  readonly #options: PeerBookOptions;
  readonly #maxPeers: number;
  /** By peer id; the end of a record by `endKey`; what has no name yet by its address. */
  readonly #entries = new Map<string, KnownPeer>();
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
    if (peerId !== undefined) return this.#addPeer(peerId, addresses, source, from);
    let added = 0;
    for (const address of addresses) {
      const named = peerIdOfMultiaddr(address);
      added +=
        named === undefined
          ? this.#addTo({ key: address, peerId, addresses: [address], source, from })
          : this.#addPeer(named, [address], source, from);
    }
    return added;
  }

  /**
   * Takes a record whose signature was verified, if it is newer than the one that is held. What it
   * says stands apart from what else is known of a peer: a validator can name anybody's peer id.
   * @returns was it taken?
   */
  addRecord(record: PeerRecord): boolean {
    const { validator, ends } = record;
    const held = this.#records.get(validator);
    if (!isNewerRecord(record, held)) return false;
    this.#records.set(validator, record);
    for (const { peerId } of held?.ends ?? []) this.#forget(endKey(validator, peerId));
    for (const { peerId, addresses } of ends) {
      const key = endKey(validator, peerId);
      const bare = bareAddresses(addresses, peerId);
      this.#addTo({ key, peerId, addresses: bare, source: 'record', from: undefined });
      const entry = this.#entries.get(key);
      if (entry !== undefined) entry.validator = validator;
    }
    return true;
  }

  recordOf(validator: ValidatorIndex): PeerRecord | undefined {
    return this.#records.get(validator);
  }

  /** Is it an end of a validator, by a link's proof or by a signed record? */
  isValidatorEnd(peerId: string): boolean {
    if (this.#entries.get(peerId)?.validator !== undefined) return true;
    for (const { ends } of this.#records.values()) {
      if (ends.some((end) => end.peerId === peerId)) return true;
    }
    return false;
  }

  /** All that are known, of records too. */
  addressesOf(peerId: string): readonly string[] {
    const texts = this.#of(peerId).flatMap(({ addresses }) => addresses.map(({ text }) => text));
    return [...new Set(texts)];
  }

  /**
   * Whom to dial now, the most wanted first; each is held as being dialled until its end is
   * reported by `failed` or `connected`.
   */
  nextToDial(wish: DialWish): DialTarget[] {
    const due: { readonly entry: KnownPeer; readonly rank: number }[] = [];
    for (const entry of this.#entries.values()) {
      const isDue = entry.nextDialMs <= wish.nowMs && !isDialling(entry, wish.nowMs);
      if (isDue && isWanted(entry, wish)) due.push({ entry, rank: rankOf(entry, wish) });
    }
    due.sort((a, b) => a.rank - b.rank || a.entry.nextDialMs - b.entry.nextDialMs);
    return due.slice(0, wish.most).map(({ entry }) => {
      entry.diallingSinceMs = wish.nowMs;
      return targetOf(entry);
    });
  }

  /** When the next dial is due, now or later; undefined while there is nobody to dial. */
  nextDialMs(wish: Omit<DialWish, 'most'>): number | undefined {
    let earliest: number | undefined;
    for (const entry of this.#entries.values()) {
      if (isDialling(entry, wish.nowMs) || !isWanted(entry, wish)) continue;
      const dueMs = Math.max(entry.nextDialMs, wish.nowMs);
      earliest = Math.min(earliest ?? dueMs, dueMs);
    }
    return earliest;
  }

  /** The dial came to nothing, or to another peer than the one that was named. */
  failed(key: string, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#putOff(entry, nowMs);
    if (entry.source === 'exchange' && !entry.reached && entry.failures >= MAX_TOLD_FAILURES) {
      this.#forget(key);
    }
  }

  /**
   * A connection stands.
   * @param address at which it was reached; undefined for one that came to us
   * @param key of the target, where it was dialled
   */
  connected(peerId: string, nowMs: number, address?: string, key: string = peerId): void {
    const dialled = this.#entries.get(key);
    if (dialled !== undefined) dialled.diallingSinceMs = undefined;
    // An address without a name stays in the table: another peer may have it tomorrow.
    if (dialled !== undefined && dialled.peerId === undefined) dialled.foundAs = peerId;
    if (address !== undefined) {
      this.#addPeer(peerId, [address], better('connected', dialled?.source ?? 'connected'));
      const entry = this.#entries.get(peerId);
      if (entry !== undefined) {
        entry.reached = true;
        preferAddress(entry, bareAddress(address, peerId));
      }
    }
    for (const entry of this.#of(peerId)) {
      entry.diallingSinceMs = undefined;
      entry.connectedSinceMs = nowMs;
    }
  }

  /** One that did not last counts as a failure, so that nobody is dialled in a circle. */
  disconnected(peerId: string, nowMs: number): void {
    for (const entry of this.#of(peerId)) {
      const since = entry.connectedSinceMs;
      if (since === undefined) continue;
      if (nowMs - since >= LASTING_MS) entry.failures = 0;
      entry.connectedSinceMs = undefined;
      this.#putOff(entry, nowMs);
    }
  }

  /** A validator proved itself over a connection with this peer. */
  proven(peerId: string, validator: ValidatorIndex): void {
    const entry = this.#entries.get(peerId);
    if (entry !== undefined) entry.validator = validator;
  }

  /** Dials it without further delay: somebody said that it is back. */
  hurry(peerId: string): void {
    for (const entry of this.#of(peerId)) entry.nextDialMs = 0;
  }

  /**
   * What to tell a peer that asks: validators' records first, our own among them, then peers that
   * we reached ourselves. No peer is told of itself, and nobody of who is hidden.
   */
  toGive(asker: string): PeerExchange {
    const isHidden = (peerId: string): boolean => this.#options.hidden?.has(peerId) === true;
    const may = (peerId: string): boolean => peerId !== asker && !isHidden(peerId);
    // A sentry that asks is told the record that names it: it is who spreads it.
    const records = this.#some(
      [...this.#records.values()].filter(({ ends }) => !ends.some((end) => isHidden(end.peerId))),
      MAX_EXCHANGED,
    );
    const peers: PeerEnd[] = [];
    for (const { peerId, reached, addresses, validator } of this.#entries.values()) {
      // Where a validator is reached is its own to say.
      if (peerId === undefined || !reached || validator !== undefined || !may(peerId)) continue;
      peers.push({ peerId, addresses: addresses.map(({ text }) => text) });
    }
    return { records, peers: this.#some(peers, MAX_EXCHANGED - records.length) };
  }

  /** Peers and records for the next start; seeds are configuration and are not among them. */
  encode(): Uint8Array {
    const peers: StoredPeer[] = [];
    for (const [key, { peerId, reached, addresses }] of this.#entries) {
      const kept = addresses.filter(
        ({ source }) => source === 'connected' || source === 'exchange',
      );
      if (peerId === undefined || key !== peerId || kept.length === 0) continue;
      peers.push({ peerId, reached, addresses: kept.map(({ text }) => text) });
    }
    return encodeBook({ peers, records: [...this.#records.values()] });
  }

  /**
   * Takes up what an earlier process wrote.
   * @param isSigned is the record signed by its validator? Stored bytes are believed no more
   * @throws PydeError `net.*`, `borsh.*`
   */
  restore(bytes: Uint8Array, isSigned: (record: PeerRecord) => boolean): void {
    const { peers, records } = decodeBook(bytes);
    for (const record of records) if (isSigned(record)) this.addRecord(record);
    for (const { peerId, reached, addresses } of peers) {
      this.#addPeer(peerId, addresses, reached ? 'connected' : 'exchange');
      const entry = this.#entries.get(peerId);
      if (entry !== undefined && reached) entry.reached = true;
    }
  }

  /** What is known of a peer by itself and as the end of records. */
  #of(peerId: string): KnownPeer[] {
    const out: KnownPeer[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.peerId === peerId || entry.foundAs === peerId) out.push(entry);
    }
    return out;
  }

  #addPeer(
    peerId: string,
    addresses: readonly string[],
    source: PeerSource,
    from?: string,
  ): number {
    if (!isPeerId(peerId)) return 0;
    const bare = bareAddresses(addresses, peerId);
    return this.#addTo({ key: peerId, peerId, addresses: bare, source, from });
  }

  #addTo(known: Known): number {
    const { key, peerId, addresses, source } = known;
    if (peerId !== undefined && peerId === this.#options.ownPeerId) return 0;
    const fine = addresses.filter(
      (address) => isMultiaddr(address) && this.#mayTake(address, source),
    );
    if (fine.length === 0) return 0;
    const entry = this.#entries.get(key) ?? this.#open(known);
    if (entry === undefined) return 0;
    entry.source = better(entry.source, source);
    let added = 0;
    for (const text of fine) if (addAddress(entry, text, source)) added++;
    return added;
  }

  /** Others could have us knock at the doors of our own network. */
  #mayTake(address: string, source: PeerSource): boolean {
    if (this.#options.takeLocal === true) return true;
    if (source !== 'exchange' && source !== 'record') return true;
    const ip = ipOfMultiaddr(address);
    return ip === undefined || !(isLoopback(ip) || isPrivate(ip));
  }

  #open({ key, peerId, source, from }: Known): KnownPeer | undefined {
    const told = from === undefined ? 0 : (this.#toldBy.get(from) ?? 0);
    if (told >= MAX_TOLD_BY_ONE) return undefined;
    if (this.#entries.size >= this.#maxPeers && !this.#makeRoom(source)) return undefined;
    if (from !== undefined) this.#toldBy.set(from, told + 1);
    const entry: KnownPeer = {
      key,
      peerId,
      foundAs: undefined,
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

  /** For a better source the worst goes; within one source one that failed and was never reached. */
  #makeRoom(source: PeerSource): boolean {
    let worst: KnownPeer | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.connectedSinceMs !== undefined || entry.validator !== undefined) continue;
      if (worst === undefined || isWorse(entry, worst)) worst = entry;
    }
    if (worst === undefined || !givesWayTo(worst, source)) return false;
    this.#forget(worst.key);
    return true;
  }

  #forget(key: string): void {
    const from = this.#entries.get(key)?.from;
    this.#entries.delete(key);
    if (from === undefined) return;
    const told = (this.#toldBy.get(from) ?? 1) - 1;
    if (told === 0) this.#toldBy.delete(from);
    else this.#toldBy.set(from, told);
  }

  #putOff(entry: KnownPeer, nowMs: number): void {
    entry.diallingSinceMs = undefined;
    entry.failures++;
    entry.nextDialMs = nowMs + backoffMs(entry.failures, this.#options.random);
  }

  /** `most` of them at random, all when there are no more. */
  #some<T>(items: readonly T[], most: number): T[] {
    if (items.length <= most) return [...items];
    const pool = [...items];
    const out: T[] = [];
    const bytes = this.#options.random.bytes(4 * most);
    for (let i = 0; i < most; i++) {
      out.push(...pool.splice(readU32BigEndian(bytes, 4 * i) % pool.length, 1));
    }
    return out;
  }
}

interface Known {
  readonly key: string;
  readonly peerId: string | undefined;
  readonly addresses: readonly string[];
  readonly source: PeerSource;
  readonly from: string | undefined;
}

const endKey = (validator: ValidatorIndex, peerId: string): string => `${validator}/${peerId}`;

function isWanted(entry: KnownPeer, wish: Omit<DialWish, 'most'>): boolean {
  if (entry.addresses.length === 0) return false;
  if (wish.onlyMissing === true && !isMissing(entry, wish)) return false;
  const peerId = entry.peerId ?? entry.foundAs;
  if (peerId === undefined) return true;
  return !wish.isConnected(peerId) && wish.isRefused?.(peerId) !== true;
}

const isMissing = ({ validator }: KnownPeer, wish: Omit<DialWish, 'most'>): boolean =>
  validator !== undefined && wish.isMissing(validator);

/** Validators that are missing, then seeds, then those that were reached, then the rest. */
function rankOf(entry: KnownPeer, wish: DialWish): number {
  if (isMissing(entry, wish)) return 0;
  if (entry.source === 'seed' || entry.source === 'dns') return 1;
  return entry.reached ? 2 : 3;
}

const targetOf = ({ key, peerId, addresses, validator }: KnownPeer): DialTarget => ({
  key,
  peerId,
  addresses: addresses.map(({ text }) => text),
  validator,
});

function bareAddress(address: string, peerId: string): string {
  const suffix = `/p2p/${peerId}`;
  return address.endsWith(suffix) ? address.slice(0, -suffix.length) : address;
}

/** Without the peer's own name at their end; those that end in another's are left out. */
const bareAddresses = (addresses: readonly string[], peerId: string): string[] =>
  addresses
    .map((address) => bareAddress(address, peerId))
    .filter((address) => peerIdOfMultiaddr(address) === undefined);

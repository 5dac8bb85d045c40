/**
 * Scores of misbehaviour with decay, and bans that expire (docs/protocol/network.md, "Scores").
 *
 * Points are of peer ids, which noise has proven; what came without an id is of the host. A host is
 * banned when several ids of it were, or for much that came without any. A validator that proved
 * itself is judged by its own peer id alone, and is never shut out for long: the chain needs it,
 * and what it says is checked anyway.
 */
import { BoundedMap } from './bounded-map.ts';
import { hostKey, isLoopback, parseIp } from './ip-address.ts';
import { OFFENCE_POINTS, type Offence } from './offence.ts';
import { decodeScores, encodeScores, MAX_STORED_SCORES, type StoredScore } from './score-store.ts';

export interface ScoreRules {
  /** In so long a score halves. */
  readonly halfLifeMs: number;
  /** Points from which a peer is served last, is disconnected, is banned. */
  readonly throttleAt: number;
  readonly disconnectAt: number;
  readonly banAt: number;
  /** Points without an id from which a host is banned. */
  readonly hostBanAt: number;
  /** Ids of one host that are banned within the longest ban before the host is. */
  readonly idsPerHostBan: number;
  /** Doubles with every further ban. */
  readonly firstBanMs: number;
  readonly longestBanMs: number;
  /** Everybody of a localnet is on one host, so that only a test of hostile peers wants this. */
  readonly banLoopback: boolean;
}

const MINUTE_MS = 60_000;

export const DEFAULT_SCORE_RULES: ScoreRules = {
  halfLifeMs: 10 * MINUTE_MS,
  throttleAt: 30,
  disconnectAt: 60,
  banAt: 100,
  hostBanAt: 300,
  idsPerHostBan: 3,
  firstBanMs: 10 * MINUTE_MS,
  longestBanMs: 24 * 60 * MINUTE_MS,
  banLoopback: false,
};

/** `disconnect`: close, and take no new connection until some of the score has decayed. */
export type Standing = 'good' | 'throttle' | 'disconnect' | 'banned';

export interface Ban {
  /** Peer id, or host as `hostKey` names it. */
  readonly name: string;
  readonly remainingMs: number;
  /** How often it was banned lately. */
  readonly times: number;
}

/** Thousandths of a point, so that decay in whole numbers loses little. */
const MILLI = 1_000;
const MAX_MILLI = 0xffff_ffff;
const MAX_BANS = 0xff;
const MAX_PROVEN = 512;

interface Entry {
  milli: number;
  atMs: number;
  /** Bans so far, forgotten when the longest ban has passed since the last one. */
  bans: number;
  /** End of the last ban. */
  untilMs: number;
  /** Of a host: ids that were banned, until one too many bans the host. */
  readonly bannedIds: Set<string>;
}

const isInForce = (entry: Entry, nowMs: number): boolean => entry.bans > 0 && nowMs < entry.untilMs;

export class PeerScores {
  readonly #rules: ScoreRules;
  readonly #peers = new BoundedMap<string, Entry>(MAX_STORED_SCORES);
  readonly #hosts = new BoundedMap<string, Entry>(MAX_STORED_SCORES);
  readonly #proven = new BoundedMap<string, true>(MAX_PROVEN);

  constructor(rules: Partial<ScoreRules> = {}) {
    this.#rules = { ...DEFAULT_SCORE_RULES, ...rules };
  }

  get rules(): ScoreRules {
    return this.#rules;
  }

  /** A validator proved that it is behind this peer id. */
  proven(peerId: string): void {
    this.#proven.set(peerId, true);
  }

  isProven(peerId: string): boolean {
    return this.#proven.has(peerId);
  }

  /**
   * Counts what a peer did, and says what it deserves now.
   * @param address the text of its IP address, where it is known
   */
  report(peerId: string, offence: Offence, nowMs: number, address?: string): Standing {
    const entry = entryOf(this.#peers, peerId, nowMs);
    if (!this.#count(entry, offence, this.#rules.banAt, nowMs, this.#longestOf(peerId))) {
      return this.standing(peerId, nowMs);
    }
    if (address !== undefined && !this.isProven(peerId)) this.#idBanned(peerId, address, nowMs);
    return 'banned';
  }

  /** Counts what came from an address without a proven peer id. @returns is the host banned now? */
  reportHost(address: string, offence: Offence, nowMs: number): boolean {
    const host = this.#bannableHost(address);
    if (host === undefined) return false;
    const entry = entryOf(this.#hosts, host, nowMs);
    this.#count(entry, offence, this.#rules.hostBanAt, nowMs, this.#rules.longestBanMs);
    return isInForce(entry, nowMs);
  }

  /** Points now, whole. */
  scoreOf(peerId: string, nowMs: number): number {
    const entry = this.#peers.peek(peerId);
    return entry === undefined ? 0 : Math.floor(this.#decayed(entry, nowMs) / MILLI);
  }

  standing(peerId: string, nowMs: number): Standing {
    const entry = this.#peers.peek(peerId);
    if (entry === undefined) return 'good';
    if (isInForce(entry, nowMs)) return 'banned';
    const milli = this.#decayed(entry, nowMs);
    if (milli >= this.#rules.disconnectAt * MILLI) return 'disconnect';
    return milli >= this.#rules.throttleAt * MILLI ? 'throttle' : 'good';
  }

  /** May the peer have a connection? Asked with the address where it is known. */
  isRefused(peerId: string, nowMs: number, address?: string): boolean {
    const standing = this.standing(peerId, nowMs);
    if (standing === 'banned' || standing === 'disconnect') return true;
    return address !== undefined && !this.isProven(peerId) && this.isHostBanned(address, nowMs);
  }

  /**
   * Asked when a connection arrives and no peer id is known. From an address at which a committee
   * member proved itself it is taken all the same, and `isRefused` asked with the id.
   */
  isHostBanned(address: string, nowMs: number): boolean {
    const host = this.#bannableHost(address);
    const entry = host === undefined ? undefined : this.#hosts.peek(host);
    return entry !== undefined && isInForce(entry, nowMs);
  }

  /** All that are in force, of peers and hosts. */
  bans(nowMs: number): { readonly peers: readonly Ban[]; readonly hosts: readonly Ban[] } {
    return { peers: bansOf(this.#peers, nowMs), hosts: bansOf(this.#hosts, nowMs) };
  }

  /** Lifts a ban and forgets the score: an operator's word. */
  pardon(peerId: string): void {
    this.#peers.delete(peerId);
  }

  /** For the next start. Times are kept as what is left of them, so that no clock is trusted. */
  encode(nowMs: number): Uint8Array {
    const stored = ([name, entry]: readonly [string, Entry]): StoredScore => ({
      name,
      milli: this.#decayed(entry, nowMs),
      bans: entry.bans,
      remainingMs: Math.min(Math.max(0, Math.ceil(entry.untilMs - nowMs)), 0xffff_ffff),
    });
    const worthIt = ({ milli, bans }: StoredScore): boolean => milli > 0 || bans > 0;
    return encodeScores({
      peers: [...this.#peers.entries()].map(stored).filter(worthIt),
      hosts: [...this.#hosts.entries()].map(stored).filter(worthIt),
    });
  }

  /** Takes up what an earlier process wrote. @throws PydeError `net.store`, `borsh.*` */
  restore(bytes: Uint8Array, nowMs: number): void {
    const { peers, hosts } = decodeScores(bytes);
    const { longestBanMs } = this.#rules;
    const entry = ({ milli, bans, remainingMs }: StoredScore): Entry => ({
      milli,
      bans,
      atMs: nowMs,
      untilMs: nowMs + Math.min(remainingMs, longestBanMs),
      bannedIds: new Set(),
    });
    for (const peer of peers) this.#peers.set(peer.name, entry(peer));
    for (const host of hosts) this.#hosts.set(host.name, entry(host));
  }

  /** Did it cross the line to a ban? While banned nothing more is counted. */
  #count(entry: Entry, offence: Offence, banAt: number, nowMs: number, longestMs: number): boolean {
    if (isInForce(entry, nowMs)) return false;
    const milli = this.#decayed(entry, nowMs) + OFFENCE_POINTS[offence] * MILLI;
    entry.milli = Math.min(milli, MAX_MILLI);
    entry.atMs = nowMs;
    if (entry.milli < banAt * MILLI) return false;
    this.#ban(entry, nowMs, longestMs);
    return true;
  }

  #ban(entry: Entry, nowMs: number, longestMs: number): void {
    const forgotten = nowMs >= entry.untilMs + this.#rules.longestBanMs;
    entry.bans = forgotten ? 1 : Math.min(entry.bans + 1, MAX_BANS);
    entry.untilMs = nowMs + banMs(this.#rules.firstBanMs, entry.bans, longestMs);
    entry.milli = 0;
    entry.bannedIds.clear();
  }

  #longestOf(peerId: string): number {
    return this.isProven(peerId) ? this.#rules.firstBanMs : this.#rules.longestBanMs;
  }

  #idBanned(peerId: string, address: string, nowMs: number): void {
    const host = this.#bannableHost(address);
    if (host === undefined) return;
    const entry = entryOf(this.#hosts, host, nowMs);
    if (isInForce(entry, nowMs)) return;
    if (nowMs - entry.atMs >= this.#rules.longestBanMs) entry.bannedIds.clear();
    entry.milli = this.#decayed(entry, nowMs);
    entry.atMs = nowMs;
    entry.bannedIds.add(peerId);
    if (entry.bannedIds.size >= this.#rules.idsPerHostBan) {
      this.#ban(entry, nowMs, this.#rules.longestBanMs);
    }
  }

  /** Undefined for what is no address and for loopback. */
  #bannableHost(address: string): string | undefined {
    try {
      const ip = parseIp(address);
      return isLoopback(ip) && !this.#rules.banLoopback ? undefined : hostKey(ip);
    } catch {
      return undefined;
    }
  }

  /** Halved for every half-life, and in between along a straight line. */
  #decayed({ milli, atMs }: Entry, nowMs: number): number {
    const { halfLifeMs } = this.#rules;
    const elapsed = Math.max(0, Math.floor(nowMs - atMs));
    const halvings = Math.floor(elapsed / halfLifeMs);
    if (halvings > 32) return 0;
    const rest = elapsed - halvings * halfLifeMs;
    const halved = Math.floor(milli / 2 ** halvings);
    return halved - Math.floor((halved * rest) / (2 * halfLifeMs));
  }
}

/** 10, 20, 40 … minutes, at most the longest. */
function banMs(firstMs: number, times: number, longestMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(times - 1, 16), longestMs);
}

function entryOf(table: BoundedMap<string, Entry>, name: string, nowMs: number): Entry {
  const known = table.get(name);
  if (known !== undefined) return known;
  const entry = { milli: 0, atMs: nowMs, bans: 0, untilMs: nowMs, bannedIds: new Set<string>() };
  // A crowd of new names pushes out other new names, not those that are banned.
  table.set(name, entry, (kept) => isInForce(kept, nowMs));
  return entry;
}

function bansOf(table: BoundedMap<string, Entry>, nowMs: number): Ban[] {
  const out: Ban[] = [];
  for (const [name, entry] of table.entries()) {
    if (!isInForce(entry, nowMs)) continue;
    out.push({ name, remainingMs: entry.untilMs - nowMs, times: entry.bans });
  }
  return out;
}

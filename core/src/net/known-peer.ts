/** One entry of the peer book: its addresses, and how it ranks among the others. */
import type { ValidatorIndex } from '../types/index.ts';

/** Best first. */
export const PEER_SOURCES = ['seed', 'dns', 'record', 'connected', 'exchange'] as const;
export type PeerSource = (typeof PEER_SOURCES)[number];

interface KnownAddress {
  readonly text: string;
  source: PeerSource;
}

export interface KnownPeer {
  readonly key: string;
  /** Undefined where only an address is known. */
  readonly peerId: string | undefined;
  /** Who was found at the address of one without a name. */
  foundAs: string | undefined;
  /** Peer that told of it. */
  readonly from: string | undefined;
  source: PeerSource;
  /** Whose end it is. */
  validator: ValidatorIndex | undefined;
  addresses: KnownAddress[];
  /** Of dials, in a row. */
  failures: number;
  nextDialMs: number;
  diallingSinceMs: number | undefined;
  connectedSinceMs: number | undefined;
  /** By us at least once, in this process or an earlier one. */
  reached: boolean;
}

export const MAX_ADDRESSES = 8;
/** Of them by the word of others. */
const MAX_TOLD_ADDRESSES = 4;
/** A dial that nobody reported the end of. */
const DIAL_LOST_MS = 60_000;

export const isDialling = ({ diallingSinceMs }: KnownPeer, nowMs: number): boolean =>
  diallingSinceMs !== undefined && nowMs - diallingSinceMs < DIAL_LOST_MS;

export const better = (a: PeerSource, b: PeerSource): PeerSource => (rank(a) <= rank(b) ? a : b);

/** The worse source; of one source, the one that failed more often. */
export const isWorse = (a: KnownPeer, b: KnownPeer): boolean =>
  rank(a.source) > rank(b.source) || (a.source === b.source && a.failures > b.failures);

/** May it be forgotten for a new peer of this source? */
export const givesWayTo = (entry: KnownPeer, source: PeerSource): boolean =>
  rank(entry.source) > rank(source) ||
  (entry.source === source && !entry.reached && entry.failures > 0);

/** Was it new? Of too many the worst goes, but never for one that others only told of. */
export function addAddress(entry: KnownPeer, text: string, source: PeerSource): boolean {
  const { addresses } = entry;
  const known = addresses.find((address) => address.text === text);
  if (known !== undefined) {
    known.source = better(known.source, source);
    return false;
  }
  if (source === 'exchange') {
    const told = addresses.filter((address) => address.source === 'exchange').length;
    if (told >= MAX_TOLD_ADDRESSES || addresses.length >= MAX_ADDRESSES) return false;
  } else if (addresses.length >= MAX_ADDRESSES) {
    const worst = addresses.reduce((a, b) => (rank(b.source) >= rank(a.source) ? b : a));
    if (rank(worst.source) < rank(source)) return false;
    addresses.splice(addresses.indexOf(worst), 1);
  }
  addresses.push({ text, source });
  return true;
}

/** The address that worked is tried first. */
export function preferAddress({ addresses }: KnownPeer, text: string): void {
  const at = addresses.findIndex((address) => address.text === text);
  const [worked] = at > 0 ? addresses.splice(at, 1) : [];
  if (worked !== undefined) addresses.unshift(worked);
}

const rank = (source: PeerSource): number => PEER_SOURCES.indexOf(source);

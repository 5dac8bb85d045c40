/**
 * Who puts a transaction in (design/consensus.md, "Waves"). Each sender has a home, one member of
 * the epoch's committee, so that a transaction is in one batch and not in n. Whoever admits one and
 * is not its home forwards it there, keeps it, and puts it in itself when the home is silent or does
 * not bring it through in time: a faulty home delays its senders and cannot censor them.
 */
import { readU64LittleEndian, u64LittleEndian } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Address, type Epoch, type MemberIndex, toMemberIndex } from '../types/index.ts';

/** How long a home has before another member takes a transaction over. */
export const TAKE_OVER_MS = 2_000;
/** At most so much more while waves with transactions run behind. */
export const MAX_BEHIND_MS = 8_000;
/** A home that showed no vertex in so many rounds is not waited for. */
export const SILENT_HOME_ROUNDS = 10;

/** `Blake3(from ‖ epoch) mod n`: the seat that puts in what `from` sends. */
export function homeOf(from: Address, epoch: Epoch, size: number): MemberIndex {
  const digest = blake3(from, u64LittleEndian(BigInt(epoch)));
  return toMemberIndex(Number(readU64LittleEndian(digest) % BigInt(size)));
}

interface Held<Entry> {
  readonly entry: Entry;
  readonly sinceMs: number;
  /** How many members were asked before. */
  readonly asked: number;
  /** By gossip, as by every other member: nobody counts on this one. */
  readonly isHeard: boolean;
}

/** Transactions that another member was asked to put in, the longest waiting first. */
export class HeldForHome<Entry extends { readonly name: string }> {
  readonly #held = new Map<string, Held<Entry>>();
  #heard = 0;
  #behindMs = 0;

  /**
   * By how much the newest wave with transactions ran behind its anchor. A home has so much more
   * time: under load every transaction takes longer than it has, and each that is taken over for
   * that alone is one more to carry.
   */
  runsBehind(ms: number): void {
    this.#behindMs = Math.min(Math.max(0, ms), MAX_BEHIND_MS);
  }

  get size(): number {
    return this.#held.size;
  }

  /** Of those, what was heard by gossip. */
  get heard(): number {
    return this.#heard;
  }

  has(name: string): boolean {
    return this.#held.has(name);
  }

  /**
   * @param nowMs monotonic; never less than in the call before
   * @param asked how many members were asked in vain before
   */
  hold(entry: Entry, nowMs: number, asked = 0, isHeard = false): void {
    this.delete(entry.name);
    this.#held.set(entry.name, { entry, sinceMs: nowMs, asked, isHeard });
    if (isHeard) this.#heard++;
  }

  delete(name: string): void {
    if (this.#held.get(name)?.isHeard === true) this.#heard--;
    this.#held.delete(name);
  }

  /** Somebody counts on this node now. */
  adopt(name: string): void {
    const held = this.#held.get(name);
    if (held?.isHeard !== true) return;
    this.#heard--;
    // In its place, so that the longest waiting stay the first.
    this.#held.set(name, { ...held, isHeard: false });
  }

  /** Takes one out if it was only heard. */
  takeIfHeard(name: string): Entry | undefined {
    const held = this.#held.get(name);
    if (held?.isHeard !== true) return undefined;
    this.delete(name);
    return held.entry;
  }

  /** Takes out what was heard by gossip. */
  takeHeard(): Entry[] {
    const heard = [...this.#held.values()].filter(({ isHeard }) => isHeard);
    for (const { entry } of heard) this.delete(entry.name);
    return heard.map(({ entry }) => entry);
  }

  /** When the first of them is to be taken over; undefined when none waits. */
  get nextDueMs(): number | undefined {
    for (const { sinceMs } of this.#held.values()) return sinceMs + this.#patienceMs;
    return undefined;
  }

  /** Takes out those whose home had its time, at most `limit`. */
  takeDue(nowMs: number, limit: number): Held<Entry>[] {
    const due: Held<Entry>[] = [];
    for (const held of this.#held.values()) {
      if (held.sinceMs + this.#patienceMs > nowMs || due.length >= limit) break;
      due.push(held);
    }
    for (const { entry } of due) this.delete(entry.name);
    return due;
  }

  get #patienceMs(): number {
    return TAKE_OVER_MS + this.#behindMs;
  }
}

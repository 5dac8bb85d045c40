/**
 * Transactions by gossip (docs/protocol/network.md, "Gossip"): on their way from nodes without a key
 * to the members that put them in. A message is { attempt u8, transactions Vec<Vec<u8>> }: the attempt
 * makes one that is sent again another message, for gossip carries none twice.
 *
 * A message goes on to others when each of its transactions was looked at: none may be wrong whatever
 * the state is, and one at least must be new and right. Whoever sends rubbish is rejected. What is in
 * admission at a time is bounded; of the rest nobody hears through this node.
 */
import { concatBytes, isPydeError } from '../bytes/index.ts';
import { TAKE_OVER_MS } from '../mempool/index.ts';
import { decodeBatch, encodeBatch } from '../types/index.ts';
import { parcels } from './forwarding.ts';
import type { GossipVerdict } from './node-events.ts';

/** What gossip carries at most. */
export const MAX_GOSSIP_BYTES = 1024 * 1024;
/** Of a transaction that gossip can carry: with the attempt and the counts. */
export const MAX_GOSSIP_TX_BYTES = MAX_GOSSIP_BYTES - 16;
/** Transactions in admission at a time that were heard, and their bytes. */
export const MAX_HEARD_IN_CHECK = 2_048;
export const MAX_HEARD_BYTES_IN_CHECK = 4 * 1024 * 1024;
/** Transactions of one message; more are nobody's honest turn. */
export const MAX_HEARD_PER_MESSAGE = 512;
/** Hashes of those that were passed on, so that each goes on once in a while. */
const MAX_REMEMBERED = 16_384;
/** Transactions and bytes to be published with the end of the turn; the rest is asked again. */
const MAX_OUTGOING = 1_024;
const MAX_OUTGOING_BYTES = 4 * 1024 * 1024;
/** Between two times at which messages are published: peers take so many a second. */
export const PUBLISH_GAP_MS = 25;
const MAX_ATTEMPT = 0xff;
const FIRST_REQUEST = -(2 ** 50);

/**
 * - fresh: right, and not known before;
 * - stale: known, or not to be judged here and now;
 * - wrong: whatever the state is. A signature is not: keys change from wave to wave, and whoever is a
 *   wave behind would blame those who are not.
 */
export type HeardTx = 'fresh' | 'stale' | 'wrong';

interface Message {
  readonly ticket: number;
  left: number;
  isFresh: boolean;
  isWrong: boolean;
}

interface InCheck {
  readonly message: Message;
  readonly bytes: number;
}

export interface HeardRequest {
  /** For {@link TxGossip.settled}. */
  readonly request: number;
  readonly bytes: Uint8Array;
}

export interface Verdict {
  readonly ticket: number;
  readonly verdict: GossipVerdict;
}

export class TxGossip {
  readonly #inCheck = new Map<number, InCheck>();
  #bytesInCheck = 0;
  #nextRequest = FIRST_REQUEST;
  /** When each was passed on, by its hash, oldest first. */
  readonly #passedOn = new Map<string, number>();
  /** By attempt. */
  readonly #outgoing = new Map<number, Uint8Array[]>();
  #outgoingCount = 0;
  #outgoingBytes = 0;
  #notBeforeMs = 0;

  get inCheck(): number {
    return this.#inCheck.size;
  }

  /** The transactions of a message, to be admitted; or what is said of it at once. */
  receive(ticket: number, bytes: Uint8Array): readonly HeardRequest[] | Verdict {
    if (bytes.length > MAX_GOSSIP_BYTES) return { ticket, verdict: 'reject' };
    const transactions = transactionsOf(bytes);
    if (transactions === undefined || transactions.length === 0) {
      return { ticket, verdict: 'reject' };
    }
    if (transactions.length > MAX_HEARD_PER_MESSAGE) return { ticket, verdict: 'reject' };
    const hasRoom =
      this.#inCheck.size + transactions.length <= MAX_HEARD_IN_CHECK &&
      this.#bytesInCheck + bytes.length <= MAX_HEARD_BYTES_IN_CHECK;
    if (!hasRoom) return { ticket, verdict: 'ignore' };
    const message = { ticket, left: transactions.length, isFresh: false, isWrong: false };
    return transactions.map((tx) => {
      const request = this.#nextRequest++;
      this.#inCheck.set(request, { message, bytes: tx.length });
      this.#bytesInCheck += tx.length;
      return { request, bytes: tx };
    });
  }

  isHeard(request: number): boolean {
    return this.#inCheck.has(request);
  }

  /** @returns the verdict, once all transactions of the message are settled */
  settled(request: number, as: HeardTx): Verdict | undefined {
    const settled = this.#inCheck.get(request);
    if (settled === undefined) return undefined;
    this.#inCheck.delete(request);
    this.#bytesInCheck -= settled.bytes;
    const { message } = settled;
    message.left--;
    if (as === 'fresh') message.isFresh = true;
    if (as === 'wrong') message.isWrong = true;
    if (message.left > 0) return undefined;
    const { ticket } = message;
    if (message.isWrong) return { ticket, verdict: 'reject' };
    return { ticket, verdict: message.isFresh ? 'accept' : 'ignore' };
  }

  /** Was the transaction passed on lately? @param hash in hex */
  wasPassedOn(hash: string, nowMs: number): boolean {
    const atMs = this.#passedOn.get(hash);
    // Half of the time in which whoever counts on it sends it again.
    return atMs !== undefined && nowMs < atMs + TAKE_OVER_MS / 2;
  }

  passOn(hash: string, nowMs: number): void {
    this.#passedOn.delete(hash);
    this.#passedOn.set(hash, nowMs);
    for (const oldest of this.#passedOn.keys()) {
      if (this.#passedOn.size <= MAX_REMEMBERED) return;
      this.#passedOn.delete(oldest);
    }
  }

  /** To be published with the next {@link take}. @param asked how often it was before */
  add(bytes: Uint8Array, asked: number): void {
    if (this.#outgoingCount >= MAX_OUTGOING) return;
    if (this.#outgoingBytes + bytes.length > MAX_OUTGOING_BYTES) return;
    const attempt = asked & MAX_ATTEMPT;
    const waiting = this.#outgoing.get(attempt) ?? [];
    this.#outgoing.set(attempt, waiting);
    waiting.push(bytes);
    this.#outgoingCount++;
    this.#outgoingBytes += bytes.length;
  }

  /** When what has gathered may be published; undefined if nothing has. */
  get dueMs(): number | undefined {
    return this.#outgoingCount === 0 ? undefined : this.#notBeforeMs;
  }

  /** Messages with what has gathered, a short while after those before. */
  take(nowMs: number): Uint8Array[] {
    if (this.#outgoingCount === 0 || nowMs < this.#notBeforeMs) return [];
    this.#notBeforeMs = nowMs + PUBLISH_GAP_MS;
    const messages = [...this.#outgoing].flatMap(([attempt, transactions]) =>
      parcels(transactions).map((parcel) =>
        concatBytes(Uint8Array.of(attempt), encodeBatch({ transactions: parcel })),
      ),
    );
    this.#outgoing.clear();
    this.#outgoingCount = 0;
    this.#outgoingBytes = 0;
    return messages;
  }
}

/** Undefined for a message that does not decode. */
function transactionsOf(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    return decodeBatch(bytes.subarray(1)).transactions;
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
}

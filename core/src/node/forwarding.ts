/**
 * Transactions on their way to the members that put them in (design/consensus.md, "Waves"). What
 * this node admitted for another home is gathered by peer and leaves once a turn, as a batch behind
 * the tag `transaction`. What peers forward here is admitted like anybody's, within a bound a peer:
 * whoever sends rubbish keeps no other from being heard.
 */
import { isPydeError } from '../bytes/index.ts';
import { frameMessage } from '../consensus/index.ts';
import { decodeBatch, encodeBatch, type ValidatorIndex } from '../types/index.ts';

/** Transactions of one peer that may be in admission at a time, and their bytes. */
export const MAX_RELAYED_PER_PEER = 512;
export const MAX_RELAYED_BYTES_PER_PEER = 2 * 1024 * 1024;
/** Of all peers: half of what a node admits at a time, so that clients keep the other half. */
export const MAX_RELAYED = 8_192;
export const MAX_RELAYED_BYTES = 8 * 1024 * 1024;
/** Transactions to one peer that wait for the end of the turn; its time alone brings more over. */
export const MAX_OUTGOING_PER_PEER = 1_024;
/** Of one message; a transaction that is larger goes alone. */
const MESSAGE_BYTES = 256 * 1024;
/** Relayed requests are numbered below the numbers of any client. */
const FIRST_REQUEST = -(2 ** 52);

interface InCheck {
  transactions: number;
  bytes: number;
}

export interface Relayed {
  /** For {@link Forwarding.settled}. */
  readonly request: number;
  readonly bytes: Uint8Array;
}

export interface Parcel {
  readonly peer: ValidatorIndex;
  readonly message: Uint8Array;
}

export class Forwarding {
  readonly #outgoing = new Map<ValidatorIndex, Uint8Array[]>();
  /** By request number, who relayed it, and its length. */
  readonly #inCheck = new Map<number, { readonly peer: ValidatorIndex; readonly bytes: number }>();
  readonly #byPeer = new Map<ValidatorIndex, InCheck>();
  #bytes = 0;
  #nextRequest = FIRST_REQUEST;

  /** Relayed transactions in admission. */
  get inCheck(): number {
    return this.#inCheck.size;
  }

  /** To be sent to its home with the next {@link take}. */
  add(peer: ValidatorIndex, bytes: Uint8Array): void {
    const waiting = this.#outgoing.get(peer) ?? [];
    this.#outgoing.set(peer, waiting);
    if (waiting.length < MAX_OUTGOING_PER_PEER) waiting.push(bytes);
  }

  /** What has gathered, in order of peers. */
  take(): Parcel[] {
    if (this.#outgoing.size === 0) return [];
    const peers = [...this.#outgoing].sort(([a], [b]) => a - b);
    this.#outgoing.clear();
    return peers.flatMap(([peer, transactions]) =>
      parcels(transactions).map((transactions) => {
        const message = frameMessage('transaction', encodeBatch({ transactions }));
        return { peer, message };
      }),
    );
  }

  /** The transactions of a message, as many as its sender may have in admission. */
  receive(peer: ValidatorIndex, bytes: Uint8Array): Relayed[] {
    const ofPeer = this.#byPeer.get(peer) ?? { transactions: 0, bytes: 0 };
    this.#byPeer.set(peer, ofPeer);
    if (!this.#hasRoom(ofPeer, 0)) return [];
    const taken: Relayed[] = [];
    for (const tx of transactionsOf(bytes)) {
      if (!this.#hasRoom(ofPeer, tx.length)) break;
      const request = this.#nextRequest++;
      this.#inCheck.set(request, { peer, bytes: tx.length });
      ofPeer.transactions++;
      ofPeer.bytes += tx.length;
      this.#bytes += tx.length;
      taken.push({ request, bytes: tx });
    }
    return taken;
  }

  isRelayed(request: number): boolean {
    return this.#inCheck.has(request);
  }

  /** Admitted or refused; nobody waits for the answer. */
  settled(request: number): void {
    const settled = this.#inCheck.get(request);
    if (settled === undefined) return;
    this.#inCheck.delete(request);
    this.#bytes -= settled.bytes;
    const ofPeer = this.#byPeer.get(settled.peer);
    if (ofPeer === undefined) return;
    ofPeer.transactions--;
    ofPeer.bytes -= settled.bytes;
  }

  #hasRoom(ofPeer: InCheck, bytes: number): boolean {
    return (
      ofPeer.transactions < MAX_RELAYED_PER_PEER &&
      ofPeer.bytes + bytes <= MAX_RELAYED_BYTES_PER_PEER &&
      this.#inCheck.size < MAX_RELAYED &&
      this.#bytes + bytes <= MAX_RELAYED_BYTES
    );
  }
}

/** Messages of which none is larger than it has to be. */
export function parcels(transactions: readonly Uint8Array[]): Uint8Array[][] {
  const all: Uint8Array[][] = [];
  let size = MESSAGE_BYTES;
  for (const bytes of transactions) {
    if (size + bytes.length > MESSAGE_BYTES) {
      all.push([]);
      size = 0;
    }
    all.at(-1)?.push(bytes);
    size += bytes.length;
  }
  return all;
}

/** None of a message that does not decode. */
function transactionsOf(bytes: Uint8Array): readonly Uint8Array[] {
  try {
    return decodeBatch(bytes).transactions;
  } catch (error) {
    if (isPydeError(error)) return [];
    throw error;
  }
}

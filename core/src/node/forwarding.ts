/**
 * Transactions on their way to the members that put them in (design/consensus.md, "Waves"). What
 * this node admitted for another home is gathered by peer and leaves once a turn, as a batch behind
 * the tag `transaction`. What peers forward here is admitted like anybody's, within a bound a peer:
 * whoever sends rubbish keeps no other from being heard.
 */
import { isPydeError } from '../bytes/index.ts';
import { frameMessage } from '../consensus/index.ts';
import { decodeBatch, encodeBatch, type ValidatorIndex } from '../types/index.ts';

/** Transactions of one peer that may be in admission at a time; more are not taken. */
export const MAX_RELAYED_PER_PEER = 512;
/** Transactions to one peer that wait for the end of the turn; its time alone brings more over. */
export const MAX_OUTGOING_PER_PEER = 1_024;
/** Of one message; a transaction that is larger goes alone. */
const MESSAGE_BYTES = 256 * 1024;
/** Relayed requests are numbered below the numbers of any client. */
const FIRST_REQUEST = -(2 ** 52);

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
  /** By request number, who relayed it. */
  readonly #inCheck = new Map<number, ValidatorIndex>();
  readonly #byPeer = new Map<ValidatorIndex, number>();
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
    const room = MAX_RELAYED_PER_PEER - (this.#byPeer.get(peer) ?? 0);
    if (room <= 0) return [];
    return transactionsOf(bytes)
      .slice(0, room)
      .map((tx) => {
        const request = this.#nextRequest++;
        this.#inCheck.set(request, peer);
        this.#byPeer.set(peer, (this.#byPeer.get(peer) ?? 0) + 1);
        return { request, bytes: tx };
      });
  }

  isRelayed(request: number): boolean {
    return this.#inCheck.has(request);
  }

  /** Admitted or refused; nobody waits for the answer. */
  settled(request: number): void {
    const peer = this.#inCheck.get(request);
    if (peer === undefined) return;
    this.#inCheck.delete(request);
    this.#byPeer.set(peer, (this.#byPeer.get(peer) ?? 1) - 1);
  }
}

function parcels(transactions: readonly Uint8Array[]): Uint8Array[][] {
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

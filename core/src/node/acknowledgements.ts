/**
 * Answers to those who submitted, given once the store holds what they acknowledge: one write for all
 * that were admitted in a turn. What left the pool needs no record any more; its deletion rides on a
 * write that is made anyway.
 */
import type { AdmittedRecords, Mempool } from '../mempool/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import type { TxHash } from '../types/index.ts';
import type { NodeEffect } from './node-events.ts';

/** Acknowledgements that wait to be written together; more are not gathered in one turn. */
const MAX_UNSAVED = 1_024;

interface Acknowledgement {
  readonly request: number;
  readonly hash: TxHash;
  /** Undefined for a transaction that was known. */
  readonly bytes: Uint8Array | undefined;
}

export class Acknowledgements {
  readonly #mempool: Mempool;
  readonly #admitted: AdmittedRecords;
  #waiting: Acknowledgement[] = [];
  /** Records of an earlier run that were not taken in again. */
  readonly #obsolete: TxHash[] = [];

  constructor(mempool: Mempool, admitted: AdmittedRecords) {
    this.#mempool = mempool;
    this.#admitted = admitted;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** To be answered with the next {@link take}. */
  add(acknowledgement: Acknowledgement): void {
    this.#waiting.push(acknowledgement);
  }

  /** So many wait that they are answered before the turn ends. */
  get isFull(): boolean {
    return this.#waiting.length >= MAX_UNSAVED;
  }

  /** A record that is of no use any more. */
  drop(hash: TxHash): void {
    this.#obsolete.push(hash);
  }

  /** The write, if there is anything to write, and behind it the answers. */
  take(): NodeEffect[] {
    const replies: NodeEffect[] = [];
    const puts: StoreWrite[] = [];
    for (const { request, hash, bytes } of this.#waiting) {
      const isPending = this.#mempool.statusOf(hash)?.state === 'pending';
      if (bytes !== undefined && isPending) puts.push(this.#admitted.put(hash, bytes));
      replies.push({ kind: 'reply', request, reply: { ok: true, hash } });
    }
    this.#waiting = [];
    if (puts.length === 0) return replies;
    return [
      { kind: 'persist', writes: [...this.takeDeletions(), ...puts], sync: false },
      ...replies,
    ];
  }

  /** To go with a write that is made anyway. */
  takeDeletions(): StoreWrite[] {
    const departed = this.#mempool.takeDeparted();
    if (departed.length === 0 && this.#obsolete.length === 0) return [];
    const gone = [...this.#obsolete.splice(0), ...departed];
    return gone.map((hash) => this.#admitted.delete(hash));
  }
}

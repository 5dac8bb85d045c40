/**
 * What peers tell of each other (docs/protocol/network.md, "Peer exchange"): the answer that this
 * node gives, and what it takes from one. A validator's record counts by its signature; everything
 * else is hearsay, which the book keeps apart and small.
 */
import { isPydeError, PydeError } from '@pyde/core/bytes';
import {
  decodePeerExchange,
  encodePeerExchange,
  isNewerRecord,
  type PeerBook,
  type PeerRecord,
  verifyPeerRecord,
} from '@pyde/core/net';
import type { VerifySignatures } from '@pyde/core/platform';
import type { FalconPublicKey, Hash, ValidatorIndex } from '@pyde/core/types';

export interface PeerExchangeOptions {
  readonly book: PeerBook;
  readonly genesisHash: Hash;
  readonly verify: VerifySignatures;
  publicKeyOf(validator: ValidatorIndex): FalconPublicKey | undefined;
}

export class PeerExchanger {
  readonly #options: PeerExchangeOptions;

  constructor(options: PeerExchangeOptions) {
    this.#options = options;
  }

  /** To `peers`: an empty question. @throws PydeError `network.format` */
  answer(asker: string, question: Uint8Array): Uint8Array {
    if (question.length > 0) {
      throw new PydeError('network.format', 'the question peers has no bytes');
    }
    return encodePeerExchange(this.#options.book.toGive(asker));
  }

  /**
   * Takes what one peer told into the book.
   * @returns how much of it was new
   * @throws PydeError `network.bad-record` for what no honest peer says
   */
  take(from: string, answer: Uint8Array): number {
    const { records, peers } = decoded(answer);
    const { book } = this.#options;
    let taken = 0;
    for (const record of records) {
      if (!isNewerRecord(record, book.recordOf(record.validator))) continue;
      if (!this.isSigned(record)) {
        throw bad(`a record of validator ${record.validator} is not signed by it`);
      }
      if (book.addRecord(record)) taken++;
    }
    for (const { peerId, addresses } of peers) {
      taken += book.add({ peerId, addresses, source: 'exchange', from });
    }
    return taken;
  }

  isSigned(record: PeerRecord): boolean {
    const publicKey = this.#options.publicKeyOf(record.validator);
    if (publicKey === undefined) return false;
    return verifyPeerRecord(this.#options.genesisHash, record, publicKey, this.#options.verify);
  }
}

function decoded(answer: Uint8Array): ReturnType<typeof decodePeerExchange> {
  try {
    return decodePeerExchange(answer);
  } catch (error) {
    if (isPydeError(error)) throw bad(error.message);
    throw error;
  }
}

function bad(what: string): PydeError {
  return new PydeError('network.bad-record', `a peer told what no honest one does: ${what}`);
}

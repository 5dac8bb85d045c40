/**
 * What the pool acknowledged and has not seen off, in the store: tx hash → wire bytes. Written before
 * the sender is answered, so that what was acknowledged survives the process; when it starts again
 * everything here passes admission anew. Bounded as the pool is.
 */
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import type { TxHash } from '../types/index.ts';

export class AdmittedRecords {
  readonly #table: Table;

  constructor(store: KeyValueStore) {
    this.#table = new Table(store, TABLE.admitted);
  }

  put(hash: TxHash, bytes: Uint8Array): StoreWrite {
    return this.#table.put(hash, bytes);
  }

  /** @throws PydeError `state.checksum` */
  has(hash: TxHash): boolean {
    return this.#table.get(hash) !== undefined;
  }

  delete(hash: TxHash): StoreWrite {
    return this.#table.delete(hash);
  }

  /** Wire bytes of all. @throws PydeError `state.checksum` */
  async all(): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    for await (const [, bytes] of this.#table.range()) found.push(bytes.slice());
    return found;
  }
}

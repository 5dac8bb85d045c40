/**
 * The state's marks in table meta: the newest version, the oldest one kept, and that a snapshot is
 * being loaded.
 */
import { type BorshReader, decodeExactly, encode } from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { TABLE, Table } from './table.ts';

const NEWEST = new TextEncoder().encode('state/newest');
const OLDEST = new TextEncoder().encode('state/oldest');
const LOADING = new TextEncoder().encode('state/loading');

/** The oldest version kept, and how many pages of its list of stale nodes are done with. */
export interface OldestMark {
  readonly version: bigint;
  readonly page: number;
}

export class VersionMarks {
  readonly #meta: Table;

  constructor(store: KeyValueStore) {
    this.#meta = new Table(store, TABLE.meta);
  }

  /** Undefined when the store holds no state. */
  newest(): bigint | undefined {
    const bytes = this.#meta.get(NEWEST);
    return bytes === undefined ? undefined : decodeExactly(bytes, (reader) => reader.u64());
  }

  oldest(): OldestMark | undefined {
    const bytes = this.#meta.get(OLDEST);
    return bytes === undefined ? undefined : decodeExactly(bytes, readOldest);
  }

  /** True from the first write of a snapshot to the last. */
  isLoading(): boolean {
    return this.#meta.get(LOADING) !== undefined;
  }

  putLoading(): StoreWrite {
    return this.#meta.put(LOADING, new Uint8Array(0));
  }

  deleteLoading(): StoreWrite {
    return this.#meta.delete(LOADING);
  }

  putNewest(version: bigint): StoreWrite {
    return this.#meta.put(
      NEWEST,
      encode((writer) => writer.u64(version)),
    );
  }

  putOldest({ version, page }: OldestMark): StoreWrite {
    return this.#meta.put(
      OLDEST,
      encode((writer) => writer.u64(version).u32(page)),
    );
  }
}

function readOldest(reader: BorshReader): OldestMark {
  return { version: reader.u64(), page: reader.u32() };
}

/**
 * The store a platform supplies: ordered by unsigned bytes, read synchronously, written in atomic
 * batches. It is trusted to be ordered and atomic, not to return what was written: every record
 * that core keeps carries its own checksum (`state/table.ts`).
 */
import { compareBytes } from '../bytes/index.ts';

export type StoreWrite =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: Uint8Array };

export interface RangeOptions {
  /** Every key starts with this. */
  readonly prefix: Uint8Array;
  /** First key, inclusive; must start with `prefix`. Default: the first key of the prefix. */
  readonly from?: Uint8Array;
  /** Last key, exclusive. Default: the end of the prefix. */
  readonly until?: Uint8Array;
  readonly reverse?: boolean;
  /** At most so many entries. */
  readonly limit?: number;
}

export interface KeyValueStore {
  get(key: Uint8Array): Uint8Array | undefined;
  /** Entries in key order over one consistent snapshot, taken when iteration starts. */
  range(options: RangeOptions): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>;
  /**
   * All writes or none. With `sync` the promise resolves only when the bytes would survive loss of
   * power; without it, only when they would survive the death of the process.
   */
  batch(writes: readonly StoreWrite[], options: { readonly sync: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** The smallest key greater than every key that starts with `prefix`; undefined if there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix[last] ?? 0;
    if (byte !== 0xff) {
      const end = prefix.slice(0, last + 1);
      end[last] = byte + 1;
      return end;
    }
  }
  return undefined;
}

/** A store in memory: a sorted array, for tests and the simulator. */
export class MemoryStore implements KeyValueStore {
  #entries: { readonly key: Uint8Array; readonly value: Uint8Array }[] = [];

  get(key: Uint8Array): Uint8Array | undefined {
    const at = this.#search(key);
    const entry = this.#entries[at];
    return entry !== undefined && compareBytes(entry.key, key) === 0 ? entry.value : undefined;
  }

  async *range(
    options: RangeOptions,
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    const end = options.until ?? prefixEnd(options.prefix);
    const first = this.#search(options.from ?? options.prefix);
    const last = end === undefined ? this.#entries.length : this.#search(end);
    const entries = this.#entries.slice(first, last);
    if (options.reverse === true) entries.reverse();
    for (const { key, value } of entries.slice(0, options.limit)) yield [key, value];
  }

  batch(writes: readonly StoreWrite[]): Promise<void> {
    for (const write of writes) {
      const at = this.#search(write.key);
      const entry = this.#entries[at];
      const present = entry !== undefined && compareBytes(entry.key, write.key) === 0 ? 1 : 0;
      if (write.kind === 'delete') this.#entries.splice(at, present);
      else {
        const fresh = { key: write.key.slice(), value: write.value.slice() };
        this.#entries.splice(at, present, fresh);
      }
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Index of the first entry whose key is at or above `key`. */
  #search(key: Uint8Array): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && compareBytes(entry.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

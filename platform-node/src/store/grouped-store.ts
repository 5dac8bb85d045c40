/**
 * Several batches as one: each waits in memory, where reads find it, until `flush` writes all that
 * came since the last one as one atomic batch, in order. For a writer that computes on what it has
 * just written and tells nobody of it before it is kept: here a batch is kept when `flush` resolves,
 * not when `batch` does.
 */
import type { KeyValueStore, RangeOptions, StoreWrite } from '@pyde/core/platform';

/** Writes that may wait; more are written by the batch that brings them. */
export const MAX_WAITING_WRITES = 256;

export class GroupedStore implements KeyValueStore {
  readonly #store: KeyValueStore;
  #writes: StoreWrite[] = [];
  /** The newest write of every key that waits. */
  readonly #waiting = new Map<string, StoreWrite>();

  readonly #beforeWrite: () => void;

  /** @param beforeWrite called before anything is written; throws to forbid it for good */
  constructor(store: KeyValueStore, beforeWrite: () => void = () => {}) {
    this.#store = store;
    this.#beforeWrite = beforeWrite;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const write = this.#waiting.size === 0 ? undefined : this.#waiting.get(nameOf(key));
    if (write === undefined) return this.#store.get(key);
    return write.kind === 'put' ? write.value : undefined;
  }

  async *range(
    options: RangeOptions,
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    await this.flush();
    yield* this.#store.range(options);
  }

  async batch(writes: readonly StoreWrite[], options: { readonly sync: boolean }): Promise<void> {
    this.#writes.push(...writes);
    if (options.sync) return this.#flush(true);
    if (this.#writes.length > MAX_WAITING_WRITES) return this.#flush(false);
    for (const write of writes) this.#waiting.set(nameOf(write.key), write);
  }

  /** Resolves when every batch so far would survive the death of the process. */
  flush(): Promise<void> {
    return this.#flush(false);
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#store.close();
  }

  /** What waits stays readable until it is in the store. */
  async #flush(sync: boolean): Promise<void> {
    const writes = this.#writes;
    if (writes.length === 0) return;
    this.#writes = [];
    this.#beforeWrite();
    await this.#store.batch(writes, { sync });
    this.#waiting.clear();
  }
}

const nameOf = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');

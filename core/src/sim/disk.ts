/**
 * A node's disk: batches reach it in order and are atomic; those after the newest `sync` are lost in
 * a crash from some point on, as a log is that was not flushed. What a machine may rely on is
 * exactly what `KeyValueStore` promises, and nothing more happens here.
 *
 * Keys and values are kept as they are handed in, not copied: nobody changes them.
 */
import { compareBytes } from '../bytes/index.ts';
import {
  type KeyValueStore,
  prefixEnd,
  type RangeOptions,
  type StoreWrite,
} from '../platform/index.ts';
import { ByteMap } from './byte-map.ts';

/** How to take a batch back, newest write first. */
type Undo = readonly StoreWrite[];

export type DiskImage = readonly (readonly [key: Uint8Array, value: Uint8Array])[];

export class SimDisk implements KeyValueStore {
  readonly #entries = new ByteMap<Uint8Array>();
  /** Of the batches that are not on the platter yet, oldest first. */
  readonly #unsynced: Undo[] = [];
  /** Keys written since the newest sync. */
  readonly #fresh = new ByteMap<true>();

  get size(): number {
    return this.#entries.size;
  }

  get unsyncedBatches(): number {
    return this.#unsynced.length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(key);
  }

  /** Would the entry survive a crash now? */
  isDurable(key: Uint8Array): boolean {
    return this.#entries.get(key) !== undefined && this.#fresh.get(key) === undefined;
  }

  async *range(
    options: RangeOptions,
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    const from = options.from ?? options.prefix;
    const end = options.until ?? prefixEnd(options.prefix);
    const found = [...this.#entries.entries()].filter(
      ([key]) => compareBytes(key, from) >= 0 && (end === undefined || compareBytes(key, end) < 0),
    );
    found.sort(([a], [b]) => compareBytes(a, b));
    if (options.reverse === true) found.reverse();
    yield* found.slice(0, options.limit);
  }

  /** The batch at once; a simulated delay is the caller's. */
  apply(writes: readonly StoreWrite[], sync: boolean): void {
    const undo: StoreWrite[] = [];
    for (const write of writes) {
      const { key } = write;
      const before =
        write.kind === 'put' ? this.#entries.set(key, write.value) : this.#entries.delete(key);
      if (sync) continue;
      undo.push(
        before === undefined ? { kind: 'delete', key } : { kind: 'put', key, value: before },
      );
      this.#fresh.set(key, true);
    }
    if (!sync) this.#unsynced.push(undo.reverse());
    else this.#allDurable();
  }

  batch(writes: readonly StoreWrite[], options: { readonly sync: boolean }): Promise<void> {
    this.apply(writes, options.sync);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Power fails: the newest `lost` of the batches that were not synced are gone. */
  crash(lost: number): void {
    for (let i = 0; i < lost; i++) {
      const undo = this.#unsynced.pop();
      if (undo === undefined) break;
      for (const write of undo) {
        if (write.kind === 'put') this.#entries.set(write.key, write.value);
        else this.#entries.delete(write.key);
      }
    }
    this.#allDurable();
  }

  /**
   * The store is opened after its process died. What it finds is on the platter from then on:
   * a store that recovers its log writes it out before it answers, as LevelDB does.
   */
  reopen(): void {
    this.#allDurable();
  }

  /** Everything that is on the disk now, for {@link replace}. */
  image(): DiskImage {
    return [...this.#entries.entries()];
  }

  /** A copy of another time, or nothing, takes the place of what there is. */
  replace(image: DiskImage): void {
    this.#entries.clear();
    for (const [key, value] of image) this.#entries.set(key, value);
    this.#allDurable();
  }

  #allDurable(): void {
    this.#unsynced.length = 0;
    this.#fresh.clear();
  }
}

/**
 * A node's disk: batches reach it in order and are atomic; those after the newest `sync` are lost in
 * a crash from some point on, as a log is that was not flushed. What a machine may rely on is
 * exactly what `KeyValueStore` promises, and nothing more happens here.
 *
 * Keys and values are kept as they are handed in, not copied: nobody changes them. A value may be
 * worked out when it is first read; until then the write itself stands for it.
 */
import { compareBytes, equalBytes } from '../bytes/index.ts';
import {
  type KeyValueStore,
  prefixEnd,
  type RangeOptions,
  type StoreWrite,
} from '../platform/index.ts';
import { Shelves, type Stored } from './shelves.ts';

/** A batch, and what its keys held before. */
interface Undo {
  readonly writes: readonly StoreWrite[];
  readonly before: readonly (Stored | undefined)[];
}

export type DiskImage = readonly (readonly [key: Uint8Array, stored: Stored])[];

export class SimDisk implements KeyValueStore {
  readonly #shelves: Shelves;
  readonly #index: number;
  /** Of the batches that are not on the platter yet, oldest first. */
  readonly #unsynced: Undo[] = [];

  /** @param index which of the disks that share shelves it is */
  constructor(shelves = new Shelves(), index = 0) {
    this.#shelves = shelves;
    this.#index = index;
  }

  get size(): number {
    return this.#shelves.size(this.#index);
  }

  get unsyncedBatches(): number {
    return this.#unsynced.length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#shelves.get(this.#index, key)?.value;
  }

  /** Would the entry survive a crash now? */
  isDurable(key: Uint8Array): boolean {
    if (this.#shelves.get(this.#index, key) === undefined) return false;
    return !this.#unsynced.some(({ writes }) => writes.some((write) => equalBytes(write.key, key)));
  }

  async *range(
    options: RangeOptions,
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    const from = options.from ?? options.prefix;
    const end = options.until ?? prefixEnd(options.prefix);
    const found = [...this.#shelves.entries(this.#index)].filter(
      ([key]) => compareBytes(key, from) >= 0 && (end === undefined || compareBytes(key, end) < 0),
    );
    found.sort(([a], [b]) => compareBytes(a, b));
    if (options.reverse === true) found.reverse();
    for (const [key, { value }] of found.slice(0, options.limit)) yield [key, value];
  }

  /** The batch at once; a simulated delay is the caller's. */
  apply(writes: readonly StoreWrite[], sync: boolean): void {
    const before: (Stored | undefined)[] = [];
    for (const write of writes) {
      const { key } = write;
      before.push(
        write.kind === 'put'
          ? this.#shelves.set(this.#index, key, write)
          : this.#shelves.delete(this.#index, key),
      );
    }
    if (sync) this.#allDurable();
    else this.#unsynced.push({ writes, before });
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
      for (let at = undo.writes.length - 1; at >= 0; at--) {
        const write = undo.writes[at];
        const before = undo.before[at];
        if (write === undefined) continue;
        if (before === undefined) this.#shelves.delete(this.#index, write.key);
        else this.#shelves.set(this.#index, write.key, before);
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
    return [...this.#shelves.entries(this.#index)];
  }

  /** A copy of another time, or nothing, takes the place of what there is. */
  replace(image: DiskImage): void {
    this.#shelves.clear(this.#index);
    for (const [key, stored] of image) this.#shelves.set(this.#index, key, stored);
    this.#allDurable();
  }

  #allDurable(): void {
    this.#unsynced.length = 0;
  }
}

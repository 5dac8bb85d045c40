/**
 * Newest values in memory, by name (design/state-and-execution.md, PIP-4).
 *
 * Waves are written through, not flushed behind: a wave is one batch, whole or not there, and is in
 * the store before its result is told, so a handle in another thread never sees less than it was
 * told, and nothing needs to be remembered about what is still to be flushed. The batch is not
 * synced and costs little: of a wave of 10,000 updates to 200,000 keys on LevelDB, roots take 410 ms,
 * sealing the records 50 and the batch of 12 MB 75; of one of 1,000 updates 70, 8 and 9 ms. What the
 * cache saves is reading: what recent waves wrote or read is answered from here, and as the same
 * array each time, so that whoever decodes values can keep what they decoded to. The tree's newest
 * nodes are kept in the same way (`node-store.ts`).
 *
 * Two generations, the older one dropped whole when the younger is full.
 */

/** What an entry costs besides its value: name, array and map. */
const ENTRY_BYTES = 400;

export class ValueCache {
  readonly #capacityBytes: number;
  /** Undefined stands for a key without a value. */
  #young = new Map<string, Uint8Array | undefined>();
  #old = new Map<string, Uint8Array | undefined>();
  #youngBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** The value, which may be undefined; `read` is asked when it is not known here. */
  get(name: string, read: () => Uint8Array | undefined): Uint8Array | undefined {
    const young = this.#young.get(name);
    if (young !== undefined || this.#young.has(name)) return young;
    const isOld = this.#old.has(name);
    const value = isOld ? this.#old.get(name) : read();
    this.set(name, value);
    return value;
  }

  set(name: string, value: Uint8Array | undefined): void {
    if (2 * this.#youngBytes >= this.#capacityBytes) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(name, value);
    this.#youngBytes += ENTRY_BYTES + (value === undefined ? 0 : value.length);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
  }
}

/**
 * Newest values in memory, by name (design/state-and-execution.md, PIP-4).
 *
 * Every wave is written through to the store, whole and at once: the write is not synced, so it
 * costs a copy into the store's own memory, and readers on other handles see what they were told
 * about. What the cache saves is reading: what recent waves wrote or read is answered from here, and
 * as the same array each time, so that whoever decodes values can keep what they decoded to.
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

/** A map of bounded size that forgets what was used longest ago. */

export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Looks without counting as a use. */
  peek(key: K): V | undefined {
    return this.#entries.get(key);
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  /** `keep` names entries that are not forgotten for this one unless nothing else is left. */
  set(key: K, value: V, keep?: (value: V, key: K) => boolean): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#maxEntries) this.#forgetOne(keep);
    this.#entries.set(key, value);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  /** Longest unused first. */
  entries(): IterableIterator<[K, V]> {
    return this.#entries.entries();
  }

  #forgetOne(keep: ((value: V, key: K) => boolean) | undefined): void {
    for (const [key, value] of this.#entries) {
      if (keep?.(value, key) === true) continue;
      this.#entries.delete(key);
      return;
    }
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}

/** A map from byte strings, which JavaScript has none of: by a 32-bit hash, with chains. */
import { equalBytes } from '../bytes/index.ts';

interface Entry<V> {
  readonly key: Uint8Array;
  value: V;
  next: Entry<V> | undefined;
}

/** FNV-1a, of the first `end` bytes. */
export function hashBytes(bytes: Uint8Array, end = bytes.length): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash;
}

export class ByteMap<V> {
  readonly #chains = new Map<number, Entry<V>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): V | undefined {
    return this.#find(hashBytes(key), key)?.value;
  }

  /** Keeps `key` itself, which must not change. @returns the value before */
  set(key: Uint8Array, value: V): V | undefined {
    const hash = hashBytes(key);
    const entry = this.#find(hash, key);
    if (entry === undefined) {
      this.#chains.set(hash, { key, value, next: this.#chains.get(hash) });
      this.#size++;
      return undefined;
    }
    const before = entry.value;
    entry.value = value;
    return before;
  }

  /** @returns the value before */
  delete(key: Uint8Array): V | undefined {
    const hash = hashBytes(key);
    let previous: Entry<V> | undefined;
    for (let entry = this.#chains.get(hash); entry !== undefined; entry = entry.next) {
      if (equalBytes(entry.key, key)) {
        if (previous !== undefined) previous.next = entry.next;
        else if (entry.next !== undefined) this.#chains.set(hash, entry.next);
        else this.#chains.delete(hash);
        this.#size--;
        return entry.value;
      }
      previous = entry;
    }
    return undefined;
  }

  clear(): void {
    this.#chains.clear();
    this.#size = 0;
  }

  /** In no order that means anything. */
  *entries(): Generator<readonly [key: Uint8Array, value: V]> {
    for (const first of this.#chains.values()) {
      for (let entry: Entry<V> | undefined = first; entry !== undefined; entry = entry.next) {
        yield [entry.key, entry.value];
      }
    }
  }

  #find(hash: number, key: Uint8Array): Entry<V> | undefined {
    let entry = this.#chains.get(hash);
    while (entry !== undefined && !equalBytes(entry.key, key)) entry = entry.next;
    return entry;
  }
}

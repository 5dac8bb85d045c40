/**
 * State as it would be after changes that may yet be thrown away: every transaction, and every
 * wave, runs on an overlay (design/state-and-execution.md, "Accounts and transactions").
 */
import { type StateKey, stateKeyName } from './key.ts';

export interface StateReader {
  /** The value at `key`, which must not be changed; undefined when there is none. */
  get(key: StateKey): Uint8Array | undefined;
}

export interface StateChange {
  readonly key: StateKey;
  /** Undefined removes the entry. A value of no bytes is a value. */
  readonly value: Uint8Array | undefined;
}

export class Overlay implements StateReader {
  readonly #parent: StateReader;
  readonly #changes = new Map<string, StateChange>();

  constructor(parent: StateReader) {
    this.#parent = parent;
  }

  get(key: StateKey): Uint8Array | undefined {
    return this.#getNamed(key, stateKeyName(key));
  }

  /** Overlays on overlays work the name out once. */
  #getNamed(key: StateKey, name: string): Uint8Array | undefined {
    const change = this.#changes.get(name);
    if (change !== undefined) return change.value;
    const parent = this.#parent;
    return parent instanceof Overlay ? parent.#getNamed(key, name) : parent.get(key);
  }

  /** Keeps `value` itself, not a copy: the caller does not change it afterwards. */
  set(key: StateKey, value: Uint8Array): void {
    this.#changes.set(stateKeyName(key), { key, value });
  }

  delete(key: StateKey): void {
    this.#changes.set(stateKeyName(key), { key, value: undefined });
  }

  /** The last change of every key that was set or deleted, in order of kind ‖ owner ‖ slot. */
  changes(): readonly StateChange[] {
    return [...this.#changes.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, change]) => change);
  }

  /** Hands every change on to `parent` and leaves this overlay empty. */
  mergeInto(parent: Overlay): void {
    for (const [name, change] of this.#changes) parent.#changes.set(name, change);
    this.#changes.clear();
  }

  clear(): void {
    this.#changes.clear();
  }
}

/**
 * A map from references to vertices. A reference that lies about round or author is another key than
 * that of the vertex with its name.
 */
import { equalBytes } from '../bytes/index.ts';
import type { WeakParentRef } from '../types/index.ts';

interface Entry<V> {
  readonly ref: WeakParentRef;
  readonly value: V;
}

/** Rounds come after so many authors; places that fall together are told apart by their entries. */
const AUTHORS = 65_536;

export class RefMap<V> {
  /** By place; several entries of one only where an author equivocates. */
  readonly #places = new Map<number, Entry<V>[]>();

  get(ref: WeakParentRef): V | undefined {
    if (this.isEmpty) return undefined;
    for (const entry of this.#places.get(placeOf(ref)) ?? []) {
      if (isSame(entry.ref, ref)) return entry.value;
    }
    return undefined;
  }

  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  /** Of a reference that is not in the map. */
  set(ref: WeakParentRef, value: V): void {
    const place = placeOf(ref);
    const entries = this.#places.get(place);
    if (entries === undefined) this.#places.set(place, [{ ref, value }]);
    else entries.push({ ref, value });
  }

  delete(ref: WeakParentRef): void {
    const place = placeOf(ref);
    const entries = this.#places.get(place);
    const at = entries?.findIndex((entry) => isSame(entry.ref, ref)) ?? -1;
    if (at < 0) return;
    if (entries?.length === 1) this.#places.delete(place);
    else entries?.splice(at, 1);
  }
}

const placeOf = ({ round, author }: WeakParentRef): number => round * AUTHORS + author;

const isSame = (a: WeakParentRef, b: WeakParentRef): boolean =>
  a.round === b.round && a.author === b.author && equalBytes(a.name, b.name);

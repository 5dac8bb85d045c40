/**
 * What the disks of a simulation hold, in one table: nearly all that members write is the same, so an
 * entry is kept once, with the set of disks that hold it. Each disk is a map of its own as far as
 * anybody can tell.
 */
import { SeatSet } from '../consensus/index.ts';
import { MAX_COMMITTEE_SIZE } from '../types/index.ts';
import { ByteMap } from './byte-map.ts';

/** A value, which may be worked out when it is first read. */
export interface Stored {
  readonly value: Uint8Array;
}

/** One value of a key, and the disks where that is the value. */
interface Held {
  stored: Stored;
  readonly on: SeatSet;
}

export class Shelves {
  /** By key; never empty, and one disk is in one set of a key at most. */
  readonly #byKey = new ByteMap<Held[]>();
  /** By disk, how many keys it holds. */
  readonly #sizes = new Uint32Array(MAX_COMMITTEE_SIZE);

  size(disk: number): number {
    return this.#sizes[disk] ?? 0;
  }

  get(disk: number, key: Uint8Array): Stored | undefined {
    return heldOn(disk, this.#byKey.get(key))?.stored;
  }

  /** @returns what the disk held before */
  set(disk: number, key: Uint8Array, stored: Stored): Stored | undefined {
    const all = this.#byKey.get(key);
    const held = heldOn(disk, all);
    const before = held?.stored;
    if (before === stored) return before;
    if (before === undefined) this.#sizes[disk] = this.size(disk) + 1;
    const same = all?.find((other) => other.stored === stored);
    if (same !== undefined) {
      same.on.add(disk);
      if (held !== undefined) this.#take(disk, key, all, held);
    } else if (held?.on.isOnly(disk) === true) {
      held.stored = stored;
    } else {
      held?.on.remove(disk);
      const on = new SeatSet();
      on.add(disk);
      if (all === undefined) this.#byKey.set(key, [{ stored, on }]);
      else all.push({ stored, on });
    }
    return before;
  }

  /** @returns what the disk held before */
  delete(disk: number, key: Uint8Array): Stored | undefined {
    const all = this.#byKey.get(key);
    const held = heldOn(disk, all);
    if (held === undefined) return undefined;
    this.#sizes[disk] = this.size(disk) - 1;
    this.#take(disk, key, all, held);
    return held.stored;
  }

  /** What a disk holds, in no order that means anything. */
  *entries(disk: number): Generator<readonly [key: Uint8Array, stored: Stored]> {
    for (const [key, all] of this.#byKey.entries()) {
      const held = heldOn(disk, all);
      if (held !== undefined) yield [key, held.stored];
    }
  }

  clear(disk: number): void {
    for (const [key] of [...this.entries(disk)]) this.delete(disk, key);
  }

  #take(disk: number, key: Uint8Array, all: Held[] | undefined, held: Held): void {
    held.on.remove(disk);
    if (!held.on.isEmpty) return;
    if (all === undefined || all.length === 1) this.#byKey.delete(key);
    else all.splice(all.indexOf(held), 1);
  }
}

const heldOn = (disk: number, all: readonly Held[] | undefined): Held | undefined => {
  if (all === undefined) return undefined;
  for (const held of all) if (held.on.has(disk)) return held;
  return undefined;
};

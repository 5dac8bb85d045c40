/**
 * Messages on their way among many members, by the time at which they arrive and the member that
 * gets them. Arrival times are whole ticks: what would come between two ticks comes at the later one,
 * as to a host that looks at its network so often. Delays of up to a tick are part of the latency that
 * is simulated, so every run is one that a network of such delays could have.
 *
 * Nothing that is sent at a tick arrives at the same tick: what members do with what came then depends
 * on none of the others, and one member after the other may take all of its own.
 */
import type { ValidatorIndex } from '../types/index.ts';

/** A message, one object for all who get it. */
export interface Parcel {
  readonly from: ValidatorIndex;
  readonly bytes: Uint8Array;
  /** Of the bytes, for the trace. */
  readonly hash: number;
}

export class Arrivals {
  readonly #tickUs: number;
  readonly #members: number;
  /** By tick, then receiver, in the order in which they were sent. */
  readonly #ticks = new Map<number, Parcel[][]>();

  constructor(tickUs: number, members: number) {
    this.#tickUs = tickUs;
    this.#members = members;
  }

  /**
   * @param atUs later than now
   * @returns the time of the tick when nothing was to arrive then before
   */
  add(atUs: number, to: number, parcel: Parcel): number | undefined {
    const tick = Math.ceil(atUs / this.#tickUs);
    let lists = this.#ticks.get(tick);
    const isNew = lists === undefined;
    if (lists === undefined) {
      lists = Array.from({ length: this.#members }, () => []);
      this.#ticks.set(tick, lists);
    }
    lists[to]?.push(parcel);
    return isNew ? tick * this.#tickUs : undefined;
  }

  /** What arrives at a tick, by receiver. */
  take(atUs: number): readonly (readonly Parcel[])[] {
    const tick = atUs / this.#tickUs;
    const lists = this.#ticks.get(tick) ?? [];
    this.#ticks.delete(tick);
    return lists;
  }
}

/** Time as a platform supplies it. Core never reads it: it is passed into `Machine.step`. */

export interface Instant {
  /** Milliseconds of a clock that never goes back; the only clock for timers. */
  readonly monotonicMs: number;
  /** Milliseconds since 1970; only stamps and judges vertex timestamps. */
  readonly unixMs: number;
}

export interface Clock {
  now(): Instant;
}

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  #monotonicMs = 0;
  #unixMs: number;

  constructor(unixMs: number) {
    this.#unixMs = unixMs;
  }

  now(): Instant {
    return { monotonicMs: this.#monotonicMs, unixMs: this.#unixMs };
  }

  /** The wall clock is set forward or back; the monotonic one takes no notice. */
  setWallClock(unixMs: number): void {
    this.#unixMs = unixMs;
  }

  advance(ms: number): void {
    this.#monotonicMs += ms;
    this.#unixMs += ms;
  }
}

/**
 * Loaded into a node's process before all else (`--import`): the wall clock of the process goes as
 * wrong as its starter says over the channel between them. Monotonic time is left alone, as a clock
 * that somebody sets leaves it.
 */
import { isMainThread } from 'node:worker_threads';

export interface ShiftOrder {
  readonly shiftMs: number;
}

if (isMainThread && process.send !== undefined) {
  const RealDate = Date;
  const realNow = Date.now.bind(Date);
  let shiftMs = 0;
  class ShiftedDate extends RealDate {
    constructor(...parts: readonly number[]) {
      const [first, ...rest] = parts;
      // @ts-expect-error Date has several signatures, and all are handed through.
      super(...(first === undefined ? [realNow() + shiftMs] : [first, ...rest]));
    }
    static override now(): number {
      return realNow() + shiftMs;
    }
  }
  globalThis.Date = Object.assign(ShiftedDate, {
    parse: RealDate.parse,
    UTC: RealDate.UTC,
  }) as DateConstructor;
  process.on('message', (order: ShiftOrder) => {
    shiftMs = order.shiftMs;
  });
  // The channel alone keeps no process alive.
  process.channel?.unref();
}

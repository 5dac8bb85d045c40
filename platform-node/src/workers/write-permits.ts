/**
 * How the main thread lets the execution thread write. Waves are computed while the vertices that
 * order them are on their way to the disk, and are written only once those are there: a store never
 * shows a state whose order a crash could take back. Permits are counted, one a request, in memory
 * that both threads see.
 */
import { PydeError } from '@pyde/core/bytes';

/** The count; withdrawn: −1 − count. */
const GRANTED = 0;

export class WritePermits {
  readonly #count: BigInt64Array<SharedArrayBuffer>;

  /** @param shared that of the other thread's instance */
  constructor(shared = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)) {
    this.#count = new BigInt64Array(shared);
  }

  /** For the other thread's instance. */
  get shared(): SharedArrayBuffer {
    return this.#count.buffer;
  }

  /** One more request may be written; nothing after {@link withdraw}. */
  grant(): void {
    if (Atomics.load(this.#count, GRANTED) < 0n) return;
    Atomics.add(this.#count, GRANTED, 1n);
    Atomics.notify(this.#count, GRANTED);
  }

  /** No further permits will come: whoever waits for one gives up. */
  withdraw(): void {
    const granted = Atomics.load(this.#count, GRANTED);
    if (granted < 0n) return;
    Atomics.store(this.#count, GRANTED, -1n - granted);
    Atomics.notify(this.#count, GRANTED);
  }

  /**
   * Blocks the thread until so many permits were granted.
   * @throws PydeError `execution.withdrawn`
   */
  waitFor(permits: bigint): void {
    for (;;) {
      const count = Atomics.load(this.#count, GRANTED);
      if ((count < 0n ? -1n - count : count) >= permits) return;
      if (count < 0n) {
        throw new PydeError(
          'execution.withdrawn',
          'the node stops before the order of a wave was on disk; it is executed on the next start',
        );
      }
      Atomics.wait(this.#count, GRANTED, count);
    }
  }
}

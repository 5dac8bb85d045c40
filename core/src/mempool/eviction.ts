/**
 * Who leaves a full pool first (design/state-and-execution.md): the lowest-paying, of those the
 * newest. Everyone pays the same for a unit of gas, so what counts is the gas that it will use.
 *
 * A binary heap with lazy removal: an entry that left the pool is skipped when it comes up, and the
 * heap is rebuilt once most of it is such entries, so it stays within twice the pool.
 */
export interface Evictable {
  /** Gas that it will pay for. */
  readonly gas: bigint;
  /** Order of admission. */
  readonly sequence: number;
}

/** Negative when `a` leaves before `b`. */
export function evictionOrder(a: Evictable, b: Evictable): number {
  if (a.gas !== b.gas) return a.gas < b.gas ? -1 : 1;
  return b.sequence - a.sequence;
}

export class EvictionQueue<Entry extends Evictable> {
  readonly #isLive: (entry: Entry) => boolean;
  #heap: Entry[] = [];
  /** What lies in the heap, each once: an entry that comes back to life is there already. */
  readonly #members = new Set<Entry>();

  /** @param isLive whether an entry may still be evicted */
  constructor(isLive: (entry: Entry) => boolean) {
    this.#isLive = isLive;
  }

  /** @param live how many entries may be evicted, this one included */
  add(entry: Entry, live: number): void {
    if (this.#members.has(entry)) return;
    if (this.#heap.length > 2 * live + 64) this.#rebuild();
    this.#members.add(entry);
    this.#heap.push(entry);
    this.#siftUp(this.#heap.length - 1);
  }

  /** Takes the entry that leaves first off the queue; `add` puts it back. */
  take(): Entry | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      this.#removeTop();
      if (this.#isLive(top)) return top;
    }
    return undefined;
  }

  #rebuild(): void {
    for (const entry of this.#heap) if (!this.#isLive(entry)) this.#members.delete(entry);
    // A sorted array is a heap.
    this.#heap = [...this.#members].sort(evictionOrder);
  }

  #removeTop(): void {
    const top = this.#heap[0];
    if (top !== undefined) this.#members.delete(top);
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown();
  }

  #siftUp(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #siftDown(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const first = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfBefore(first, at)) return;
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    return first !== undefined && second !== undefined && evictionOrder(first, second) < 0;
  }

  #swapIfBefore(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined || evictionOrder(first, second) >= 0) {
      return false;
    }
    this.#heap[a] = second;
    this.#heap[b] = first;
    return true;
  }
}

/**
 * What is still to happen, by time: a binary heap. Ties go by the order in which they were put in,
 * so that the order of events never depends on how the heap happens to lie.
 */
export class EventQueue<T> {
  readonly #times: number[] = [];
  readonly #sequences: number[] = [];
  readonly #events: T[] = [];
  #nextSequence = 0;

  get size(): number {
    return this.#events.length;
  }

  /** The time of the first event. */
  get nextTime(): number | undefined {
    return this.#times[0];
  }

  push(time: number, event: T): void {
    const sequence = this.#nextSequence++;
    let at = this.#events.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(time, sequence, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#place(at, time, sequence, event);
  }

  /** Takes the first event out. */
  pop(): T | undefined {
    const first = this.#events[0];
    const time = this.#times.pop();
    const sequence = this.#sequences.pop();
    const event = this.#events.pop();
    if (time === undefined || sequence === undefined || event === undefined) return undefined;
    const size = this.#events.length;
    if (size === 0) return first;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (right < size && this.#isBefore(this.#time(right), this.#sequence(right), child)) child++;
      if (this.#isBefore(time, sequence, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#place(at, time, sequence, event);
    return first;
  }

  #time(at: number): number {
    return this.#times[at] ?? 0;
  }

  #sequence(at: number): number {
    return this.#sequences[at] ?? 0;
  }

  #isBefore(time: number, sequence: number, other: number): boolean {
    const otherTime = this.#time(other);
    return time < otherTime || (time === otherTime && sequence < this.#sequence(other));
  }

  #move(from: number, to: number): void {
    const event = this.#events[from];
    if (event !== undefined) this.#place(to, this.#time(from), this.#sequence(from), event);
  }

  #place(at: number, time: number, sequence: number, event: T): void {
    this.#times[at] = time;
    this.#sequences[at] = sequence;
    this.#events[at] = event;
  }
}

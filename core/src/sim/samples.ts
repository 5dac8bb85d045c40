/** Times in microseconds, and what lies in the middle and near the end of them. */

/** Of more only every second, fourth … is kept. */
const MAX_KEPT = 65_536;

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export class Samples {
  #kept: number[] = [];
  #stride = 1;
  #seen = 0;

  get count(): number {
    return this.#seen;
  }

  add(us: number): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.#kept.push(us);
    if (this.#kept.length < MAX_KEPT) return;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  /** In milliseconds; undefined without samples. */
  percentilesMs(): Percentiles | undefined {
    if (this.#kept.length === 0) return undefined;
    const sorted = Float64Array.from(this.#kept).sort();
    const at = (percent: number): number =>
      (sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0) /
      1_000;
    return { p50: at(50), p99: at(99) };
  }
}

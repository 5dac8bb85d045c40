/** Rates as a median of several slices, since the machines are shared and noisy. */

const SLICES = 7;
const SLICE_MS = 150;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Operations a second of `run`, which does `operations` of them a call. */
export function rate(operations: number, run: () => void): number {
  const warmUntil = performance.now() + SLICE_MS;
  while (performance.now() < warmUntil) run();
  const slices: number[] = [];
  for (let slice = 0; slice < SLICES; slice++) {
    const started = performance.now();
    let calls = 0;
    while (performance.now() - started < SLICE_MS) {
      run();
      calls++;
    }
    slices.push((calls * operations * 1000) / (performance.now() - started));
  }
  return median(slices);
}

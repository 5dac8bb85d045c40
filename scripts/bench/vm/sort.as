// AssemblyScript. Sorts 8,192 pseudo-random integers, n times: quicksort down to runs of 16, then
// insertion sort.

const N = 8192;
const A = memory.data(65536);
function quick(lo: i32, hi: i32): void {
  while (hi - lo > 16) {
    const pivot = load<i32>(A + (((lo + hi) >>> 1) << 2));
    let i = lo - 1, j = hi + 1;
    while (true) {
      do { i++; } while (load<i32>(A + (i << 2)) < pivot);
      do { j--; } while (load<i32>(A + (j << 2)) > pivot);
      if (i >= j) break;
      const t = load<i32>(A + (i << 2));
      store<i32>(A + (i << 2), load<i32>(A + (j << 2)));
      store<i32>(A + (j << 2), t);
    }
    if (j - lo < hi - j) { quick(lo, j); lo = j + 1; } else { quick(j + 1, hi); hi = j; }
  }
}
export function sort(n: i32): void {
  quick(0, n - 1);
  for (let i = 1; i < n; i++) {
    const x = load<i32>(A + (i << 2));
    let j = i - 1;
    while (j >= 0 && load<i32>(A + (j << 2)) > x) { store<i32>(A + (j << 2), load<i32>(A + (j << 2)), 4); j--; }
    store<i32>(A + (j << 2), x, 4);
  }
}
export function run(n: i32): i32 {
  for (let k = 0; k < n; k++) {
    let s: u32 = 12345;
    for (let i = 0; i < N; i++) { s = s * 1664525 + 1013904223; store<u32>(A + (i << 2), s); }
    sort(N);
  }
  return load<i32>(A, 400);
}

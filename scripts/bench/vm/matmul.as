// AssemblyScript. Multiplies two matrices of 64 × 64 doubles, n times.

const N: i32 = 64;
const A = memory.data(64*64*8); const B = memory.data(64*64*8); const C = memory.data(64*64*8);
export function run(n: i32): f64 {
  for (let i = 0; i < N * N; i++) { store<f64>(A + (i << 3), <f64>((i * 7) % 13) * 0.25); store<f64>(B + (i << 3), <f64>((i * 5) % 11) * 0.5); }
  for (let k = 0; k < n; k++) multiply();
  return load<f64>(C, 800);
}
function multiply(): void {
  for (let i = 0; i < N; i++) for (let j = 0; j < N; j++) {
    let s: f64 = 0;
    for (let k = 0; k < N; k++) s += load<f64>(A + ((i * N + k) << 3)) * load<f64>(B + ((k * N + j) << 3));
    store<f64>(C + ((i * N + j) << 3), s);
  }
}

// AssemblyScript. n steps of the Fibonacci numbers: as little work in a loop as there is.

export function run(n: i32): i64 {
  let a: i64 = 0, b: i64 = 1;
  for (let i = 0; i < n; i++) { const t = a + b; a = b; b = t; }
  return a;
}

/**
 * The programs of the contract benchmarks: AssemblyScript in vm/*.as, compiled when they are asked
 * for, so that what is measured is what a compiler gives. Each exports `run (n)`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

export interface Workload {
  readonly name: string;
  /** The `n` that makes a run a few milliseconds. */
  readonly size: number;
}

/** What contracts spend their time with. */
export const WORKLOADS: readonly Workload[] = [
  { name: 'sha256', size: 16 },
  { name: 'sort', size: 4 },
  { name: 'fib-loop', size: 4_000_000 },
  { name: 'matmul', size: 4 },
];

export const RECURSION: Workload = { name: 'fib-recursion', size: 24 };

/** About 100 KB of a compiler's library, to be read, never run. */
export const LIBRARY = 'library';

const OPTIONS = ['-O3', '--runtime', 'minimal', '--use', 'abort='];

export async function compileWorkload(name: string): Promise<Uint8Array> {
  const source = readFileSync(join(import.meta.dirname, 'vm', `${name}.as`), 'utf8');
  let compiled: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['main.ts', '-o', 'main.wasm', ...OPTIONS], {
    readFile: (file) => (file === 'main.ts' ? source : null),
    writeFile: (_, content) => {
      if (typeof content !== 'string') compiled = content;
    },
    listFiles: () => [],
  });
  if (error !== null || compiled === undefined) throw new Error(`${name}: ${stderr.toString()}`);
  return Uint8Array.from(compiled);
}

/// <reference path="../../../webassembly.d.ts" />
/**
 * That code of the corpus is run by both compilers of V8: the one that is there at once and the
 * one that optimizes what ran for long. By itself V8 takes more calls than a test should; these
 * flags make some thousand of a small function enough.
 */
import { flat, functionModule, KIND, leb, name } from '../module-builder.ts';
import { MANY_CALLS } from './case.ts';

export const TIER_FLAGS = ['--wasm-tiering-budget=20000', '--wasm-sync-tier-up'] as const;
/** For {@link compilersOfHotCode} alone. */
export const NATIVES_FLAG = '--allow-natives-syntax';

type Exported = (x: number) => number;

/** @returns by what a function is compiled after its first call, and after many */
export function compilersOfHotCode(): string {
  const loop = flat([0x03, 0x40], [0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b], [0x20, 0]);
  const bytes = functionModule(loop, {
    params: [0x7f],
    results: [0x7f],
    exports: [flat(name('f'), KIND.function, leb(0))],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)));
  const run = exports['f'] as Exported;
  run(1);
  const cold = compilerOf(run);
  for (let i = 0; i < MANY_CALLS; i++) run(3);
  return `cold by ${cold}, hot by ${compilerOf(run)}`;
}

function compilerOf(run: Exported): string {
  // Syntax that only V8 with the flag knows, so it cannot stand here as code.
  const is = (compiler: string): boolean =>
    new Function('f', `return %Is${compiler}Function(f)`)(run) === true;
  return ['Liftoff', 'TurboFan'].find(is) ?? 'none';
}

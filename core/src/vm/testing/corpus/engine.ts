/// <reference path="../../../webassembly.d.ts" />
/**
 * Runs a case by the engine at hand, Node's or a browser's: the way of every contract through
 * decoder, validator and rewriter, then a fresh instance for every run.
 */
import { decodeModule } from '../../decode/index.ts';
import type { WasmModule } from '../../module.ts';
import { INTERNAL, type RewrittenModule, rewriteModule, STATUS } from '../../rewrite/index.ts';
import { validateModule } from '../../validate/index.ts';
import { binaryOf, type CompiledCase, type CorpusRun, ENOUGH_FUEL, WHOLE_STACK } from './case.ts';
import { nestedByEngine } from './frames-engine.ts';
import { type Effects, lineOf } from './line.ts';

export interface CaseLines {
  /** A line a run, of code that nothing has run before. */
  readonly cold: readonly string[];
  /** The same runs after every function was called `warmups` times. */
  readonly hot: readonly string[];
}

/** @param tag bytes that make this compilation one of its own, where the engine keeps others */
export function runByEngine(given: CompiledCase, tag = 0): CaseLines {
  if (given.isNested === true) return nested(given);
  const module = decodeModule(binaryOf(given));
  const rewritten = rewriteModule(validateModule(module, 'contract'));
  const engine = new CaseEngine(module, rewritten, tag);
  const all = (): string[] => given.runs.map((run) => lineOf(run, engine.run(run)));
  const cold = all();
  const seen = new Set<string>();
  for (const run of given.runs) {
    if (seen.has(run.call)) continue;
    seen.add(run.call);
    engine.warm(run, given.warmups);
  }
  return { cold, hot: all() };
}

function nested(given: CompiledCase): CaseLines {
  const [first, all] = nestedByEngine(given);
  const cold = all();
  for (let i = 0; i < given.warmups; i++) first();
  return { cold, hot: all() };
}

type Callable = (...args: readonly (number | bigint)[]) => unknown;
interface Live {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly memory: WebAssembly.Memory | undefined;
  readonly fuel: { value: number | bigint };
  readonly stack: { value: number | bigint };
  readonly status: { value: number | bigint };
}

class CaseEngine {
  private readonly compiled: WebAssembly.Module;
  private readonly module: WasmModule;
  private readonly rewritten: RewrittenModule;

  constructor(module: WasmModule, rewritten: RewrittenModule, tag: number) {
    this.module = module;
    this.rewritten = rewritten;
    // Engines keep compiled code by its bytes: an empty custom section makes them other bytes.
    const apart = Uint8Array.of(0, 2, 1, tag & 0x7f);
    const bytes = new Uint8Array(rewritten.bytes.length + apart.length);
    bytes.set(rewritten.bytes);
    bytes.set(apart, rewritten.bytes.length);
    this.compiled = new WebAssembly.Module(bytes);
  }

  run(run: CorpusRun): Effects {
    let live: Live;
    try {
      live = this.instantiate();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      const memory = new Uint8Array();
      return { end: 'not-instantiated', gas: 0n, results: [], stackSlotsLeft: 0, memory };
    }
    live.fuel.value = BigInt(run.fuel);
    live.stack.value = run.stackSlots;
    const results = this.call(live, run);
    const left = BigInt(live.fuel.value);
    return {
      end: endOf(live, results),
      gas: BigInt(run.fuel) - (left < 0n ? 0n : left),
      results: results ?? [],
      stackSlotsLeft: Number(live.stack.value),
      memory: live.memory === undefined ? new Uint8Array() : new Uint8Array(live.memory.buffer),
    };
  }

  /** Calls the function many times in one instance, whatever comes of it. */
  warm(run: CorpusRun, times: number): void {
    let live: Live;
    try {
      live = this.instantiate();
    } catch {
      return;
    }
    for (let i = 0; i < times; i++) {
      live.fuel.value = BigInt(Math.min(run.fuel, ENOUGH_FUEL));
      live.stack.value = WHOLE_STACK;
      live.status.value = STATUS.ok;
      this.call(live, run);
    }
  }

  private instantiate(): Live {
    const { memory: shape } = this.rewritten;
    const memory =
      shape === undefined
        ? undefined
        : new WebAssembly.Memory({ initial: shape.minPages, maximum: shape.maxPages });
    const imports =
      memory === undefined ? {} : { [INTERNAL.importModule]: { [INTERNAL.memory]: memory } };
    const { exports } = new WebAssembly.Instance(this.compiled, imports);
    const meter = (name: string): { value: number | bigint } =>
      exports[name] as { value: number | bigint };
    return {
      exports,
      memory,
      fuel: meter(INTERNAL.fuel),
      stack: meter(INTERNAL.stack),
      status: meter(INTERNAL.status),
    };
  }

  /** @returns the bits of the results, or undefined after a trap */
  private call({ exports }: Live, run: CorpusRun): bigint[] | undefined {
    const type = this.typeOf(run.call);
    const args = (run.args ?? []).map((text, i) =>
      type.params[i] === 0x7f ? Number(text) : BigInt(text),
    );
    try {
      if (this.rewritten.hasStart) (exports[INTERNAL.start] as Callable)();
      const returned = (exports[run.call] as Callable)(...args);
      const values = (type.results.length > 1 ? returned : [returned]) as Iterable<number | bigint>;
      return Array.from(type.results.length === 0 ? [] : values, (value, i) =>
        BigInt.asUintN(type.results[i] === 0x7f ? 32 : 64, BigInt(value)),
      );
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) return undefined;
      throw error;
    }
  }

  private typeOf(name: string): WasmModule['types'][number] {
    const index = this.module.exports.find((one) => one.name === name)?.index ?? -1;
    const type =
      this.module.types[this.module.functions[index - this.module.imports.length]?.typeIndex ?? -1];
    if (type === undefined) throw new Error(`the case has no function ${name}`);
    return type;
  }
}

function endOf({ fuel, status }: Live, results: bigint[] | undefined): Effects['end'] {
  if (results !== undefined) return 'returned';
  if (BigInt(fuel.value) < 0n) return 'out-of-gas';
  switch (Number(status.value)) {
    case STATUS.outOfGas:
      return 'out-of-gas';
    case STATUS.stackExhausted:
      return 'stack-exhausted';
    default:
      return 'trapped';
  }
}

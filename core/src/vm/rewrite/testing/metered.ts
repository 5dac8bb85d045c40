/// <reference path="../../../webassembly.d.ts" />
/** Rewritten modules that run on the engine, for tests of the rewriter. */
import { decodeModule } from '../../decode/index.ts';
import { wat } from '../../testing/wat.ts';
import { type ValidModule, validateModule } from '../../validate/index.ts';
import { INTERNAL, type RewrittenModule, rewriteModule, STATUS } from '../index.ts';

export const validModule = (text: string): ValidModule =>
  validateModule(decodeModule(wat(text)), 'contract');

/** The functions of a module in WebAssembly text, e.g. `(func (export "f"))`, rewritten. */
export const rewritten = (text: string): RewrittenModule =>
  rewriteModule(validModule(`(module ${text})`));

export type End = 'returned' | 'out-of-gas' | 'stack-exhausted' | 'grow-failed' | 'trap';

export interface MeteredRun {
  readonly end: End;
  /** What the function returned; undefined when it did not. */
  readonly result: unknown;
  readonly fuelLeft: bigint;
  readonly stackLeft: number;
}

type Callable = (...args: readonly unknown[]) => unknown;

export interface Budget {
  readonly fuel?: bigint;
  readonly stack?: number;
}

/** A fresh instance. */
export class Metered {
  readonly exports: Record<string, unknown>;
  readonly memory: WebAssembly.Memory | undefined;

  /** @param hosts functions of the module `pyde` by name */
  constructor({ bytes, memory }: RewrittenModule, hosts: Record<string, Callable> = {}) {
    this.memory =
      memory === undefined
        ? undefined
        : new WebAssembly.Memory({ initial: memory.minPages, maximum: memory.maxPages });
    const internal = this.memory === undefined ? {} : { [INTERNAL.memory]: this.memory };
    const imports = { pyde: hosts, [INTERNAL.importModule]: internal };
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
  }

  get fuel(): bigint {
    return this.#global(INTERNAL.fuel).value as bigint;
  }

  run(name: string, args: readonly unknown[] = [], budget: Budget = {}): MeteredRun {
    const [fuel, stack] = [this.#global(INTERNAL.fuel), this.#global(INTERNAL.stack)];
    fuel.value = budget.fuel ?? 1_000_000n;
    stack.value = budget.stack ?? 16_384;
    const { end, result } = this.#call(name, args);
    return { end, result, fuelLeft: fuel.value as bigint, stackLeft: Number(stack.value) };
  }

  #call(name: string, args: readonly unknown[]): Pick<MeteredRun, 'end' | 'result'> {
    try {
      return { end: 'returned', result: (this.exports[name] as Callable)(...args) };
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      if (this.fuel < 0n) return { end: 'out-of-gas', result: undefined };
      return {
        end: ENDS[Number(this.#global(INTERNAL.status).value)] ?? 'trap',
        result: undefined,
      };
    }
  }

  #global(name: string): WebAssembly.Global {
    return this.exports[name] as WebAssembly.Global;
  }
}

const ENDS: Readonly<Record<number, End>> = {
  [STATUS.ok]: 'trap',
  [STATUS.outOfGas]: 'out-of-gas',
  [STATUS.stackExhausted]: 'stack-exhausted',
  [STATUS.growFailed]: 'grow-failed',
};

/** Runs `f` of the text once. */
export function runOnce(
  text: string,
  args: readonly unknown[] = [],
  budget: Budget = {},
): MeteredRun {
  return new Metered(rewritten(text)).run('f', args, budget);
}

/** Gas that `f` takes when there is enough. */
export function gasOf(text: string, args: readonly unknown[] = []): number {
  const fuel = 1_000_000n;
  return Number(fuel - runOnce(text, args, { fuel }).fuelLeft);
}

/// <reference path="../../webassembly.d.ts" />
/** One run of a rewritten random program, in the terms of random-program-runs.ts. */
import { INTERNAL, type RewrittenModule } from '../rewrite/index.ts';
import type { TrapReason } from './interpreter.ts';
import type { RandomProgram } from './random-program.ts';
import { RandomHost } from './random-program-hosts.ts';
import { callRun, endOf, globalsOf, type Limits, type MeteredRun } from './random-program-runs.ts';

/** A rewritten module, compiled, that can be run many times; its memory is kept and cleared. */
export class RewrittenRunner {
  private readonly compiled: WebAssembly.Module;
  private readonly rewritten: RewrittenModule;
  private readonly program: RandomProgram;
  private memory: WebAssembly.Memory | undefined;

  constructor(rewritten: RewrittenModule, program: RandomProgram) {
    this.rewritten = rewritten;
    this.compiled = new WebAssembly.Module(rewritten.bytes);
    this.program = program;
  }

  run({ fuel, stackSlots }: Limits, expected: bigint | TrapReason): MeteredRun {
    const host: RandomHost = new RandomHost(
      () => BigInt(fuelLeft?.value ?? 0),
      (gas) => (exports[INTERNAL.charge] as (gas: number) => void)(Number(gas)),
    );
    const imports = { ...host.imports(), ...this.memoryImport() };
    const exports = new WebAssembly.Instance(this.compiled, imports).exports;
    const [fuelLeft, stack, status] = [INTERNAL.fuel, INTERNAL.stack, INTERNAL.status].map(
      (name) => exports[name] as { value: number | bigint },
    );
    if (fuelLeft === undefined || stack === undefined || status === undefined) {
      throw new Error('the rewritten module exports its meters');
    }
    fuelLeft.value = fuel;
    stack.value = stackSlots;
    const result = callRun(
      exports,
      this.program,
      this.rewritten.hasStart ? INTERNAL.start : undefined,
    );
    const left = BigInt(fuelLeft.value);
    const stackSlotsLeft = typeof result === 'bigint' ? Number(stack.value) : undefined;
    // Before all else: another trap may come before fuel is looked at (rewrite/fuel.ts).
    const own = left < 0n ? 'out-of-gas' : OWN_ENDS[Number(status.value)];
    const end = own ?? endOf(result, expected);
    fuelLeft.value = 1_000n;
    stack.value = 1_000;
    const globals = globalsOf(exports, this.program);
    const memory =
      this.memory === undefined ? new Uint8Array() : new Uint8Array(this.memory.buffer);
    const gas = fuel - (left < 0n ? 0n : left);
    return { end, gas, memory, globals, hostCalls: host.calls, stackSlotsLeft };
  }

  /** A memory of the first size, all zeros. What a run returned is overwritten by the next. */
  private memoryImport(): Record<string, Record<string, unknown>> {
    const { memory } = this.rewritten;
    if (memory === undefined) return {};
    const bytes = memory.minPages * 65_536;
    if (this.memory?.buffer.byteLength === bytes) new Uint8Array(this.memory.buffer).fill(0);
    else {
      this.memory = new WebAssembly.Memory({
        initial: memory.minPages,
        maximum: memory.maxPages,
      });
    }
    return { [INTERNAL.importModule]: { [INTERNAL.memory]: this.memory } };
  }
}

/** By the status a rewritten module leaves, where fuel does not tell. */
const OWN_ENDS: readonly (TrapReason | undefined)[] = [undefined, 'out-of-gas', 'stack-exhausted'];

/** Runs cases of nested frames by the reference interpreter, one for each frame. */
import { decodeModule } from '../../decode/index.ts';
import type { WasmModule } from '../../module.ts';
import { type HostFunction, Interpreter, instantiationGas, Trap } from '../interpreter.ts';
import { binaryOf, type CompiledCase } from './case.ts';
import { type FrameEnd, nestedLine } from './line.ts';

const MAX_CALL_DEPTH = 64;

export function nestedByInterpreter(given: CompiledCase): string[] {
  const module = decodeModule(binaryOf(given));
  return given.runs.map((run) => {
    const frames = new NestedFrames(module, Number(run.args?.[0] ?? 0));
    const { end, gas } = frames.enter(1, BigInt(run.fuel), run.stackSlots);
    return nestedLine(run, end, gas, frames.log);
  });
}

class NestedFrames {
  readonly log: FrameEnd[] = [];
  private readonly module: WasmModule;
  private readonly deep: number;

  constructor(module: WasmModule, deep: number) {
    this.module = module;
    this.deep = deep;
  }

  /** One frame, and those above it. */
  enter(depth: number, gasLimit: bigint, stackSlots: number): { end: string; gas: bigint } {
    if (depth > MAX_CALL_DEPTH) return { end: 'call-depth', gas: 0n };
    const toBegin = instantiationGas(this.module);
    if (toBegin > gasLimit) return { end: 'out-of-gas', gas: gasLimit };
    const calldataSize: HostFunction = () => [BigInt(this.deep)];
    const crossCall: HostFunction = (args, caller) => {
      const stackLeft = caller.stackSlots;
      const asked = args[6] ?? 0n;
      const limit = asked < caller.fuel ? asked : caller.fuel;
      const { end, gas } = this.enter(depth + 1, limit, stackLeft);
      caller.charge(gas);
      this.log.push({ depth: depth + 1, stackLeft, end, gas });
      return [end === 'returned' ? 0n : 1n];
    };
    const machine = new Interpreter(this.module, {
      fuel: gasLimit - toBegin,
      stackSlots,
      hosts: this.module.imports.map(({ name }) =>
        name === 'cross_call' ? crossCall : calldataSize,
      ),
    });
    let end = 'returned';
    try {
      machine.callExport('run', []);
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      const { reason } = error;
      end = reason === 'out-of-gas' || reason === 'stack-exhausted' ? reason : 'trapped';
    }
    return { end, gas: gasLimit - machine.fuel };
  }
}

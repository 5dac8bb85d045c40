/** Runs a case by the reference interpreter: what expected.txt is made of. */
import { decodeModule } from '../../decode/index.ts';
import type { WasmModule } from '../../module.ts';
import { Interpreter, Trap } from '../interpreter.ts';
import { binaryOf, type CompiledCase, type CorpusRun } from './case.ts';
import { nestedByInterpreter } from './frames-interpret.ts';
import { type Effects, lineOf } from './line.ts';

export function runByInterpreter(given: CompiledCase): string[] {
  if (given.isNested === true) return nestedByInterpreter(given);
  const module = decodeModule(binaryOf(given));
  return given.runs.map((run) => lineOf(run, interpret(module, run)));
}

function interpret(module: WasmModule, run: CorpusRun): Effects {
  const fuel = BigInt(run.fuel);
  let machine: Interpreter;
  try {
    machine = new Interpreter(module, { fuel, stackSlots: run.stackSlots });
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    const memory = new Uint8Array();
    return { end: 'not-instantiated', gas: 0n, results: [], stackSlotsLeft: 0, memory };
  }
  let end: Effects['end'] = 'returned';
  let results: readonly bigint[] = [];
  try {
    if (module.start !== undefined) machine.call(module.start, []);
    results = machine.callExport(run.call, argumentsOf(module, run));
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    const { reason } = error;
    end = reason === 'out-of-gas' || reason === 'stack-exhausted' ? reason : 'trapped';
  }
  return {
    end,
    gas: fuel - machine.fuel,
    results,
    stackSlotsLeft: machine.stackSlots,
    memory: machine.memory,
  };
}

/** Bits of as many digits as the parameters have. */
function argumentsOf(module: WasmModule, run: CorpusRun): bigint[] {
  const index = module.exports.find((one) => one.name === run.call)?.index ?? -1;
  const body = module.functions[index - module.imports.length];
  const params = module.types[body?.typeIndex ?? -1]?.params ?? [];
  return (run.args ?? []).map((text, i) =>
    BigInt.asUintN(params[i] === 0x7f ? 32 : 64, BigInt(text)),
  );
}

/// <reference path="../../webassembly.d.ts" />
/**
 * One run of a random program by the reference interpreter and by the engine as it is, told in the
 * same terms so that they can be compared. (Rewritten: random-program-rewritten.ts.)
 */
import type { WasmModule } from '../module.ts';
import { Interpreter, Trap, type TrapReason } from './interpreter.ts';
import type { RandomProgram } from './random-program.ts';

export interface Limits {
  readonly fuel: bigint;
  readonly stackSlots: number;
}

/** What a run leaves behind. */
export interface Run {
  /** The bits of the result; of a trap its reason. */
  readonly end: bigint | TrapReason;
  readonly memory: Uint8Array;
  readonly globals: readonly bigint[];
}

/** A metered run also tells these. */
export interface MeteredRun extends Run {
  readonly gas: bigint;
  /** Of a run that returned. */
  readonly stackSlotsLeft: number | undefined;
}

export interface InterpretedRun extends MeteredRun {
  readonly nansMade: number;
}

export function interpret(
  module: WasmModule,
  program: RandomProgram,
  limits: Limits,
): InterpretedRun {
  const machine = new Interpreter(module, limits);
  const [first, second] = program.args;
  let end: bigint | TrapReason;
  try {
    end =
      machine.callExport('run', [
        BigInt.asUintN(32, BigInt(first)),
        BigInt.asUintN(64, second),
      ])[0] ?? 0n;
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    end = error.reason;
  }
  const gas = limits.fuel - machine.fuel;
  const { nansMade, stackSlots } = machine;
  machine.fuel = 1_000n;
  machine.stackSlots = 1_000;
  const globals = program.globals.map((name) => machine.callExport(name, [])[0] ?? 0n);
  const stackSlotsLeft = typeof end === 'bigint' ? stackSlots : undefined;
  return { end, gas, memory: machine.memory, globals, nansMade, stackSlotsLeft };
}

/** What V8 says of a trap, and what it can mean. */
const MESSAGES: readonly (readonly [part: string, reasons: readonly TrapReason[]])[] = [
  ['memory access out of bounds', ['memory-out-of-bounds']],
  ['table index is out of bounds', ['table-out-of-bounds']],
  ['null function or function signature mismatch', ['null-element', 'indirect-call-type']],
  ['divide by zero', ['integer-divide-by-zero']],
  ['remainder by zero', ['integer-divide-by-zero']],
  ['divide result unrepresentable', ['integer-overflow']],
  ['float unrepresentable in integer range', ['integer-overflow', 'invalid-conversion']],
  ['unreachable', ['unreachable']],
];

/** The reasons an engine's trap may have. */
export function reasonsOf(error: unknown): readonly TrapReason[] {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  const { message } = error;
  return MESSAGES.find(([part]) => message.includes(part))?.[1] ?? [];
}

type Callable = (...args: readonly (number | bigint)[]) => number | bigint;
export type Exports = Readonly<Record<string, unknown>>;

/** @returns the bits of the result, or the error that the engine threw */
export function callRun(exports: Exports, program: RandomProgram): bigint | Error {
  try {
    return BigInt.asUintN(64, BigInt((exports['run'] as Callable)(...program.args)));
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

export const globalsOf = (exports: Exports, program: RandomProgram): bigint[] =>
  program.globals.map((name) => BigInt.asUintN(64, BigInt((exports[name] as Callable)())));

/** The engine's trap, by the expected reason where the message allows it. */
export function endOf(result: bigint | Error, expected: bigint | TrapReason): bigint | TrapReason {
  if (typeof result === 'bigint') return result;
  const reasons = reasonsOf(result);
  const first = reasons[0];
  if (first === undefined) throw result;
  return typeof expected === 'string' && reasons.includes(expected) ? expected : first;
}

/** Runs the module as it is. @param expected how it should end, where messages mean two things */
export function runRaw(program: RandomProgram, expected: bigint | TrapReason): Run {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program.bounded));
  const end = endOf(callRun(exports, program), expected);
  const memory = exports['memory'];
  return {
    end,
    memory: memory instanceof WebAssembly.Memory ? new Uint8Array(memory.buffer) : new Uint8Array(),
    globals: globalsOf(exports, program),
  };
}

/** What differs between two runs, in words; undefined where nothing does. */
export function difference(expected: Run, actual: Run): string | undefined {
  if (expected.end !== actual.end) return `end: ${expected.end} expected, ${actual.end} found`;
  // Metering may stop such a run a little later than where its gas ended: all it did is undone.
  if (expected.end === 'out-of-gas') return undefined;
  for (const [i, bits] of expected.globals.entries()) {
    if (bits !== actual.globals[i]) {
      return `global ${i}: ${bits.toString(16)} expected, ${actual.globals[i]?.toString(16)} found`;
    }
  }
  return memoryDifference(expected.memory, actual.memory);
}

/** As {@link difference}, with gas and what is left of the stack. */
export function meteredDifference(expected: MeteredRun, actual: MeteredRun): string | undefined {
  if (expected.gas !== actual.gas) return `gas: ${expected.gas} expected, ${actual.gas} found`;
  if (expected.stackSlotsLeft !== actual.stackSlotsLeft) {
    return `stack: ${expected.stackSlotsLeft} slots expected, ${actual.stackSlotsLeft} found`;
  }
  return difference(expected, actual);
}

function memoryDifference(expected: Uint8Array, actual: Uint8Array): string | undefined {
  if (expected.length !== actual.length) {
    return `memory: ${expected.length} bytes expected, ${actual.length} found`;
  }
  if (Buffer.compare(expected, actual) === 0) return undefined;
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  return `memory at ${at}: ${expected[at]} expected, ${actual[at]} found`;
}

/// <reference path="../../webassembly.d.ts" />
/**
 * One run of a random program by the reference interpreter and by the engine as it is, told in the
 * same terms so that they can be compared. (Rewritten: random-program-rewritten.ts.)
 */
import type { WasmModule } from '../module.ts';
import { type HostFunction, Interpreter, Trap, type TrapReason } from './interpreter.ts';
import type { RandomProgram } from './random-program.ts';
import { type HostCall, RandomHost } from './random-program-hosts.ts';

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
  readonly hostCalls: readonly HostCall[];
}

/** A metered run also tells these. */
export interface MeteredRun extends Run {
  readonly gas: bigint;
  /** Of a run that returned. */
  readonly stackSlotsLeft: number | undefined;
}

export interface InterpretedRun extends MeteredRun {
  readonly nansMade: number;
  /** The start function came back, or there is none. */
  readonly isStarted: boolean;
}

export function interpret(
  module: WasmModule,
  program: RandomProgram,
  limits: Limits,
): InterpretedRun {
  const host = new RandomHost(
    () => machine.fuel,
    (gas) => machine.charge(gas),
  );
  const hosts = module.imports.map(({ name, typeIndex }): HostFunction => {
    const results = module.types[typeIndex]?.results.length ?? 0;
    return (args) => [host.call(name, args)].slice(0, results);
  });
  const machine = new Interpreter(module, { ...limits, hosts });
  const [first, second] = program.args;
  let isStarted = false;
  let end: bigint | TrapReason;
  try {
    if (module.start !== undefined) machine.call(module.start, []);
    isStarted = true;
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
  const { memory } = machine;
  const { calls: hostCalls } = host;
  return { end, gas, memory, globals, hostCalls, nansMade, isStarted, stackSlotsLeft };
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

/**
 * @param start the start function's name, where it is to be called
 * @returns the bits of the result, or the error that the engine threw
 */
export function callRun(exports: Exports, program: RandomProgram, start?: string): bigint | Error {
  try {
    if (start !== undefined) (exports[start] as Callable)();
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

/**
 * Whether the engine, left to itself, does the same: a run that limits ended has no other end, bits
 * of a NaN are the engine's choice, and a start function that traps leaves nothing to look at.
 */
export const isFree = ({ end, nansMade, isStarted }: InterpretedRun): boolean =>
  end !== 'out-of-gas' && end !== 'stack-exhausted' && nansMade === 0 && isStarted;

/** Runs the module as it is. @param expected how it should end, where messages mean two things */
export function runRaw(program: RandomProgram, expected: bigint | TrapReason): Run {
  const host = new RandomHost(
    () => undefined,
    () => {},
  );
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(program.bounded),
    host.imports(),
  );
  const end = endOf(callRun(exports, program), expected);
  const memory = exports['memory'];
  return {
    end,
    memory: memory instanceof WebAssembly.Memory ? new Uint8Array(memory.buffer) : new Uint8Array(),
    globals: globalsOf(exports, program),
    hostCalls: host.calls,
  };
}

/** What differs between two runs, in words; undefined where nothing does. */
export function difference(expected: Run, actual: Run): string | undefined {
  const calls = callsDifference(expected.hostCalls, actual.hostCalls);
  if (calls !== undefined) return calls;
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
  for (const [i, { fuel }] of expected.hostCalls.entries()) {
    const found = actual.hostCalls[i]?.fuel;
    if (found !== fuel) return `host call ${i}: on ${fuel} gas expected, on ${found} found`;
  }
  return difference(expected, actual);
}

function callsDifference(
  expected: readonly HostCall[],
  actual: readonly HostCall[],
): string | undefined {
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    const [one, other] = [expected[i]?.what, actual[i]?.what];
    if (one !== other) return `host call ${i}: ${one} expected, ${other} found`;
  }
  return undefined;
}

function memoryDifference(expected: Uint8Array, actual: Uint8Array): string | undefined {
  if (expected.length !== actual.length) {
    return `memory: ${expected.length} bytes expected, ${actual.length} found`;
  }
  if (Buffer.compare(expected, actual) === 0) return undefined;
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  return `memory at ${at}: ${expected[at]} expected, ${actual[at]} found`;
}

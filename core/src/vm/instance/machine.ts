/// <reference path="../../webassembly.d.ts" />
/**
 * Runs contracts: a fresh instance a call, frames nested to `MAX_CALL_DEPTH` on one stack budget
 * and one bound of memory, and an outcome that every engine agrees on.
 *
 * It trusts that a module went through validation and rewriting. From the engine it takes results
 * and the bare fact of a trap; which trap it was, and what it cost, is read from the module's own
 * fuel, stack and status. Whatever else the engine throws is a fault of this machine.
 */
import { invariant } from '../../bytes/index.ts';
import { STACK_BUDGET_SLOTS } from '../gas.ts';
import { HOST_MODULE } from '../host-signatures.ts';
import { INTERNAL, STATUS } from '../rewrite/index.ts';
import {
  type CallRequest,
  type Counter,
  Frame,
  type Internals,
  type NestedCalls,
  UNWIND,
} from './frame.ts';
import { asHostFault, HostFault } from './host-fault.ts';
import {
  type HostFunctions,
  type ImportedFunction,
  linkHostFunctions,
  type RunningFrame,
} from './host-functions.ts';
import { MemoryPool, type MemoryShape, PAGE_BYTES } from './memory-pool.ts';
import { type Outcome, type TrapCode, trapDetail } from './outcome.ts';
import type { PreparedModule } from './prepared-module.ts';

/** Frames that may be live at once, the outermost among them. */
export const MAX_CALL_DEPTH = 64;

/**
 * Pages that all live frames may hold together, 256 MiB: what any host of the chain can supply, so
 * that memory ends by this rule and never by the engine's. Callers count with what they hold and
 * cannot grow while they wait; a callee counts with the most it may grow to.
 */
export const MAX_LIVE_PAGES = 4_096;

/** Fuel is an i64. */
const MAX_GAS_LIMIT = 2n ** 63n - 1n;
const NO_DATA = new Uint8Array(0);
const NOTHING_THROWN = Symbol('nothing thrown');

/** Where a frame stands on top of those below it. */
interface Place {
  readonly depth: number;
  readonly pagesBelow: number;
  readonly stackSlots: number;
}

const OUTERMOST: Place = { depth: 1, pagesBelow: 0, stackSlots: STACK_BUDGET_SLOTS };

/** A frame whose code is about to run, or has. */
interface OpenCall<Context> {
  readonly start: (() => void) | undefined;
  readonly run: () => void;
  readonly caller: Frame<Context> | undefined;
  readonly frame: Frame<Context>;
  readonly internals: Internals;
  readonly shape: MemoryShape | undefined;
  readonly gasLimit: bigint;
}

export interface MachineOptions<Context> {
  readonly host: HostFunctions<Context>;
  readonly pool?: MemoryPool;
}

export class Machine<Context> implements NestedCalls<Context>, RunningFrame<Context> {
  readonly #host: HostFunctions<Context>;
  readonly #pool: MemoryPool;
  readonly #linked = new WeakMap<PreparedModule, Record<string, ImportedFunction>>();
  #current: Frame<Context> | undefined;
  #fault: HostFault | undefined;

  constructor({ host, pool = new MemoryPool() }: MachineOptions<Context>) {
    this.#host = host;
    this.#pool = pool;
  }

  /** The innermost frame that runs. */
  get current(): Frame<Context> | undefined {
    return this.#current;
  }

  get fault(): HostFault | undefined {
    return this.#fault;
  }

  /**
   * Runs `entry`, one of `module.entries`, in an outermost frame.
   * @throws HostFault for a fault of this machine; it runs nothing more then
   */
  run(module: PreparedModule, entry: string, request: CallRequest<Context>): Outcome {
    return this.nested(undefined, module, entry, request);
  }

  /**
   * For `Frame.call` alone. What stands on the native stack while a contract runs is this function
   * and little else of the machine, 64 times at most: it has few variables and no work of its own.
   */
  nested(
    caller: Frame<Context> | undefined,
    module: PreparedModule,
    entry: string,
    request: CallRequest<Context>,
  ): Outcome {
    const call = this.#open(caller, module, entry, request);
    if (!('run' in call)) return call;
    try {
      call.start?.();
      call.run();
    } catch (error) {
      return this.#close(call, error);
    }
    return this.#close(call, NOTHING_THROWN);
  }

  /** Everything before the contract's code: an outcome where it comes to none. */
  #open(
    caller: Frame<Context> | undefined,
    module: PreparedModule,
    entry: string,
    { gasLimit, context }: CallRequest<Context>,
  ): OpenCall<Context> | Outcome {
    if (this.#fault !== undefined) throw this.#fault;
    invariant(this.#current === caller, 'only the frame that runs can call another');
    invariant(module.entries.has(entry), 'the function called is one of the entries');
    invariant(gasLimit >= 0n && gasLimit <= MAX_GAS_LIMIT, 'a gas limit is within i63');
    const place = caller === undefined ? OUTERMOST : above(caller);
    if (place.depth > MAX_CALL_DEPTH) return trapped('call-depth', 0n);
    const mostPages = module.memory?.maxPages ?? 0;
    if (place.pagesBelow + mostPages > MAX_LIVE_PAGES) return trapped('memory-exhausted', 0n);
    const instantiationGas = BigInt(module.instantiationGas);
    if (instantiationGas > gasLimit) return trapped('out-of-gas', gasLimit);
    if (module.segmentTrap !== undefined) return trapped(module.segmentTrap, instantiationGas);
    try {
      const memory = module.memory === undefined ? undefined : this.#pool.take(module.memory);
      const exports = this.#instantiate(module, memory);
      const internals = internalsOf(exports, memory);
      internals.fuel.value = gasLimit - instantiationGas;
      internals.stack.value = place.stackSlots;
      const frame = new Frame(this, internals, place, context);
      this.#current = frame;
      return {
        start: module.hasStart ? functionOf(exports, INTERNAL.start) : undefined,
        run: functionOf(exports, entry),
        caller,
        frame,
        internals,
        shape: module.memory,
        gasLimit,
      };
    } catch (error) {
      throw this.#stop(error);
    }
  }

  /** What came of it. @param thrown by the contract's code, or `NOTHING_THROWN` */
  #close(call: OpenCall<Context>, thrown: unknown): Outcome {
    this.#current = call.caller;
    try {
      const outcome = outcomeOf(call, thrown);
      const { memory } = call.internals;
      if (memory !== undefined && call.shape !== undefined) this.#pool.give(memory, call.shape);
      return outcome;
    } catch (error) {
      throw this.#stop(error);
    }
  }

  #stop(error: unknown): HostFault {
    this.#fault ??= asHostFault('a call of a contract', error);
    return this.#fault;
  }

  #instantiate(
    module: PreparedModule,
    memory: WebAssembly.Memory | undefined,
  ): Record<string, unknown> {
    let linked = this.#linked.get(module);
    if (linked === undefined) {
      linked = linkHostFunctions(this.#host, module.imports, this);
      this.#linked.set(module, linked);
    }
    const instance = new WebAssembly.Instance(module.compiled, {
      [HOST_MODULE]: linked,
      [INTERNAL.importModule]: memory === undefined ? {} : { [INTERNAL.memory]: memory },
    });
    return instance.exports;
  }
}

/** The place of a frame that `caller` calls. */
function above<Context>(caller: Frame<Context>): Place {
  return {
    depth: caller.depth + 1,
    pagesBelow: caller.pagesBelow + caller.memoryBytes / PAGE_BYTES,
    stackSlots: caller.stackLeft,
  };
}

function trapped(trap: TrapCode, gasUsed: bigint): Outcome {
  return { kind: 'trapped', trap, gasUsed };
}

/** @throws whatever is no result of the contract's */
function outcomeOf<Context>(
  { frame, internals, gasLimit }: OpenCall<Context>,
  thrown: unknown,
): Outcome {
  const isResult =
    thrown === NOTHING_THROWN ||
    (thrown === UNWIND && frame.end !== undefined) ||
    thrown instanceof WebAssembly.RuntimeError;
  if (!isResult) throw thrown;
  if (internals.status.value === STATUS.growFailed) {
    throw new HostFault('a memory could not grow below its bound', thrown);
  }
  // Before all else: fuel may be looked at a little after it ended, and something else come first.
  if (internals.fuel.value < 0n) return trapped('out-of-gas', gasLimit);
  const gasUsed = gasLimit - frame.fuelLeft();
  if (thrown === NOTHING_THROWN) return { kind: 'returned', gasUsed, data: NO_DATA };
  if (thrown === UNWIND && frame.end !== undefined) return { ...frame.end, gasUsed };
  if (internals.status.value === STATUS.stackExhausted) return trapped('stack-exhausted', gasUsed);
  const detail = thrown instanceof Error ? trapDetail(thrown.message) : undefined;
  return { kind: 'trapped', trap: 'trap', gasUsed, ...(detail === undefined ? {} : { detail }) };
}

function internalsOf(
  exports: Record<string, unknown>,
  memory: WebAssembly.Memory | undefined,
): Internals {
  return {
    fuel: counterOf(exports, INTERNAL.fuel),
    stack: counterOf(exports, INTERNAL.stack),
    status: counterOf(exports, INTERNAL.status),
    charge: functionOf(exports, INTERNAL.charge),
    memory,
  };
}

function counterOf<T extends number | bigint>(
  exports: Record<string, unknown>,
  name: string,
): Counter<T> {
  const found = exports[name];
  invariant(found instanceof WebAssembly.Global, 'a rewritten module exports its counters');
  return found as Counter<T>;
}

function functionOf(exports: Record<string, unknown>, name: string): (gas?: number) => void {
  const found = exports[name];
  invariant(typeof found === 'function', 'a rewritten module exports what was asked for');
  return found as (gas?: number) => void;
}

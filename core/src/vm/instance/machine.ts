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
import { INTERNAL, STATUS } from '../rewrite/index.ts';
import { type CallRequest, Frame, type Internals, type NestedCalls, UNWIND } from './frame.ts';
import { asHostFault, HostFault } from './host-fault.ts';
import {
  type HostFunctions,
  type ImportedFunction,
  linkHostFunctions,
  type RunningFrame,
} from './host-functions.ts';
import { MemoryPool, PAGE_BYTES } from './memory-pool.ts';
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

/** Module under which contracts import host functions. */
const HOST_MODULE = 'pyde';
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
    invariant(this.#current === undefined, 'a machine runs one outermost call at a time');
    const place = { depth: 1, pagesBelow: 0, stackSlots: STACK_BUDGET_SLOTS };
    return this.#enter(module, entry, request, place);
  }

  /** For `Frame.call` alone. */
  nested(
    parent: Frame<Context>,
    module: PreparedModule,
    entry: string,
    request: CallRequest<Context>,
  ): Outcome {
    invariant(this.#current === parent, 'only the frame that runs can call another');
    const place = {
      depth: parent.depth + 1,
      pagesBelow: parent.pagesBelow + parent.memoryBytes / PAGE_BYTES,
      stackSlots: parent.stackLeft,
    };
    return this.#enter(module, entry, request, place);
  }

  #enter(
    module: PreparedModule,
    entry: string,
    { gasLimit, context }: CallRequest<Context>,
    place: Place,
  ): Outcome {
    if (this.#fault !== undefined) throw this.#fault;
    invariant(module.entries.has(entry), 'the function called is one of the entries');
    invariant(gasLimit >= 0n && gasLimit <= MAX_GAS_LIMIT, 'a gas limit is within i63');
    if (place.depth > MAX_CALL_DEPTH) return trapped('call-depth', 0n);
    const mostPages = module.memory?.maxPages ?? 0;
    if (place.pagesBelow + mostPages > MAX_LIVE_PAGES) return trapped('memory-exhausted', 0n);
    const instantiationGas = BigInt(module.instantiationGas);
    if (instantiationGas > gasLimit) return trapped('out-of-gas', gasLimit);
    if (module.segmentTrap !== undefined) return trapped(module.segmentTrap, instantiationGas);

    const caller = this.#current;
    try {
      const memory = module.memory === undefined ? undefined : this.#pool.take(module.memory);
      const exports = this.#instantiate(module, memory);
      const internals = internalsOf(exports, memory);
      internals.fuel.value = gasLimit - instantiationGas;
      internals.stack.value = place.stackSlots;
      const frame = new Frame(this, internals, place, context);
      this.#current = frame;
      const thrown = execute(exports, module.hasStart ? [INTERNAL.start, entry] : [entry]);
      const outcome = outcomeOf(frame, internals, gasLimit, thrown);
      if (memory !== undefined && module.memory !== undefined) {
        this.#pool.give(memory, module.memory);
      }
      return outcome;
    } catch (error) {
      this.#fault ??= asHostFault(`a call of ${entry}`, error);
      throw this.#fault;
    } finally {
      this.#current = caller;
    }
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

function trapped(trap: TrapCode, gasUsed: bigint): Outcome {
  return { kind: 'trapped', trap, gasUsed };
}

/** Calls exports in turn. @returns what one of them threw, or `NOTHING_THROWN` */
function execute(exports: Record<string, unknown>, names: readonly string[]): unknown {
  const functions = names.map((name) => functionOf(exports, name));
  try {
    for (const run of functions) run();
    return NOTHING_THROWN;
  } catch (error) {
    return error;
  }
}

/** @throws whatever is no result of the contract's */
function outcomeOf<Context>(
  frame: Frame<Context>,
  internals: Internals,
  gasLimit: bigint,
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
  const fuel = exports[INTERNAL.fuel];
  const stack = exports[INTERNAL.stack];
  const status = exports[INTERNAL.status];
  invariant(
    fuel instanceof WebAssembly.Global &&
      stack instanceof WebAssembly.Global &&
      status instanceof WebAssembly.Global,
    'a rewritten module exports its counters',
  );
  return { fuel, stack, status, charge: functionOf(exports, INTERNAL.charge), memory };
}

function functionOf(exports: Record<string, unknown>, name: string): (gas?: number) => void {
  const found = exports[name];
  invariant(typeof found === 'function', 'a rewritten module exports what was asked for');
  return found as (gas?: number) => void;
}

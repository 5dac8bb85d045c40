/**
 * What contracts may import, as the layer above supplies it. A host function talks to the running
 * frame and to nothing else of the machine; it may leave the contract's code only through the
 * frame (`return`, `revert`, `trap`, or gas that ends).
 */

import { type Frame, UNWIND } from './frame.ts';
import { asHostFault, HostFault } from './host-fault.ts';

/**
 * Parameters come as the engine gives them: i32 as a signed number, i64 as a signed bigint. One
 * function serves imports with and without a result: a missing one is 0 to the contract. Written as
 * a method so that functions may name the number or bigint that their signature makes certain.
 */
export type HostFunction<Context> = {
  call(frame: Frame<Context>, ...args: (number | bigint)[]): number | bigint | undefined;
}['call'];

export type HostFunctions<Context> = Readonly<Record<string, HostFunction<Context>>>;

/** As the engine calls it. */
export type ImportedFunction = (...args: (number | bigint)[]) => number | bigint | undefined;

/** The machine, as a linked function needs it: a host call is always the innermost frame's. */
export interface RunningFrame<Context> {
  readonly current: Frame<Context> | undefined;
  /** Set when a host fault has happened: nothing runs after it. */
  readonly fault: HostFault | undefined;
}

/**
 * The functions of `names` for the engine. They do not know an instance, so that one set serves
 * every instance of a module.
 * @throws HostFault where one is missing, which validation has let through
 */
export function linkHostFunctions<Context>(
  host: HostFunctions<Context>,
  names: readonly string[],
  machine: RunningFrame<Context>,
): Record<string, ImportedFunction> {
  const linked: Record<string, ImportedFunction> = {};
  for (const name of names) {
    const hostFunction = Object.hasOwn(host, name) ? host[name] : undefined;
    if (hostFunction === undefined) throw new HostFault(`no host function is named ${name}`);
    linked[name] = link(name, hostFunction, machine);
  }
  return linked;
}

function link<Context>(
  name: string,
  hostFunction: HostFunction<Context>,
  machine: RunningFrame<Context>,
): ImportedFunction {
  return (...args) => {
    const frame = machine.current;
    if (frame === undefined) throw new HostFault(`${name} was called outside a frame`);
    let result: ReturnType<ImportedFunction>;
    try {
      result = hostFunction(frame, ...args);
    } catch (error) {
      // A trap of some other WebAssembly inside the host function must not look like the contract's.
      if (error === UNWIND && frame.end !== undefined) throw error;
      throw asHostFault(`host function ${name}`, error);
    }
    // What a host function has caught of these it cannot undo.
    if (machine.fault !== undefined) throw machine.fault;
    if (frame.end !== undefined) throw UNWIND;
    return result;
  };
}

/**
 * How a rewritten module and whoever instantiates it meet: names of its import and of the exports
 * that metering adds. A contract cannot have such names, validation refuses them.
 */

export const INTERNAL = {
  /** Module and name under which the memory is imported, where there is one. */
  importModule: '\0pyde',
  memory: 'memory',
  /** Mutable i64 global: gas left. Whatever a call ended with, below 0 it ran out of gas. */
  fuel: '\0fuel',
  /** Mutable i32 global: slots of the stack's budget left. */
  stack: '\0stack',
  /** Mutable i32 global, one of `STATUS`. */
  status: '\0status',
  /** Function (i32 amount, unsigned) → (): takes gas, traps when there is less. */
  charge: '\0charge',
  /** The start function, where the module has one. */
  start: '\0start',
} as const;

/**
 * Why a run trapped, as far as the module itself knows. Fuel below 0 goes before it: fuel is taken
 * exactly where a block is entered, but looked at a little later (fuel.ts), so that another trap
 * may come first.
 */
export const STATUS = { ok: 0, outOfGas: 1, stackExhausted: 2, growFailed: 3 } as const;

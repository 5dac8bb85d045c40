/**
 * What a run of a contract costs besides its operators, and how deep it may go. Everything here is
 * a rule of the chain; docs/protocol/contracts-wasm.md states it. Which operators cost 1 and which
 * 0 stands in operators.ts.
 */

/** Gas that `memory.grow` takes for each page it adds, besides the operator's own. */
export const GROW_GAS_PER_PAGE = 1_000;

/** Bytes of memory.copy, memory.fill and memory.init a unit of gas pays for; part units count. */
export const BULK_BYTES_PER_GAS = 16;

/** Taken before a module is instantiated. */
export const INSTANTIATION_GAS = {
  /** Pages of the initial memory that cost nothing. */
  freePages: 32,
  /** For each page above those. */
  perPage: 1_000,
  /** Bytes of active data segments, taken together, that a unit of gas pays for. */
  dataBytesPerUnit: 16,
  /** For each function in an active element segment. */
  perElement: 1,
} as const;

/**
 * Taken before a module is instantiated for what it has very many of: an engine makes an object of
 * each export, and writes each global and table entry, in every instance, and goes through its types
 * and functions. What contracts usually have is free; 10,000 exports would else take milliseconds a
 * call for nothing. Segments are those
 * of elements and active data, whatever is in them.
 */
export const INSTANTIATION_PARTS_GAS = {
  exports: { free: 64, each: 200 },
  globals: { free: 256, each: 60 },
  tableEntries: { free: 1_024, each: 8 },
  segments: { free: 64, each: 20 },
  types: { free: 256, each: 40 },
  functions: { free: 2_048, each: 30 },
} as const;

/**
 * Taken with a function's first basic block, for what it declares besides parameters: every entry
 * sets each of them to zero. Without it a loop of calls into a function of 16,000 locals ran a
 * hundred times slower for the same gas.
 */
export const LOCALS_GAS = { free: 64, localsPerUnit: 4 } as const;

/** Gas of a function's entry. @param declared locals, parameters not among them */
export const entryGas = (declared: number): number =>
  Math.ceil(Math.max(0, declared - LOCALS_GAS.free) / LOCALS_GAS.localsPerUnit);

/**
 * Slots of 8 bytes that a frame takes from the stack's budget besides params, locals and its
 * greatest operand height: what engines put into a frame on their own account.
 */
export const FRAME_SLOTS = 8;

/**
 * Bytes of a function's code for each of which, as far as begun, its frame takes a slot more.
 * Optimising compilers keep values in the frame that are neither local nor operand: what is
 * computed before a call and again after it, they compute once and hold. Only the size of the code
 * bounds how many there are.
 */
export const CODE_BYTES_PER_SLOT = 16;

/**
 * The stack's budget, shared by nested frames. The worst measured is 12.2 bytes of native stack a
 * slot (many results, Liftoff): 200 KB in all, where a main thread has 984 KB. The table is in
 * docs/protocol/contracts-wasm.md.
 */
export const STACK_BUDGET_SLOTS = 16_384;

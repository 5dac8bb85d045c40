/**
 * The sizes a module may have. They are rules of the chain: every node refuses the same modules.
 * Each lies at or below what the engines accept (V8, SpiderMonkey and JavaScriptCore share most of
 * their limits), with room for what metering adds, so that no engine ever refuses a module for its
 * size after it was accepted here.
 */

export const LIMITS = {
  moduleBytes: 1024 * 1024,
  types: 10_000,
  /**
   * Engines accept 1,000 of each, but then a call or a block of two bytes moves a thousand operands,
   * and a body of 64 KiB takes minutes to compile. Within these bounds it takes no longer than one
   * of single results.
   */
  params: 128,
  results: 16,
  imports: 1_000,
  /** Defined in the module. */
  functions: 10_000,
  /** Of one function: declarations of locals, operators and the final `end`. */
  bodyBytes: 64 * 1024,
  /** Of one function, parameters included. Engines accept 50,000, metering adds a few. */
  locals: 49_000,
  /** Operands of one function at once; a frame with more could never be entered. */
  operandHeight: 16_384,
  /**
   * Of a module: locals of all functions, and locals and operands at every place where control
   * splits or joins or a NaN is made canonical, a sixteenth of them where code calls out, and 16
   * times what calls pass and hand back. Engines compile in that time and memory, not in the
   * module's size: without this bound 64 KiB take minutes and 9 GB.
   */
  compileWork: 8_000_000,
  /** Blocks open at once, the function's own included. */
  blockDepth: 4_096,
  /** Labels of one `br_table`, its default included. */
  tableLabels: 65_520,
  tableEntries: 4_096,
  /** Of 64 KiB: a larger minimum is refused, a larger maximum is brought down to this. */
  memoryPages: 1_024,
  globals: 10_000,
  exports: 10_000,
  elementSegments: 10_000,
  /** Of one segment; more than a table holds could never be written. */
  elementFunctions: 4_096,
  dataSegments: 10_000,
  customSections: 1_000,
  /** Bytes of UTF-8 in a name of an import, export or custom section. */
  nameBytes: 1_024,
  /** Functions that `pyde.abi` declares, bytes of the name of one, and its access list. */
  abiFunctions: 1_000,
  abiNameBytes: 256,
  abiAccessEntries: 1_000,
} as const;

/** What the format itself allows where the chain only clamps: pages of 64 KiB in 4 GiB. */
export const MEMORY_PAGES_OF_FORMAT = 65_536;

/// <reference path="../../webassembly.d.ts" />
/**
 * A contract's module, ready to be instantiated: decoded, validated, rewritten and compiled, with
 * what instantiation costs and whether its active segments fit, worked out once.
 */
import { ABI_SECTION, type ContractAbi, checkAbi } from '../abi/index.ts';
import { decodeModule } from '../decode/index.ts';
import { INSTANTIATION_GAS, INSTANTIATION_PARTS_GAS } from '../gas.ts';
import type { WasmModule } from '../module.ts';
import { rewriteModule } from '../rewrite/index.ts';
import { type ContractType, validateModule } from '../validate/index.ts';
import { asHostFault } from './host-fault.ts';
import { type MemoryShape, PAGE_BYTES } from './memory-pool.ts';

export interface PreparedModule {
  readonly compiled: WebAssembly.Module;
  /** Names of host functions, each once. */
  readonly imports: readonly string[];
  /** Undefined for a module without a memory. */
  readonly memory: MemoryShape | undefined;
  readonly hasStart: boolean;
  /** Exported functions without parameters and results: what can be called. */
  readonly entries: ReadonlySet<string>;
  /** Undefined for a module without a section `pyde.abi`. */
  readonly abi: ContractAbi | undefined;
  /** Taken before instantiation. */
  readonly instantiationGas: number;
  /** Set where an active segment lies outside: every instantiation traps with this. */
  readonly segmentTrap: 'memory-out-of-bounds' | 'table-out-of-bounds' | undefined;
  /** What it may take of memory while it is held. */
  readonly estimatedBytes: number;
}

/**
 * What the engine may hold for a byte of the rewritten module. V8 holds 5 to 17 for code of all
 * sorts, but 48 for one division after another: the estimate is above what an author can bring
 * about, so that a cache's bound is one.
 */
const COMPILED_PER_BYTE = 64;
/** Of any module, however small. */
const MODULE_OVERHEAD_BYTES = 64 * 1024;

/**
 * @throws WasmError for a module that this chain does not accept
 * @throws HostFault where the engine refuses what was accepted here
 */
export function prepareModule(code: Uint8Array, type: ContractType): PreparedModule {
  const module = decodeModule(code);
  const valid = validateModule(module, type);
  const hasAbi = module.customs.some(({ name }) => name === ABI_SECTION);
  const abi = hasAbi ? checkAbi(module, type) : undefined;
  const rewritten = rewriteModule(valid);
  return {
    compiled: compileBytes(rewritten.bytes),
    imports: [...new Set(module.imports.map((one) => one.name))],
    memory: rewritten.memory,
    hasStart: rewritten.hasStart,
    entries: entriesOf(module),
    abi,
    instantiationGas: instantiationGas(module),
    segmentTrap: segmentTrap(module),
    estimatedBytes: MODULE_OVERHEAD_BYTES + COMPILED_PER_BYTE * rewritten.bytes.length,
  };
}

function compileBytes(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw asHostFault('the engine refuses a module that was validated', error);
  }
}

function entriesOf(module: WasmModule): ReadonlySet<string> {
  const entries = new Set<string>();
  const imported = module.imports.length;
  for (const { kind, index, name } of module.exports) {
    if (kind !== 'function') continue;
    const typeIndex = module.functions[index - imported]?.typeIndex;
    const type = typeIndex === undefined ? undefined : module.types[typeIndex];
    if (type?.params.length === 0 && type.results.length === 0) entries.add(name);
  }
  return entries;
}

/** Pages above those that are free, what the active segments write, and parts in great number. */
function instantiationGas(module: WasmModule): number {
  const pages = Math.max(0, (module.memory?.min ?? 0) - INSTANTIATION_GAS.freePages);
  let gas = pages * INSTANTIATION_GAS.perPage;
  const activeData = module.data.filter(({ offset }) => offset !== undefined);
  const bytes = activeData.reduce((sum, { bytes: { start, end } }) => sum + end - start, 0);
  gas += Math.ceil(bytes / INSTANTIATION_GAS.dataBytesPerUnit);
  for (const { functions } of module.elements)
    gas += functions.length * INSTANTIATION_GAS.perElement;
  const parts = {
    exports: module.exports.length,
    globals: module.globals.length,
    tableEntries: module.table?.min ?? 0,
    segments: module.elements.length + activeData.length,
    types: module.types.length,
    functions: module.functions.length,
  };
  return gas + partsGas(parts);
}

function partsGas(parts: Record<keyof typeof INSTANTIATION_PARTS_GAS, number>): number {
  const { exports, globals, tableEntries, segments, types, functions } = INSTANTIATION_PARTS_GAS;
  const above = (count: number, { free, each }: { free: number; each: number }): number =>
    Math.max(0, count - free) * each;
  return (
    above(parts.exports, exports) +
    above(parts.globals, globals) +
    above(parts.tableEntries, tableEntries) +
    above(parts.segments, segments) +
    above(parts.types, types) +
    above(parts.functions, functions)
  );
}

/** In the order in which engines write: elements first, then data. */
function segmentTrap(module: WasmModule): PreparedModule['segmentTrap'] {
  const entries = module.table?.min ?? 0;
  for (const { offset, functions } of module.elements) {
    if (Number(offset.value) + functions.length > entries) return 'table-out-of-bounds';
  }
  const bytes = (module.memory?.min ?? 0) * PAGE_BYTES;
  for (const { offset, bytes: range } of module.data) {
    if (offset === undefined) continue;
    if (Number(offset.value) + range.end - range.start > bytes) return 'memory-out-of-bounds';
  }
  return undefined;
}

/**
 * Makes a validated module deterministic and metered (docs/protocol/contracts-wasm.md, "Metering").
 * What comes out runs on any engine with the same results, memory and gas:
 *
 *     types, functions, globals   the module's own keep their numbers, those of metering follow
 *     memory                      imported, its growth bounded (memory.ts)
 *     start                       exported, to be called under metering
 *     bodies                      gas, stack and NaNs (body.ts)
 *     custom sections             left out
 *
 * Nothing of it depends on anything but the module: equal modules become equal bytes. No limit of
 * an engine is met that the module has not met before; `LIMITS` leave room for what is added.
 */
import { invariant } from '../../bytes/index.ts';
import {
  type ConstantExpression,
  type FuncType,
  VALUE_TYPE,
  type ValueType,
  type WasmModule,
} from '../module.ts';
import type { ValidModule } from '../validate/index.ts';
import { type BodyContext, BodyWriter } from './body.ts';
import { ByteSink, SECTION, writeVector } from './byte-sink.ts';
import { exportedFunctions, exportsOf, writeExport } from './exports.ts';
import { type MemoryBounds, memoryBounds, writeMemoryImport } from './memory.ts';
import { BULK_TYPE, bulkBody, CHARGE_TYPE, chargeBody, GROW_TYPE, growBody } from './wrappers.ts';

export interface RewrittenModule {
  /** In the binary format. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The memory to import, where there is one. */
  readonly memory: MemoryBounds | undefined;
  /** Whether `INTERNAL.start` is to be called before anything else. */
  readonly hasStart: boolean;
}

export function rewriteModule(valid: ValidModule): RewrittenModule {
  const { module } = valid;
  const memory = module.memory === undefined ? undefined : memoryBounds(module.memory);
  const out = new ByteSink(2 * module.bytes.length);
  out.bytes(PREAMBLE);

  const types = new TypeList(module.types);
  const added = addedFunctions(module, memory, types);
  const code = writeCode(valid, added, types);

  writeTypes(out, types.all);
  writeImports(out, module, memory);
  const functionTypes = [...module.functions, ...added.functions].map((one) => one.typeIndex);
  writeVector(out, SECTION.function, functionTypes.length, (content) => {
    for (const typeIndex of functionTypes) content.u32(typeIndex);
  });
  writeTable(out, module);
  writeGlobals(out, module);
  const exports = exportsOf(module, { ...added.globals, charge: added.charge });
  writeVector(out, SECTION.export, exports.length, (content) => {
    for (const entry of exports) writeExport(content, entry);
  });
  writeElements(out, module);
  if (module.dataCount !== undefined) {
    const content = new ByteSink();
    content.u32(module.dataCount);
    out.u8(SECTION.dataCount);
    out.sized(content.view());
  }
  out.u8(SECTION.code);
  out.sized(code.view());
  writeData(out, module);
  return { bytes: out.view().slice(), memory, hasStart: module.start !== undefined };
}

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** The module's types, and what metering needs besides. */
class TypeList {
  readonly #all: FuncType[];
  /** By signature, where one was asked for. */
  readonly #indices = new Map<string, number>();

  constructor(types: readonly FuncType[]) {
    this.#all = [...types];
  }

  get all(): readonly FuncType[] {
    return this.#all;
  }

  indexOf(type: FuncType): number {
    const key = `${type.params.join()}:${type.results.join()}`;
    let index = this.#indices.get(key);
    if (index === undefined) {
      index = this.#all.push(type) - 1;
      this.#indices.set(key, index);
    }
    return index;
  }
}

interface Added {
  readonly globals: { readonly fuel: number; readonly stack: number; readonly status: number };
  readonly functions: readonly { readonly typeIndex: number; readonly body: Uint8Array }[];
  readonly charge: number;
  readonly grow: number;
  readonly bulk: number;
}

/** What follows the module's own globals and functions. */
function addedFunctions(
  module: WasmModule,
  memory: MemoryBounds | undefined,
  types: TypeList,
): Added {
  const firstGlobal = module.globals.length;
  const globals = { fuel: firstGlobal, stack: firstGlobal + 1, status: firstGlobal + 2 };
  const first = module.imports.length + module.functions.length;
  const functions = [{ typeIndex: types.indexOf(CHARGE_TYPE), body: chargeBody(globals) }];
  if (memory !== undefined) {
    const grow = growBody(globals, memory.maxPages);
    functions.push({ typeIndex: types.indexOf(GROW_TYPE), body: grow });
    functions.push({ typeIndex: types.indexOf(BULK_TYPE), body: bulkBody(globals) });
  }
  return { globals, functions, charge: first, grow: first + 1, bulk: first + 2 };
}

/** The content of the code section. */
function writeCode(
  { module, maxOperandHeight }: ValidModule,
  added: Added,
  types: TypeList,
): ByteSink {
  const content = new ByteSink(2 * module.bytes.length);
  const body = new ByteSink(16 * 1024);
  const context: BodyContext = {
    bytes: module.bytes,
    longestCode: module.functions.reduce(
      (longest, { code }) => Math.max(longest, code.end - code.start),
      0,
    ),
    importCount: module.imports.length,
    hasHostInTable: module.elements.some(({ functions }) =>
      functions.some((index) => index < module.imports.length),
    ),
    globals: added.globals,
    growFunction: added.grow,
    bulkFunction: added.bulk,
    typeOfResults: ({ results }) => types.indexOf({ params: [], results }),
  };
  const writer = new BodyWriter(context, body);
  const exported = exportedFunctions(module);
  content.u32(module.functions.length + added.functions.length);
  for (const [i, one] of module.functions.entries()) {
    const type = module.types[one.typeIndex];
    const height = maxOperandHeight[i];
    invariant(type !== undefined && height !== undefined, 'validation knows every function');
    body.clear();
    writer.write({
      type,
      body: one,
      maxOperandHeight: height,
      isExported: exported.has(module.imports.length + i),
    });
    content.sized(body.view());
  }
  for (const one of added.functions) content.sized(one.body);
  return content;
}

const FUNCTION_TYPE = 0x60;

function writeTypes(out: ByteSink, types: readonly FuncType[]): void {
  writeVector(out, SECTION.type, types.length, (content) => {
    for (const { params, results } of types) {
      content.u8(FUNCTION_TYPE);
      content.u32(params.length);
      content.bytes(params);
      content.u32(results.length);
      content.bytes(results);
    }
  });
}

const FUNCTION_KIND = 0x00;

function writeImports(
  out: ByteSink,
  { imports }: WasmModule,
  memory: MemoryBounds | undefined,
): void {
  writeVector(out, SECTION.import, imports.length + (memory === undefined ? 0 : 1), (content) => {
    for (const one of imports) {
      content.name(one.module);
      content.name(one.name);
      content.u8(FUNCTION_KIND);
      content.u32(one.typeIndex);
    }
    if (memory !== undefined) writeMemoryImport(content, memory);
  });
}

const FUNCREF = 0x70;

/** Of its least size: nothing can make it larger. */
function writeTable(out: ByteSink, { table }: WasmModule): void {
  writeVector(out, SECTION.table, table === undefined ? 0 : 1, (content) => {
    content.bytes([FUNCREF, 0x01]);
    content.u32(table?.min ?? 0);
    content.u32(table?.min ?? 0);
  });
}

const END = 0x0b;
const MUTABLE = 0x01;

function writeGlobals(out: ByteSink, { bytes, globals }: WasmModule): void {
  const added: readonly ValueType[] = [VALUE_TYPE.i64, VALUE_TYPE.i32, VALUE_TYPE.i32];
  writeVector(out, SECTION.global, globals.length + added.length, (content) => {
    for (const { type, isMutable, init } of globals) {
      content.u8(type);
      content.u8(isMutable ? 1 : 0);
      writeConstant(content, bytes, init);
    }
    for (const type of added) {
      const zero = type === VALUE_TYPE.i64 ? 0x42 : 0x41;
      content.bytes([type, MUTABLE, zero, 0x00, END]);
    }
  });
}

function writeConstant(out: ByteSink, bytes: Uint8Array, { range }: ConstantExpression): void {
  out.copy(bytes, range.start, range.end);
  out.u8(END);
}

const ACTIVE = 0x00;
const PASSIVE = 0x01;

function writeElements(out: ByteSink, { bytes, elements }: WasmModule): void {
  writeVector(out, SECTION.element, elements.length, (content) => {
    for (const { offset, functions } of elements) {
      content.u8(ACTIVE);
      writeConstant(content, bytes, offset);
      content.u32(functions.length);
      for (const index of functions) content.u32(index);
    }
  });
}

function writeData(out: ByteSink, { bytes, data }: WasmModule): void {
  writeVector(out, SECTION.data, data.length, (content) => {
    for (const { offset, bytes: range } of data) {
      content.u8(offset === undefined ? PASSIVE : ACTIVE);
      if (offset !== undefined) writeConstant(content, bytes, offset);
      content.u32(range.end - range.start);
      content.copy(bytes, range.start, range.end);
    }
  });
}

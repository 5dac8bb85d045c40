/**
 * What stands outside function bodies: core specification §3.4. Indices of types, exports, the
 * start function and segments, and the types of constant expressions.
 */
import { indexError, wasmError } from '../error.ts';
import {
  type ConstantExpression,
  describeFuncType,
  type Export,
  type ExportKind,
  typeIndexOf,
  valueTypeName,
  type WasmModule,
} from '../module.ts';

/** Metering adds exports of its own under names that begin with this. */
const RESERVED_PREFIX = '\0';

export function validateDefinitions(module: WasmModule): void {
  for (const entry of module.imports) {
    if (entry.typeIndex >= module.types.length) {
      throw indexError('type', entry.typeIndex, module.types.length, entry.offset);
    }
  }
  for (const global of module.globals) {
    expectConstant(global.init, valueTypeName(global.type), 'a global');
  }
  for (const entry of module.exports) validateExport(module, entry);
  validateStart(module);
  validateElements(module);
  validateData(module);
}

function validateExport(module: WasmModule, entry: Export): void {
  const { name, kind, index, offset } = entry;
  if (name.startsWith(RESERVED_PREFIX)) {
    throw wasmError('wasm.export', offset, 'an export has a name that begins with a zero byte', {
      name,
    });
  }
  const count = countOf(module, kind);
  if (index >= count) throw indexError(`exported ${kind}`, index, count, offset);
}

function countOf(module: WasmModule, kind: ExportKind): number {
  switch (kind) {
    case 'function':
      return module.imports.length + module.functions.length;
    case 'table':
      return module.table === undefined ? 0 : 1;
    case 'memory':
      return module.memory === undefined ? 0 : 1;
    case 'global':
      return module.globals.length;
  }
}

function validateStart(module: WasmModule): void {
  if (module.start === undefined) return;
  const typeIndex = typeIndexOf(module, module.start);
  const type = typeIndex === undefined ? undefined : module.types[typeIndex];
  if (type === undefined) {
    throw indexError(
      'start function',
      module.start,
      countOf(module, 'function'),
      module.startOffset,
    );
  }
  if (type.params.length > 0 || type.results.length > 0) {
    throw wasmError(
      'wasm.start',
      module.startOffset,
      `the start function is ${describeFuncType(type)}`,
      {
        index: module.start,
      },
    );
  }
}

function validateElements(module: WasmModule): void {
  const functions = countOf(module, 'function');
  for (const { offset, functions: indices } of module.elements) {
    const at = offset.range.start;
    if (module.table === undefined) {
      throw wasmError('wasm.index', at, 'an element segment in a module that has no table');
    }
    expectConstant(offset, 'i32', 'an element segment');
    for (const index of indices) {
      if (index >= functions) throw indexError('function', index, functions, at);
    }
  }
}

function validateData(module: WasmModule): void {
  for (const { offset } of module.data) {
    if (offset === undefined) continue;
    if (module.memory === undefined) {
      throw wasmError('wasm.index', offset.range.start, 'a data segment and no memory to fill');
    }
    expectConstant(offset, 'i32', 'a data segment');
  }
}

function expectConstant(constant: ConstantExpression, type: string, what: string): void {
  if (constant.kind === type) return;
  throw wasmError(
    'wasm.type',
    constant.range.start,
    `${what} of type ${type} has a constant of type ${constant.kind}`,
    { expected: type, actual: constant.kind },
  );
}

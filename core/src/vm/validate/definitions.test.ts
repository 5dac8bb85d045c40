import { describe, expect, it } from 'vitest';
import { isPydeError } from '../../bytes/index.ts';
import { decodeModule } from '../decode/index.ts';
import {
  dataAt,
  elementsAt,
  exportOf,
  f32,
  funcType,
  globalOf,
  i32,
  i64,
  importOf,
  leb,
  limits,
  type ModuleParts,
  moduleOf,
  passiveData,
  T,
} from '../testing/module-builder.ts';
import { validateModule } from './validate-module.ts';

function codeOf(parts: ModuleParts): string {
  try {
    validateModule(decodeModule(moduleOf(parts)), 'contract');
  } catch (error) {
    return isPydeError(error) ? error.code : String(error);
  }
  return 'valid';
}

/** One import and one function of its own. */
const FUNCTIONS: ModuleParts = {
  types: [funcType(), funcType([T.i32], [T.i32])],
  imports: [importOf('pyde', 'caller', leb(1))],
  functions: [{ type: 0 }],
};

describe('validateModule, outside function bodies', () => {
  it.each([
    ['function', 1, {}],
    ['table', 0, { table: limits(1) }],
    ['memory', 0, { memory: limits(1) }],
    ['global', 0, { globals: [globalOf(T.i32, false, i32(1))] }],
  ] as const)('accepts an export of the last %s and not of the next', (kind, last, parts) => {
    const exporting = (index: number): ModuleParts => ({
      ...FUNCTIONS,
      ...parts,
      exports: [exportOf('x', kind, index)],
    });
    expect(codeOf(exporting(last))).toBe('valid');
    expect(codeOf(exporting(last + 1))).toBe('wasm.index');
  });

  it('accepts an export of an import', () => {
    expect(codeOf({ ...FUNCTIONS, exports: [exportOf('x', 'function', 0)] })).toBe('valid');
  });

  it('keeps export names that begin with a zero byte for metering', () => {
    expect(codeOf({ ...FUNCTIONS, exports: [exportOf('\0fuel', 'function', 1)] })).toBe(
      'wasm.export',
    );
    expect(codeOf({ ...FUNCTIONS, exports: [exportOf('fuel\0', 'function', 1)] })).toBe('valid');
  });

  it('accepts a start function that takes and gives nothing', () => {
    expect(codeOf({ ...FUNCTIONS, start: 1 })).toBe('valid');
    expect(codeOf({ ...FUNCTIONS, start: 0 })).toBe('wasm.start');
    expect(codeOf({ ...FUNCTIONS, start: 2 })).toBe('wasm.index');
  });

  it('refuses a type index beyond the last type', () => {
    expect(codeOf({ types: [], functions: [{ type: 0 }] })).toBe('wasm.index');
    expect(codeOf({ imports: [importOf('pyde', 'caller', leb(0))] })).toBe('wasm.index');
  });

  it.each([
    ['i32', T.i32, i32(1)],
    ['i64', T.i64, i64(1)],
    ['f32', T.f32, f32(1)],
  ] as const)('holds the constant of a global against its type, %s', (_, type, init) => {
    for (const [other, constant] of [
      [T.i32, i32(1)],
      [T.i64, i64(1)],
      [T.f32, f32(1)],
    ] as const) {
      const expected = type === other ? 'valid' : 'wasm.type';
      expect(codeOf({ globals: [globalOf(other, true, init)] })).toBe(expected);
      expect(codeOf({ globals: [globalOf(type, true, constant)] })).toBe(expected);
    }
  });

  it('accepts element segments of functions that exist, in a table that exists', () => {
    const parts = { ...FUNCTIONS, table: limits(1) };
    expect(codeOf({ ...parts, elements: [elementsAt(i32(0), [0, 1])] })).toBe('valid');
    expect(codeOf({ ...parts, elements: [elementsAt(i32(0), [2])] })).toBe('wasm.index');
    expect(codeOf({ ...parts, elements: [elementsAt(i64(0), [])] })).toBe('wasm.type');
    expect(codeOf({ ...FUNCTIONS, elements: [elementsAt(i32(0), [])] })).toBe('wasm.index');
  });

  it('accepts active data where there is a memory, and passive data anywhere', () => {
    expect(codeOf({ memory: limits(0), data: [dataAt(i32(-1), [1])] })).toBe('valid');
    expect(codeOf({ memory: limits(0), data: [dataAt(i64(0), [1])] })).toBe('wasm.type');
    expect(codeOf({ data: [dataAt(i32(0), [])] })).toBe('wasm.index');
    expect(codeOf({ data: [passiveData([1])] })).toBe('valid');
  });
});

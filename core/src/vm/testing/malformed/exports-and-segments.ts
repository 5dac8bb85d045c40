/** Exports, the start function, and segments of elements and data. */
import {
  dataAt,
  elementsAt,
  exportOf,
  flat,
  funcType,
  globalOf,
  i32,
  i64,
  importOf,
  leb,
  limits,
  type ModuleParts,
  moduleOf,
  name,
  OP,
  type Part,
  passiveData,
  rawModule,
  SECTION,
  section,
  sized,
  T,
} from '../module-builder.ts';
import { type Malformed, malformed, times } from './malformed.ts';

/** Function 0 of type `() → ()`, and more. */
const withFunction = (parts: ModuleParts): Uint8Array =>
  moduleOf({ types: [funcType()], functions: [{}], ...parts });
const exported = (...exports: readonly Part[]): Uint8Array => withFunction({ exports });

export const exports: readonly Malformed[] = [
  malformed('an export of a function that does not exist', 'wasm.index', () =>
    exported(exportOf('f', 'function', 1)),
  ),
  malformed('an export of function 2³² − 1', 'wasm.index', () =>
    exported(exportOf('f', 'function', 0xffff_ffff)),
  ),
  malformed('an export of a table that does not exist', 'wasm.index', () =>
    exported(exportOf('t', 'table')),
  ),
  malformed('an export of a memory that does not exist', 'wasm.index', () =>
    exported(exportOf('m', 'memory')),
  ),
  malformed('an export of a second memory', 'wasm.index', () =>
    withFunction({ memory: limits(1), exports: [exportOf('m', 'memory', 1)] }),
  ),
  malformed('an export of a global that does not exist', 'wasm.index', () =>
    exported(exportOf('g', 'global')),
  ),
  malformed('an exported tag', 'wasm.feature', () => exported(exportOf('e', 'tag'))),
  malformed('an export of kind 5', 'wasm.form', () => exported([name('f'), 5, 0])),
  malformed('an export of kind 128', 'wasm.form', () => exported([name('f'), 0x80, 0])),
  malformed('two exports of one name', 'wasm.export', () =>
    exported(exportOf('f', 'function'), exportOf('f', 'function')),
  ),
  malformed('two exports of one name and different kinds', 'wasm.export', () =>
    withFunction({
      memory: limits(1),
      exports: [exportOf('f', 'function'), exportOf('f', 'memory')],
    }),
  ),
  malformed('two exports of no name', 'wasm.export', () =>
    exported(exportOf('', 'function'), exportOf('', 'function')),
  ),
  malformed('an export named for the fuel', 'wasm.export', () =>
    exported(exportOf('\0fuel', 'function')),
  ),
  malformed('an export named by a zero', 'wasm.export', () => exported(exportOf('\0', 'function'))),
  malformed('an export that is no UTF-8', 'wasm.utf8', () => exported([2, 0xc3, 0x28, 0, 0])),
  malformed('an export of an overlong zero', 'wasm.utf8', () => exported([2, 0xc0, 0x80, 0, 0])),
  malformed('an export name of 1,025 bytes', 'wasm.limit', () =>
    exported(exportOf('x'.repeat(1_025), 'function')),
  ),
  malformed('an export that ends behind its name', 'wasm.truncated', () => exported(name('f'))),
  malformed('an export without an index', 'wasm.truncated', () => exported([name('f'), 0])),
  malformed('2³² − 1 exports', 'wasm.limit', () =>
    rawModule(section(SECTION.export, leb(0xffff_ffff))),
  ),
  malformed('10,001 exports', 'wasm.limit', () =>
    exported(...Array.from({ length: 10_001 }, (_, i) => exportOf(`f${i}`, 'function'))),
  ),
];

export const start: readonly Malformed[] = [
  malformed('a start function that does not exist', 'wasm.index', () => withFunction({ start: 1 })),
  malformed('start function 2³² − 1', 'wasm.index', () => withFunction({ start: 0xffff_ffff })),
  malformed('a start function with a parameter', 'wasm.start', () =>
    moduleOf({ types: [funcType([T.i32])], functions: [{}], start: 0 }),
  ),
  malformed('a start function with a result', 'wasm.start', () =>
    moduleOf({ types: [funcType([], [T.i32])], functions: [{ code: i32(0) }], start: 0 }),
  ),
  malformed('a start function that is imported and takes parameters', 'wasm.start', () =>
    moduleOf({
      types: [funcType([T.i32, T.i32])],
      imports: [importOf('pyde', 'return', 0)],
      start: 0,
    }),
  ),
  malformed('a start section of no bytes', 'wasm.truncated', () =>
    rawModule(section(SECTION.start, [])),
  ),
];

const withElements = (...elements: readonly Part[]): Uint8Array =>
  withFunction({ table: limits(1), elements });

export const elements: readonly Malformed[] = [
  malformed('elements without a table', 'wasm.index', () =>
    withFunction({ elements: [elementsAt(i32(0), [0])] }),
  ),
  malformed('an element that is no function', 'wasm.index', () =>
    withElements(elementsAt(i32(0), [1])),
  ),
  malformed('element 2³² − 1', 'wasm.index', () => withElements(elementsAt(i32(0), [0xffff_ffff]))),
  malformed('elements at an i64', 'wasm.type', () => withElements(elementsAt(i64(0), [0]))),
  malformed('elements at nothing', 'wasm.constant', () => withElements(elementsAt([], [0, 0]))),
  malformed('elements at a global of the module', 'wasm.feature', () =>
    withFunction({
      table: limits(1),
      globals: [globalOf(T.i32, false, i32(0))],
      elements: [elementsAt([OP.global_get, 0], [0])],
    }),
  ),
  malformed('elements at a sum', 'wasm.feature', () =>
    withElements(elementsAt([i32(0), i32(0), OP.i32_add], [0])),
  ),
  malformed('passive elements', 'wasm.feature', () => withElements([1, 0, 1, 0])),
  malformed('elements of table 1', 'wasm.feature', () =>
    withElements([2, 1, i32(0), OP.end, 0, 1, 0]),
  ),
  malformed('elements of a kind that does not exist', 'wasm.form', () =>
    withElements([2, 0, i32(0), OP.end, 1, 1, 0]),
  ),
  malformed('declared elements', 'wasm.feature', () => withElements([3, 0, 1, 0])),
  malformed('elements of expressions', 'wasm.feature', () =>
    withElements([4, i32(0), OP.end, 1, 0xd2, 0, OP.end]),
  ),
  malformed('passive elements of expressions', 'wasm.feature', () =>
    withElements([5, T.funcref, 1, 0xd2, 0, OP.end]),
  ),
  malformed('elements of expressions in a table by index', 'wasm.feature', () =>
    withElements([6, 0, i32(0), OP.end, T.funcref, 1, 0xd2, 0, OP.end]),
  ),
  malformed('declared elements of expressions', 'wasm.feature', () =>
    withElements([7, T.funcref, 1, 0xd2, 0, OP.end]),
  ),
  malformed('elements of flag 8', 'wasm.form', () => withElements([8, i32(0), OP.end, 1, 0])),
  malformed('elements of flag 2³² − 1', 'wasm.form', () =>
    withElements([leb(0xffff_ffff), i32(0), OP.end, 1, 0]),
  ),
  malformed('fewer elements than counted', 'wasm.truncated', () =>
    withElements([0, i32(0), OP.end, 2, 0]),
  ),
  malformed('2³² − 1 elements', 'wasm.limit', () =>
    withElements([0, i32(0), OP.end, leb(0xffff_ffff), 0]),
  ),
  malformed('4,097 elements', 'wasm.limit', () =>
    withElements(elementsAt(i32(0), Array(4_097).fill(0))),
  ),
  malformed('2³² − 1 segments of elements', 'wasm.limit', () =>
    rawModule(section(SECTION.element, leb(0xffff_ffff))),
  ),
  malformed('10,001 segments of elements', 'wasm.limit', () =>
    withElements(...times(10_001, elementsAt(i32(0), []))),
  ),
];

const withData = (...data: readonly Part[]): Uint8Array => moduleOf({ memory: limits(1), data });

export const data: readonly Malformed[] = [
  malformed('data without a memory', 'wasm.index', () => moduleOf({ data: [dataAt(i32(0), [])] })),
  malformed('data at an i64', 'wasm.type', () => withData(dataAt(i64(0), [1]))),
  malformed('data at nothing', 'wasm.constant', () => withData(dataAt([], [1]))),
  malformed('data at a global of the module', 'wasm.feature', () =>
    moduleOf({
      memory: limits(1),
      globals: [globalOf(T.i32, false, i32(0))],
      data: [dataAt([OP.global_get, 0], [1])],
    }),
  ),
  malformed('data at a sum', 'wasm.feature', () =>
    withData(dataAt([i32(0), i32(0), OP.i32_add], [1])),
  ),
  malformed('data of memory 1', 'wasm.feature', () => withData([2, 1, i32(0), OP.end, sized([1])])),
  malformed('data of flag 3', 'wasm.form', () => withData([3, sized([1])])),
  malformed('data of flag 2³² − 1', 'wasm.form', () => withData([leb(0xffff_ffff), sized([1])])),
  malformed('data that end before their length', 'wasm.truncated', () => withData([1, leb(2), 1])),
  malformed('2³² − 1 bytes of data', 'wasm.limit', () => withData([1, leb(0xffff_ffff), 1])),
  malformed('data without a length', 'wasm.truncated', () => withData([0, i32(0), OP.end])),
  malformed('fewer segments of data than counted', 'wasm.truncated', () =>
    rawModule(section(SECTION.data, [leb(2), passiveData([1])])),
  ),
  malformed('2³² − 1 segments of data', 'wasm.limit', () =>
    rawModule(section(SECTION.data, leb(0xffff_ffff))),
  ),
  malformed('10,001 segments of data', 'wasm.limit', () =>
    withData(...times(10_001, passiveData([]))),
  ),
  malformed('2³² − 1 data counted ahead', 'wasm.count', () =>
    rawModule(section(SECTION.dataCount, leb(0xffff_ffff))),
  ),
  malformed('a data offset without an end', 'wasm.truncated', () => withData(flat(0, i32(0)))),
];

/** Tables, memories, globals and the constant expressions that set them up. */
import {
  BULK,
  f32,
  f64,
  flat,
  funcType,
  globalOf,
  i32,
  i64,
  leb,
  limits,
  moduleOf,
  OP,
  type Part,
  rawModule,
  SECTION,
  section,
  T,
  vec,
} from '../module-builder.ts';
import { type Malformed, malformed, times } from './malformed.ts';

const memoriesOf = (...entries: readonly Part[]): Uint8Array =>
  rawModule(section(SECTION.memory, vec(entries)));
const tablesOf = (...entries: readonly Part[]): Uint8Array =>
  rawModule(section(SECTION.table, vec(entries)));
const funcrefs = (bounds: Part): Uint8Array => flat(T.funcref, bounds);

export const memories: readonly Malformed[] = [
  malformed('two memories', 'wasm.feature', () => memoriesOf(limits(1), limits(1)), {
    feature: 'multiple memories',
  }),
  malformed('2³² − 1 memories', 'wasm.feature', () =>
    rawModule(section(SECTION.memory, leb(0xffff_ffff))),
  ),
  malformed('a shared memory', 'wasm.feature', () => memoriesOf([3, 1, 1]), {
    feature: 'threads',
  }),
  malformed('a shared memory without a maximum', 'wasm.feature', () => memoriesOf([2, 1])),
  malformed('a memory of 64 bits', 'wasm.feature', () => memoriesOf([4, 1]), {
    feature: '64-bit memories',
  }),
  malformed('a memory of 64 bits with a maximum', 'wasm.feature', () => memoriesOf([5, 1, 1])),
  malformed('a memory with a page size', 'wasm.feature', () => memoriesOf([8, 1, 0])),
  malformed('limits of flag 16', 'wasm.form', () => memoriesOf([16, 1])),
  malformed('limits of flag 127', 'wasm.form', () => memoriesOf([0x7f, 1])),
  malformed('limits without a minimum', 'wasm.truncated', () => memoriesOf([0])),
  malformed('limits without the maximum', 'wasm.truncated', () => memoriesOf([1, 1])),
  malformed('a maximum below the minimum', 'wasm.range', () => memoriesOf(limits(2, 1))),
  malformed('1,025 pages', 'wasm.limit', () => memoriesOf(limits(1_025)), {
    limit: 'memoryPages',
    value: 1_025,
    bound: 1_024,
  }),
  malformed('65,537 pages', 'wasm.limit', () => memoriesOf(limits(65_537))),
  malformed('2³² − 1 pages', 'wasm.limit', () => memoriesOf(limits(0xffff_ffff))),
  malformed('a maximum of 65,537 pages', 'wasm.limit', () => memoriesOf(limits(1, 65_537))),
  malformed('a maximum of 2³² − 1 pages', 'wasm.limit', () => memoriesOf(limits(1, 0xffff_ffff))),
];

export const tables: readonly Malformed[] = [
  malformed('two tables', 'wasm.feature', () => tablesOf(funcrefs(limits(1)), funcrefs(limits(1)))),
  malformed('2³² − 1 tables', 'wasm.feature', () =>
    rawModule(section(SECTION.table, leb(0xffff_ffff))),
  ),
  malformed('a table of externref', 'wasm.feature', () => tablesOf([T.externref, limits(1)])),
  malformed('a table of exceptions', 'wasm.feature', () => tablesOf([0x69, limits(1)])),
  malformed('a table of arrays', 'wasm.feature', () => tablesOf([0x6a, limits(1)])),
  malformed('a table of equal references', 'wasm.feature', () => tablesOf([0x6d, limits(1)])),
  malformed('a table of typed references', 'wasm.feature', () => tablesOf([0x63, 0x70, limits(1)])),
  malformed('a table with an initial value', 'wasm.feature', () =>
    tablesOf([0x40, 0x00, T.funcref, limits(1), 0xd0, T.funcref, OP.end]),
  ),
  malformed('a table of i32', 'wasm.type', () => tablesOf([T.i32, limits(1)])),
  malformed('a table of type 0', 'wasm.type', () => tablesOf([0, limits(1)])),
  malformed('a table of 64 bits', 'wasm.feature', () => tablesOf(funcrefs([4, 1]))),
  malformed('a shared table', 'wasm.feature', () => tablesOf(funcrefs([3, 1, 1]))),
  malformed('a table with limits of flag 9', 'wasm.feature', () => tablesOf(funcrefs([9, 1, 1]))),
  malformed('a table with its maximum below', 'wasm.range', () => tablesOf(funcrefs(limits(9, 8)))),
  malformed('a table without limits', 'wasm.truncated', () => tablesOf([T.funcref])),
  malformed('a table of 4,097 entries', 'wasm.limit', () => tablesOf(funcrefs(limits(4_097))), {
    limit: 'tableEntries',
  }),
  malformed('a table of 2³² − 1 entries', 'wasm.limit', () =>
    tablesOf(funcrefs(limits(0xffff_ffff))),
  ),
];

const globalsOf = (...entries: readonly Part[]): Uint8Array => moduleOf({ globals: entries });
const setTo = (type: number, init: Part): Uint8Array => globalsOf(globalOf(type, false, init));

export const globals: readonly Malformed[] = [
  malformed('a global of v128', 'wasm.feature', () =>
    setTo(T.v128, [0xfd, 12, new Uint8Array(16)]),
  ),
  malformed('a global of funcref', 'wasm.feature', () => setTo(T.funcref, [0xd0, T.funcref])),
  malformed('a global of the empty type', 'wasm.type', () => setTo(T.empty, i32(0))),
  malformed('a global of mutability 4', 'wasm.form', () => globalsOf([T.i32, 4, i32(0), OP.end])),
  malformed('a global shared among threads', 'wasm.feature', () =>
    globalsOf([T.i32, 3, i32(0), OP.end]),
  ),
  malformed('a global that ends behind its type', 'wasm.truncated', () => globalsOf([T.i32])),
  malformed('a global without a value', 'wasm.truncated', () => globalsOf([T.i32, 0])),
  malformed('a global without an end', 'wasm.truncated', () => globalsOf([T.i32, 0, i32(0)])),
  malformed('a global of no value', 'wasm.truncated', () => setTo(T.i32, [])),
  malformed('a global of two floats', 'wasm.constant', () => setTo(T.f32, [f32(0), f32(0)])),
  malformed('a global that does nothing first', 'wasm.constant', () =>
    setTo(T.i32, [OP.nop, i32(0)]),
  ),
  malformed('an i32 global of i64', 'wasm.type', () => setTo(T.i32, i64(0))),
  malformed('an i64 global of i32', 'wasm.type', () => setTo(T.i64, i32(0))),
  malformed('an f32 global of f64', 'wasm.type', () => setTo(T.f32, f64(0n))),
  malformed('an f64 global of f32', 'wasm.type', () => setTo(T.f64, f32(0))),
  malformed('a global that is a sum', 'wasm.feature', () =>
    setTo(T.i32, [i32(1), i32(2), OP.i32_add]),
  ),
  malformed('a global that is a product of i64', 'wasm.feature', () =>
    setTo(T.i64, [i64(1), i64(2), 0x7e]),
  ),
  malformed('a global that is a quotient', 'wasm.feature', () =>
    setTo(T.i32, [i32(1), i32(2), 0x6d]),
  ),
  malformed('a global that is computed by one operator', 'wasm.constant', () =>
    setTo(T.i32, [OP.i32_eqz, OP.i32_eqz]),
  ),
  malformed('a global that calls', 'wasm.constant', () =>
    moduleOf({
      types: [funcType([], [T.i32])],
      functions: [{ code: i32(1) }],
      globals: [globalOf(T.i32, false, [OP.call, 0])],
    }),
  ),
  malformed('a global that grows memory', 'wasm.constant', () =>
    moduleOf({
      memory: limits(1),
      globals: [globalOf(T.i32, false, [i32(0), OP.memory_grow, 0])],
    }),
  ),
  malformed('a global of half a float', 'wasm.truncated', () =>
    globalsOf([T.f32, 0, OP.f32_const, 0, 0]),
  ),
  malformed('a global of itself', 'wasm.feature', () => setTo(T.i32, [OP.global_get, 0])),
  malformed('a global of one defined before', 'wasm.feature', () =>
    globalsOf(globalOf(T.i32, false, i32(1)), globalOf(T.i32, false, [OP.global_get, 0])),
  ),
  malformed('a global of one that does not exist', 'wasm.feature', () =>
    setTo(T.i32, [OP.global_get, leb(0xffff_ffff)]),
  ),
  malformed('a global with a block', 'wasm.constant', () =>
    setTo(T.i32, [OP.block, T.i32, i32(0), OP.end]),
  ),
  malformed('a global with a prefixed operator', 'wasm.operator', () =>
    setTo(T.i32, [f32(0), BULK.i32_trunc_sat_f32_s]),
  ),
  malformed('a global with an operator that does not exist', 'wasm.operator', () =>
    setTo(T.i32, [0x27, 0]),
  ),
  malformed('2³² − 1 globals', 'wasm.limit', () =>
    rawModule(section(SECTION.global, leb(0xffff_ffff))),
  ),
  malformed('10,001 globals', 'wasm.limit', () =>
    globalsOf(...times(10_001, globalOf(T.i32, false, i32(0)))),
  ),
];

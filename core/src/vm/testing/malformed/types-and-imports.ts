/** Function types, and imports: only host functions may be imported, with their own types. */
import {
  flat,
  funcType,
  importOf,
  KIND,
  leb,
  limits,
  moduleOf,
  name,
  type Part,
  rawModule,
  SECTION,
  section,
  T,
  vec,
} from '../module-builder.ts';
import { type Malformed, malformed, times } from './malformed.ts';

const typesOf = (...types: readonly Part[]): Uint8Array =>
  rawModule(section(SECTION.type, vec(types)));

export const types: readonly Malformed[] = [
  malformed('a type that is no function', 'wasm.form', () => typesOf([0x40, 0, 0]), { offset: 11 }),
  malformed('a type of form 0', 'wasm.form', () => typesOf([0x00, 0, 0])),
  malformed('a struct', 'wasm.feature', () => typesOf([0x5f, 0]), {
    feature: 'garbage collection',
  }),
  malformed('an array', 'wasm.feature', () => typesOf([0x5e, T.i32, 0]), {
    feature: 'garbage collection',
  }),
  malformed('a group of recursive types', 'wasm.feature', () => typesOf([0x4e, 1, funcType()])),
  malformed('a type with a supertype', 'wasm.feature', () => typesOf([0x50, 0, funcType()])),
  malformed('a final type with a supertype', 'wasm.feature', () => typesOf([0x4f, 0, funcType()])),
  malformed('a continuation', 'wasm.feature', () => typesOf([0x5d, 0])),
  malformed('a parameter of v128', 'wasm.feature', () => typesOf(funcType([T.v128]))),
  malformed('a result of v128', 'wasm.feature', () => typesOf(funcType([], [T.v128]))),
  malformed('a parameter of funcref', 'wasm.feature', () => typesOf(funcType([T.funcref]))),
  malformed('a result of externref', 'wasm.feature', () => typesOf(funcType([], [T.externref]))),
  malformed('a parameter of a typed reference', 'wasm.feature', () =>
    typesOf([0x60, 1, 0x64, 0x70, 0]),
  ),
  malformed('a parameter of a nullable reference', 'wasm.feature', () =>
    typesOf([0x60, 1, 0x63, 0x70, 0]),
  ),
  malformed('a parameter of the empty type', 'wasm.type', () => typesOf(funcType([T.empty]))),
  malformed('a parameter of type 0', 'wasm.type', () => typesOf(funcType([0x00]))),
  malformed('a parameter of type 0x7a', 'wasm.type', () => typesOf(funcType([0x7a]))),
  malformed('a result of a function type', 'wasm.type', () => typesOf(funcType([], [0x60]))),
  malformed('a result of type 0xff', 'wasm.type', () => typesOf(funcType([], [0xff]))),
  malformed('a value type as two bytes', 'wasm.type', () => typesOf([0x60, 1, 0xff, 0x7f, 0])),
  malformed('a type that ends before its results', 'wasm.truncated', () => typesOf([0x60, 0])),
  malformed('fewer parameters than counted', 'wasm.truncated', () => typesOf([0x60, 9, T.i32])),
  malformed('2³² − 1 parameters', 'wasm.limit', () => typesOf([0x60, leb(0xffff_ffff), T.i32])),
  malformed('2³² − 1 results', 'wasm.limit', () => typesOf([0x60, 0, leb(0xffff_ffff), T.i32])),
  malformed('2³² − 1 types', 'wasm.limit', () =>
    rawModule(section(SECTION.type, vec([funcType()], leb(0xffff_ffff)))),
  ),
  malformed('129 parameters', 'wasm.limit', () => typesOf(funcType(Array(129).fill(T.i32))), {
    limit: 'params',
    value: 129,
    bound: 128,
  }),
  malformed('17 results', 'wasm.limit', () => typesOf(funcType([], Array(17).fill(T.f64))), {
    limit: 'results',
  }),
  malformed('10,001 types', 'wasm.limit', () => typesOf(...times(10_001, funcType())), {
    limit: 'types',
  }),
];

/** Type 0 and one import. */
const imported = (entry: Part, type: Part = funcType()): Uint8Array =>
  moduleOf({ types: [type], imports: [entry] });
const host = (title: string, type: Part = funcType()): Uint8Array =>
  imported(importOf('pyde', title, 0), type);
const outside = (from: string, title: string): Malformed =>
  malformed(`an import of ${from}.${title}`, 'wasm.import', () =>
    imported(importOf(from, title, 0)),
  );

export const imports: readonly Malformed[] = [
  outside('env', 'abort'),
  outside('', 'caller'),
  outside('pyde', ''),
  outside('Pyde', 'caller'),
  outside('pyde\0', 'caller'),
  outside('\0pyde', 'memory'),
  outside('wasi_snapshot_preview1', 'clock_time_get'),
  outside('wasi_unstable', 'random_get'),
  outside('pyde', 'sload '),
  outside('pyde', 'clock'),
  outside('pyde', 'threshold_encrypt'),
  outside('pyde', '__proto__'),
  outside('pyde', 'constructor'),
  outside('pyde', 'toString'),
  malformed('debug_log on the chain', 'wasm.test-only-import', () =>
    host('debug_log', funcType([T.i32, T.i32])),
  ),
  malformed('a parachain function in a contract', 'wasm.parachain-only', () =>
    host('parachain_id', funcType([], [T.i32])),
  ),
  malformed('caller without its parameter', 'wasm.import-signature', () =>
    host('caller', funcType([], [T.i32])),
  ),
  malformed('caller without its result', 'wasm.import-signature', () =>
    host('caller', funcType([T.i32])),
  ),
  malformed('caller with an i64', 'wasm.import-signature', () =>
    host('caller', funcType([T.i64], [T.i32])),
  ),
  malformed('wave_id with an i32', 'wasm.import-signature', () =>
    host('wave_id', funcType([], [T.i32])),
  ),
  malformed('return with a result', 'wasm.import-signature', () =>
    host('return', funcType([T.i32, T.i32], [T.i32])),
  ),
  malformed('calldata_copy with three parameters', 'wasm.import-signature', () =>
    host('calldata_copy', funcType([T.i32, T.i32, T.i32], [T.i32])),
  ),
  malformed('tx_hash with an i64 result', 'wasm.import-signature', () =>
    host('tx_hash', funcType([T.i32], [T.i64])),
  ),
  malformed('sstore with a result too many', 'wasm.import-signature', () =>
    host('sstore', funcType([T.i32, T.i32, T.i32], [T.i32, T.i32])),
  ),
  malformed('an import of a type that does not exist', 'wasm.index', () =>
    imported(importOf('pyde', 'caller', 1)),
  ),
  malformed('an import of type 2³² − 1', 'wasm.index', () =>
    imported(importOf('pyde', 'caller', leb(0xffff_ffff))),
  ),
  malformed('an imported memory', 'wasm.import', () =>
    imported(importOf('pyde', 'memory', limits(1), KIND.memory)),
  ),
  malformed('an imported table', 'wasm.import', () =>
    imported(importOf('pyde', 'table', flat(T.funcref, limits(1)), KIND.table)),
  ),
  malformed('an imported global', 'wasm.import', () =>
    imported(importOf('pyde', 'gas', flat(T.i64, 0), KIND.global)),
  ),
  malformed('an imported mutable global', 'wasm.import', () =>
    imported(importOf('pyde', 'gas', flat(T.i64, 1), KIND.global)),
  ),
  malformed('an imported tag', 'wasm.feature', () =>
    imported(importOf('pyde', 'tag', flat(0, 0), KIND.tag)),
  ),
  malformed('an import of kind 5', 'wasm.form', () => imported(importOf('pyde', 'x', 0, 5))),
  malformed('an import of kind 255', 'wasm.form', () => imported(importOf('pyde', 'x', 0, 255))),
  malformed('an import that ends behind its module', 'wasm.truncated', () =>
    imported(name('pyde')),
  ),
  malformed('an import that ends behind its name', 'wasm.truncated', () =>
    imported([name('pyde'), name('caller')]),
  ),
  malformed('an import without its type', 'wasm.truncated', () =>
    imported([name('pyde'), name('caller'), 0]),
  ),
  malformed('a module name that is no UTF-8', 'wasm.utf8', () =>
    imported([2, 0xc0, 0x80, name('caller'), 0, 0]),
  ),
  malformed('a function name that is half a surrogate', 'wasm.utf8', () =>
    imported([name('pyde'), 3, 0xed, 0xa0, 0x80, 0, 0]),
  ),
  malformed('a function name above U+10FFFF', 'wasm.utf8', () =>
    imported([name('pyde'), 4, 0xf4, 0x90, 0x80, 0x80, 0, 0]),
  ),
  malformed('a function name cut within a character', 'wasm.utf8', () =>
    imported([name('pyde'), 2, 0xe2, 0x82, 0, 0]),
  ),
  malformed('a function name of 1,025 bytes', 'wasm.limit', () =>
    imported(importOf('pyde', 'x'.repeat(1_025), 0)),
  ),
  malformed('2³² − 1 imports', 'wasm.limit', () =>
    rawModule(section(SECTION.import, leb(0xffff_ffff))),
  ),
  malformed('1,001 imports', 'wasm.limit', () =>
    moduleOf({
      types: [funcType([], [T.i64])],
      imports: times(1_001, importOf('pyde', 'wave_id', 0)),
    }),
  ),
  malformed('1,000 imports counted and none there', 'wasm.truncated', () =>
    rawModule(section(SECTION.import, leb(1_000))),
  ),
];

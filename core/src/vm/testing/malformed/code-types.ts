/** Well-formed code that means nothing: indices, operands, results, labels, alignment. */
import {
  BULK,
  f32,
  f64,
  funcType,
  globalOf,
  i32,
  i64,
  leb,
  limits,
  moduleOf,
  OP,
  type Part,
  passiveData,
  T,
} from '../module-builder.ts';
import { badCode, type Malformed, malformed } from './malformed.ts';

const inMemory = { memory: limits(1) };
const global = (isMutable: boolean) => ({ globals: [globalOf(T.i32, isMutable, i32(0))] });
const none = {};
const block = (type: Part, ...inside: readonly Part[]): Part => [OP.block, type, inside, OP.end];
const loop = (type: Part, ...inside: readonly Part[]): Part => [OP.loop, type, inside, OP.end];
const dataModule = (code: Part): Uint8Array =>
  moduleOf({
    types: [funcType()],
    functions: [{ code }],
    ...inMemory,
    dataCount: 1,
    data: [passiveData([1])],
  });

export const indices: readonly Malformed[] = [
  badCode('a call of a function that does not exist', 'wasm.index', () => [OP.call, 1]),
  badCode('a call of function 2³² − 1', 'wasm.index', () => [OP.call, leb(0xffff_ffff)]),
  badCode('a local that does not exist', 'wasm.index', () => [OP.local_get, 0, OP.drop]),
  badCode('a local behind the last', 'wasm.index', () => [OP.local_get, 3, OP.drop], {
    params: [T.i32],
    locals: [[2, T.i64]],
  }),
  badCode('a set of a local that does not exist', 'wasm.index', () => [i32(0), OP.local_set, 0]),
  badCode('a tee of a local that does not exist', 'wasm.index', () => [
    i32(0),
    OP.local_tee,
    7,
    OP.drop,
  ]),
  badCode('local 2³² − 1', 'wasm.index', () => [OP.local_get, leb(0xffff_ffff), OP.drop]),
  badCode('a global that does not exist', 'wasm.index', () => [OP.global_get, 0, OP.drop]),
  badCode(
    'a set of a global that does not exist',
    'wasm.index',
    () => [i32(0), OP.global_set, 1],
    global(true),
  ),
  badCode('global 2³² − 1', 'wasm.index', () => [OP.global_get, leb(0xffff_ffff), OP.drop]),
  badCode(
    'a set of an immutable global',
    'wasm.immutable',
    () => [i32(0), OP.global_set, 0],
    global(false),
  ),
  badCode('an indirect call without a table', 'wasm.index', () => [i32(0), OP.call_indirect, 0, 0]),
  badCode(
    'an indirect call of a type that does not exist',
    'wasm.index',
    () => [i32(0), OP.call_indirect, 1, 0],
    { table: limits(1) },
  ),
  badCode(
    'a load without a memory',
    'wasm.index',
    () => [i32(0), OP.i32_load, 0, 0, OP.drop],
    none,
  ),
  badCode(
    'a store without a memory',
    'wasm.index',
    () => [i32(0), i32(0), OP.i32_store, 0, 0],
    none,
  ),
  badCode('memory.size without a memory', 'wasm.index', () => [OP.memory_size, 0, OP.drop], none),
  badCode(
    'memory.grow without a memory',
    'wasm.index',
    () => [i32(0), OP.memory_grow, 0, OP.drop],
    none,
  ),
  badCode('memory.copy without a memory', 'wasm.index', () => [
    i32(0),
    i32(0),
    i32(0),
    BULK.memory_copy,
    0,
    0,
  ]),
  badCode('memory.fill without a memory', 'wasm.index', () => [
    i32(0),
    i32(0),
    i32(0),
    BULK.memory_fill,
    0,
  ]),
  malformed('memory.init of data that do not exist', 'wasm.index', () =>
    dataModule([i32(0), i32(0), i32(0), BULK.memory_init, 1, 0]),
  ),
  malformed('data.drop of data that do not exist', 'wasm.index', () =>
    dataModule([BULK.data_drop, 1]),
  ),
  malformed('memory.init without a memory', 'wasm.index', () =>
    moduleOf({
      types: [funcType()],
      functions: [{ code: [i32(0), i32(0), i32(0), BULK.memory_init, 0, 0] }],
      dataCount: 1,
      data: [passiveData([1])],
    }),
  ),
  badCode('a branch out of the function', 'wasm.label', () => [OP.br, 1]),
  badCode('a branch out of a block and the function', 'wasm.label', () => block(T.empty, OP.br, 2)),
  badCode('a branch to label 2³² − 1', 'wasm.label', () => [OP.br, leb(0xffff_ffff)]),
  badCode('a conditional branch out of the function', 'wasm.label', () => [i32(0), OP.br_if, 1]),
  badCode('a table with a label out of the function', 'wasm.label', () => [
    i32(0),
    OP.br_table,
    1,
    1,
    0,
  ]),
  badCode('a table whose default is out of the function', 'wasm.label', () => [
    i32(0),
    OP.br_table,
    1,
    0,
    1,
  ]),
  badCode('a branch out of the function, out of reach', 'wasm.label', () => [
    OP.unreachable,
    OP.br,
    1,
  ]),
  ...(
    [
      ['i32.load8_s', OP.i32_load8_s, 1],
      ['i32.load16_u', OP.i32_load16_u, 2],
      ['i32.load', OP.i32_load, 3],
      ['i64.load32_u', OP.i64_load32_u, 3],
      ['i64.load', OP.i64_load, 4],
      ['f32.load', OP.f32_load, 3],
      ['f64.load', OP.f64_load, 4],
    ] as const
  ).map(([title, opcode, alignment]) =>
    badCode(
      `${title} aligned to more than its width`,
      'wasm.alignment',
      () => [i32(0), opcode, alignment, 0, OP.drop],
      inMemory,
    ),
  ),
  ...(
    [
      ['i32.store8', OP.i32_store8, i32(0), 1],
      ['i32.store', OP.i32_store, i32(0), 3],
      ['i64.store32', OP.i64_store32, i64(0), 3],
      ['i64.store', OP.i64_store, i64(0), 4],
      ['f32.store', OP.f32_store, f32(0), 3],
      ['f64.store', OP.f64_store, f64(0n), 4],
    ] as const
  ).map(([title, opcode, value, alignment]) =>
    badCode(
      `${title} aligned to more than its width`,
      'wasm.alignment',
      () => [i32(0), value, opcode, alignment, 0],
      inMemory,
    ),
  ),
  badCode(
    'an alignment of 2³²',
    'wasm.alignment',
    () => [i32(0), OP.i32_load, 32, 0, OP.drop],
    inMemory,
  ),
  badCode(
    'an alignment of 2 to the 2³² − 1',
    'wasm.alignment',
    () => [i32(0), OP.i32_load, leb(0xffff_ffff), 0, OP.drop],
    inMemory,
  ),
];

const stack = (
  name: string,
  code: () => Part,
  parts: Parameters<typeof badCode>[3] = {},
): Malformed => badCode(name, 'wasm.stack', code, parts);
const mismatch = (
  name: string,
  code: () => Part,
  parts: Parameters<typeof badCode>[3] = {},
): Malformed => badCode(name, 'wasm.type', code, parts);

export const operands: readonly Malformed[] = [
  stack('a drop of nothing', () => [OP.drop]),
  stack('an addition of one operand', () => [i32(0), OP.i32_add, OP.drop]),
  stack('an addition of none', () => [OP.i32_add, OP.drop]),
  stack('a value left on the stack', () => [i32(0)]),
  stack('a result that is not there', () => [], { results: [T.i32] }),
  stack('two results where one is due', () => [i32(0), i32(0)], { results: [T.i32] }),
  stack('one result where two are due', () => [i32(0)], { results: [T.i32, T.i32] }),
  stack('a return without its value', () => [OP.return], { results: [T.i32] }),
  stack('a set of a local to nothing', () => [OP.local_set, 0], { locals: [[1, T.i32]] }),
  stack('a set of a global to nothing', () => [OP.global_set, 0], global(true)),
  stack('a select of two operands', () => [i32(0), i32(0), OP.select, OP.drop]),
  stack('a load from nowhere', () => [OP.i32_load, 0, 0, OP.drop], inMemory),
  stack('a store of nothing', () => [i32(0), OP.i32_store, 0, 0], inMemory),
  stack('memory.grow by nothing', () => [OP.memory_grow, 0, OP.drop], inMemory),
  stack('memory.fill with two operands', () => [i32(0), i32(0), BULK.memory_fill, 0], inMemory),
  stack('memory.copy with two operands', () => [i32(0), i32(0), BULK.memory_copy, 0, 0], inMemory),
  stack('a call without its argument', () => [OP.call, 0], { params: [T.i32] }),
  stack('an indirect call without its index', () => [OP.call_indirect, 0, 0], { table: limits(1) }),
  stack('an if without a condition', () => [OP.if, T.empty, OP.end]),
  stack('a conditional branch without a condition', () => [OP.br_if, 0]),
  stack('a table of branches without an index', () => [OP.br_table, 0, 0]),
  stack('a block that takes what is outside', () => [i32(0), block(T.empty, OP.drop)]),
  stack('a loop that takes what is outside', () => [i32(0), loop(T.empty, OP.drop)]),
  stack('an if that takes what is outside', () => [
    i32(0),
    i32(0),
    OP.if,
    T.empty,
    OP.drop,
    OP.end,
  ]),
  stack('an else that takes what the then-branch left', () => [
    i32(1),
    OP.if,
    T.i32,
    i32(0),
    OP.else,
    OP.end,
    OP.drop,
  ]),
  stack('a block without its result', () => [block(T.i32), OP.drop]),
  stack('a block with a value too many', () => block(T.empty, i32(0))),
  stack('a loop without its result', () => [loop(T.i32), OP.drop]),
  stack('a then-branch without its result', () => [
    i32(1),
    OP.if,
    T.i32,
    OP.else,
    i32(0),
    OP.end,
    OP.drop,
  ]),
  stack('a branch without the value of its block', () => [block(T.i32, OP.br, 0), OP.drop]),
  stack('a conditional branch without the value of its block', () => [
    block(T.i32, i32(0), OP.br_if, 0, i32(0)),
    OP.drop,
  ]),
  stack('a table of branches without the value of its labels', () => [
    block(T.i32, i32(0), OP.br_table, 0, 0),
    OP.drop,
  ]),
  stack('a branch to a loop without its parameter', () => [i32(0), loop(1, OP.drop, OP.br, 0)], {
    types: [funcType([T.i32])],
  }),
  stack('a block without its parameter', () => [OP.block, 1, OP.drop, OP.end], {
    types: [funcType([T.i32])],
  }),
  stack('a value too many behind a branch', () => block(T.empty, OP.br, 0, i32(0))),
  stack('a value too many behind unreachable', () => [OP.unreachable, i32(0)]),
  stack('two results behind unreachable where one is due', () => [OP.unreachable, i32(0), i32(0)], {
    results: [T.i32],
  }),
  stack('a value too many in an else behind unreachable', () => [
    i32(0),
    OP.if,
    T.empty,
    OP.unreachable,
    OP.else,
    i32(0),
    OP.end,
  ]),
  mismatch('an addition of i64 to i32', () => [i32(0), i64(0), OP.i32_add, OP.drop]),
  mismatch('an addition of i32 to i64', () => [i32(0), i64(0), OP.i64_add, OP.drop]),
  mismatch('an f32 addition of f64', () => [f32(0), f64(0n), OP.f32_add, OP.drop]),
  mismatch('an f64 addition of f32', () => [f32(0), f32(0), OP.f64_add, OP.drop]),
  mismatch('a comparison with zero of i64 as i32', () => [i64(0), OP.i32_eqz, OP.drop]),
  mismatch('an extension of i64 as of i32', () => [i64(0), OP.i32_extend8_s, OP.drop]),
  mismatch('a wrap of i32', () => [i32(0), OP.i32_wrap_i64, OP.drop]),
  mismatch('an extension of i64 to i64', () => [i64(0), OP.i64_extend_i32_s, OP.drop]),
  mismatch('a demotion of f32', () => [f32(0), OP.f32_demote_f64, OP.drop]),
  mismatch('a saturating truncation of f64 as f32', () => [
    f64(0n),
    BULK.i32_trunc_sat_f32_s,
    OP.drop,
  ]),
  mismatch('a select of two types', () => [i32(0), i64(0), i32(0), OP.select, OP.drop]),
  mismatch('a select by i64', () => [i32(0), i32(0), i64(0), OP.select, OP.drop]),
  mismatch('an i64 into a local of i32', () => [i64(0), OP.local_set, 0], { locals: [[1, T.i32]] }),
  mismatch('an f32 through a local of f64', () => [f32(0), OP.local_tee, 0, OP.drop], {
    locals: [[1, T.f64]],
  }),
  mismatch(
    'a tee that would change the type',
    () => [i32(0), OP.local_tee, 0, OP.i64_eqz, OP.drop],
    {
      locals: [[1, T.i32]],
    },
  ),
  mismatch('an i64 into a global of i32', () => [i64(0), OP.global_set, 0], global(true)),
  mismatch('a load at an i64', () => [i64(0), OP.i32_load, 0, 0, OP.drop], inMemory),
  mismatch('a store of an i64 as i32', () => [i32(0), i64(0), OP.i32_store, 0, 0], inMemory),
  mismatch('an f32 store of an i32', () => [i32(0), i32(0), OP.f32_store, 0, 0], inMemory),
  mismatch(
    'an f64 load as f32',
    () => [i32(0), OP.f64_load, 0, 0, OP.f32_demote_f64, OP.f64_eq],
    inMemory,
  ),
  mismatch('memory.grow by an i64', () => [i64(0), OP.memory_grow, 0, OP.drop], inMemory),
  mismatch(
    'memory.fill of a length of i64',
    () => [i32(0), i32(0), i64(0), BULK.memory_fill, 0],
    inMemory,
  ),
  mismatch('an if on an i64', () => [i64(0), OP.if, T.empty, OP.end]),
  mismatch('a conditional branch on an f32', () => [f32(0), OP.br_if, 0]),
  mismatch('a table of branches by an i64', () => [i64(0), OP.br_table, 0, 0]),
  mismatch('a result of another type', () => [i64(0)], { results: [T.i32] }),
  mismatch('a return of another type', () => [f32(0), OP.return], { results: [T.f64] }),
  mismatch('a block with a result of another type', () => [block(T.i32, i64(0)), OP.drop]),
  mismatch('a branch with a value of another type', () => [
    block(T.i32, i64(0), OP.br, 0),
    OP.drop,
  ]),
  mismatch('an else of another type', () => [
    i32(0),
    OP.if,
    T.i32,
    i32(0),
    OP.else,
    i64(0),
    OP.end,
    OP.drop,
  ]),
  mismatch('an if with a result and without an else', () => [
    i32(0),
    OP.if,
    T.i32,
    i32(0),
    OP.end,
    OP.drop,
  ]),
  mismatch(
    'an if without an else that takes i64 and gives i32',
    () => [i64(0), i32(0), OP.if, 1, OP.i32_wrap_i64, OP.end, OP.drop],
    { types: [funcType([T.i64], [T.i32])] },
  ),
  mismatch(
    'an if without an else whose type changes the stack',
    () => [i64(0), i32(0), OP.if, 1, OP.drop, OP.end],
    { types: [funcType([T.i64])] },
  ),
  mismatch('a call with an argument of another type', () => [i64(0), OP.call, 0], {
    params: [T.i32],
  }),
  mismatch('an indirect call by an i64', () => [i64(0), OP.call_indirect, 0, 0], {
    table: limits(1),
  }),
  mismatch(
    'results of a block in the wrong order',
    () => [block(1, i64(0), i32(0)), OP.drop, OP.drop],
    { types: [funcType([], [T.i32, T.i64])] },
  ),
  mismatch('labels of a table that take different types', () => [
    block(T.i32, block(T.i64, i64(0), i32(0), OP.br_table, 1, 0, 1), OP.drop, i32(0)),
    OP.drop,
  ]),
  mismatch('labels of a table that take different numbers of values', () => [
    block(T.i32, block(T.empty, i32(0), i32(0), OP.br_table, 1, 0, 1), i32(0)),
    OP.drop,
  ]),
  mismatch('an i64 behind unreachable where i32 is due', () => [
    OP.unreachable,
    i64(0),
    OP.i32_eqz,
    OP.drop,
  ]),
  mismatch('an unknown and an i64 added as i32', () => [
    OP.unreachable,
    i64(0),
    OP.i32_add,
    OP.drop,
  ]),
  mismatch('a select behind unreachable of two types', () => [
    OP.unreachable,
    i32(0),
    i64(0),
    i32(0),
    OP.select,
    OP.drop,
  ]),
  mismatch('labels behind unreachable whose numbers of values differ', () => [
    block(T.i32, block(T.empty, OP.unreachable, OP.br_table, 1, 0, 1), i32(0)),
    OP.drop,
  ]),
  mismatch('a select behind unreachable used as another type', () => [
    OP.unreachable,
    i64(0),
    i32(0),
    OP.select,
    OP.i32_eqz,
    OP.drop,
  ]),
];

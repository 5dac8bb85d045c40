/** Function bodies: lengths, locals, block structure, operators that do not exist or are not run. */
import {
  BULK,
  body,
  flat,
  funcType,
  i32,
  leb,
  limits,
  moduleOf,
  OP,
  type Part,
  rawModule,
  SECTION,
  section,
  sized,
  sleb,
  T,
  vec,
} from '../module-builder.ts';
import { badCode, type Malformed, malformed, times } from './malformed.ts';

/** One function of type 0, its body (with the length in front) as given. */
const bodyModule = (content: Part): Uint8Array =>
  rawModule(
    section(SECTION.type, vec([funcType()])),
    section(SECTION.function, vec([0])),
    section(SECTION.code, vec([content])),
  );
/** Behind preamble, types, functions, the head of the code section and the body's length. */
const FIRST_OF_BODY = 8 + 6 + 4 + 3 + 1;

export const bodies: readonly Malformed[] = [
  malformed('a body of no bytes', 'wasm.truncated', () => bodyModule(leb(0))),
  malformed('a body without operators', 'wasm.truncated', () => bodyModule(sized([0]))),
  malformed('a body without its end', 'wasm.truncated', () => bodyModule(sized([0, OP.nop]))),
  malformed('a body that ends within an operator', 'wasm.truncated', () =>
    bodyModule(sized([0, OP.i32_const])),
  ),
  malformed('a body that ends within a float', 'wasm.truncated', () =>
    bodyModule(sized([0, OP.f64_const, 0, 0, 0])),
  ),
  malformed('a body that ends within a table of labels', 'wasm.truncated', () =>
    bodyModule(sized([0, i32(0), OP.br_table, 3, 0, 0])),
  ),
  malformed('an operator behind the end of a body', 'wasm.body-length', () =>
    bodyModule(sized([0, OP.end, OP.nop])),
  ),
  malformed('a second end of a body', 'wasm.body-length', () =>
    bodyModule(sized([0, OP.end, OP.end])),
  ),
  malformed('a body longer than its section', 'wasm.truncated', () =>
    bodyModule(sized([0, OP.end], leb(3))),
  ),
  malformed('a body of 2³² − 1 bytes', 'wasm.limit', () =>
    bodyModule(sized([0, OP.end], leb(0xffff_ffff))),
  ),
  malformed('2³² − 1 bodies', 'wasm.limit', () =>
    rawModule(
      section(SECTION.type, vec([funcType()])),
      section(SECTION.function, vec([0])),
      section(SECTION.code, leb(0xffff_ffff)),
    ),
  ),
  malformed('2³² − 1 functions', 'wasm.limit', () =>
    rawModule(section(SECTION.function, leb(0xffff_ffff))),
  ),
  malformed('10,000 functions counted and none there', 'wasm.truncated', () =>
    rawModule(section(SECTION.function, leb(10_000))),
  ),
  malformed('a function of a type that does not exist', 'wasm.index', () =>
    rawModule(section(SECTION.function, vec([0])), section(SECTION.code, vec([body([])]))),
  ),
  malformed('a block without its end', 'wasm.truncated', () =>
    bodyModule(sized([0, OP.block, T.empty, OP.end])),
  ),
  malformed('an if without its end', 'wasm.truncated', () =>
    bodyModule(sized([0, i32(0), OP.if, T.empty, OP.end])),
  ),
  malformed('an if without the end of its else', 'wasm.truncated', () =>
    bodyModule(sized([0, i32(0), OP.if, T.empty, OP.else, OP.end])),
  ),
  badCode('an else without an if', 'wasm.form', () => [OP.else], {}, { offset: FIRST_OF_BODY + 1 }),
  badCode('an else of a block', 'wasm.form', () => [OP.block, T.empty, OP.else, OP.end]),
  badCode('an else of a loop', 'wasm.form', () => [OP.loop, T.empty, OP.else, OP.end]),
  badCode('two elses of one if', 'wasm.form', () => [
    ...[i32(0), OP.if, T.empty],
    ...[OP.else, OP.else, OP.end],
  ]),
  malformed('a run of locals without its type', 'wasm.truncated', () => bodyModule(sized([1, 1]))),
  malformed('fewer runs of locals than counted', 'wasm.type', () =>
    bodyModule(sized([2, 1, T.i32, 1, OP.end])),
  ),
  malformed('a local of type 0', 'wasm.type', () => bodyModule(body([], [[1, 0]]))),
  malformed('a local of the empty type', 'wasm.type', () => bodyModule(body([], [[1, T.empty]]))),
  malformed('a local of v128', 'wasm.feature', () => bodyModule(body([], [[1, T.v128]]))),
  malformed('a local of funcref', 'wasm.feature', () => bodyModule(body([], [[1, T.funcref]]))),
  malformed('a local of externref', 'wasm.feature', () => bodyModule(body([], [[1, T.externref]]))),
  malformed('no locals of a type that is not accepted', 'wasm.feature', () =>
    bodyModule(body([], [[0, T.v128]])),
  ),
  malformed('49,001 locals', 'wasm.limit', () => bodyModule(body([], [[49_001, T.i32]])), {
    limit: 'locals',
    bound: 49_000,
  }),
  malformed('2³² − 1 locals', 'wasm.limit', () => bodyModule(body([], [[0xffff_ffff, T.i64]]))),
  malformed('two runs of 2³¹ locals', 'wasm.limit', () =>
    bodyModule(
      body(
        [],
        [
          [0x8000_0000, T.i32],
          [0x8000_0000, T.i32],
        ],
      ),
    ),
  ),
  malformed('49,000 locals and a parameter', 'wasm.limit', () =>
    moduleOf({ types: [funcType([T.i32])], functions: [{ locals: [[49_000, T.i32]] }] }),
  ),
  malformed('2³² − 1 runs of locals', 'wasm.limit', () =>
    bodyModule(sized([leb(0xffff_ffff), OP.end])),
  ),
  malformed('2³² − 1 runs of no locals', 'wasm.limit', () =>
    bodyModule(sized([leb(0xffff_ffff), ...times(100, [0, T.i32]), OP.end])),
  ),
  malformed(
    'a body of 65,537 bytes',
    'wasm.limit',
    () => bodyModule(body(new Uint8Array(65_535).fill(OP.nop))),
    { limit: 'bodyBytes', value: 65_537 },
  ),
  malformed('10,001 functions', 'wasm.limit', () =>
    moduleOf({ types: [funcType()], functions: Array.from({ length: 10_001 }, () => ({})) }),
  ),
  malformed(
    'a module of 1 MiB and a byte',
    'wasm.limit',
    () => moduleOf({ customs: [['x', new Uint8Array((1 << 20) + 1 - 8 - 6)]] }),
    { limit: 'moduleBytes', value: (1 << 20) + 1 },
  ),
  malformed('1,001 custom sections', 'wasm.limit', () =>
    moduleOf({ customs: Array.from({ length: 1_001 }, () => ['x', []] as const) }),
  ),
  malformed('a custom name of 1,025 bytes', 'wasm.limit', () =>
    moduleOf({ customs: [['x'.repeat(1_025), []]] }),
  ),
  ...(
    [
      ['blocks', [OP.block, T.empty]],
      ['loops', [OP.loop, T.empty]],
      ['ifs', [i32(0), OP.if, T.empty]],
      ['blocks behind a return', [OP.return, OP.block, T.empty]],
    ] as const
  ).map(([title, opening]) =>
    badCode(
      `4,096 ${title} in each other`,
      'wasm.limit',
      () => [times(4_096, opening), times(4_096, OP.end)],
      {},
      { limit: 'blockDepth' },
    ),
  ),
  ...(
    [
      ['loops', [OP.loop, T.empty, OP.end]],
      ['ifs', [OP.local_get, 1, OP.if, T.empty, OP.end]],
      ['branches', [OP.local_get, 1, OP.br_if, 0]],
      ['sums that may be NaN', [OP.local_get, 0, OP.local_get, 0, OP.f64_add, OP.local_set, 0]],
    ] as const
  ).map(([title, part]) =>
    badCode(
      `400 ${title} among 40,000 locals`,
      'wasm.limit',
      () => times(400, part),
      {
        locals: [
          [1, T.f64],
          [39_999, T.i32],
        ],
      },
      { limit: 'compileWork', bound: 8_000_000 },
    ),
  ),
  malformed(
    '20,000 calls that take and give 16 values',
    'wasm.limit',
    () =>
      moduleOf({
        types: [funcType(Array(16).fill(T.i64), Array(16).fill(T.i64))],
        functions: [{ code: [times(16, [OP.local_get, 0]), times(20_000, [OP.call, 0])] }],
      }),
    { limit: 'compileWork' },
  ),
  badCode('30,000 blocks without an end', 'wasm.limit', () => times(30_000, [OP.block, T.empty])),
  badCode('a table of 2³² − 1 labels', 'wasm.limit', () => [
    ...[i32(0), OP.br_table, leb(0xffff_ffff), 0],
  ]),
  badCode('a table of 65,520 labels and a default', 'wasm.limit', () => [
    ...[i32(0), OP.br_table, leb(65_520), new Uint8Array(65_521)],
  ]),
  badCode(
    '16,385 operands at once',
    'wasm.limit',
    () => times(16_385, i32(0)),
    {},
    {
      limit: 'operandHeight',
    },
  ),
  badCode('a table of 65,521 labels', 'wasm.limit', () => [
    ...[i32(0), OP.br_table, leb(65_521), 0],
  ]),
  badCode('a table with more labels than the body has bytes', 'wasm.truncated', () => [
    ...[i32(0), OP.br_table, leb(65_000), times(100, 0)],
  ]),
];

/** Neither an operator of WebAssembly, nor of any proposal of it. */
const NO_OPERATORS = [0x16, 0x17, 0x1d, 0x1e, 0x27, 0xc5, 0xc6, 0xd8, 0xdf, 0xef, 0xff];
const inMemory = { memory: limits(1) };
const inTable = { table: limits(1) };
const feature = (
  name: string,
  operators: () => Part,
  parts: Parameters<typeof badCode>[3] = {},
): Malformed => badCode(name, 'wasm.feature', operators, parts);

export const operators: readonly Malformed[] = [
  ...NO_OPERATORS.map((opcode) =>
    badCode(
      `operator 0x${opcode.toString(16)}`,
      'wasm.operator',
      () => [opcode],
      {},
      {
        offset: FIRST_OF_BODY + 1,
      },
    ),
  ),
  badCode('prefixed operator 18', 'wasm.operator', () => [0xfc, 18]),
  badCode('prefixed operator 2³² − 1', 'wasm.operator', () => [0xfc, leb(0xffff_ffff)]),
  badCode('an operator that does not exist, out of reach', 'wasm.operator', () => [
    OP.return,
    0xff,
  ]),
  feature('try', () => [0x06, T.empty, OP.end]),
  feature('catch', () => [0x07, 0]),
  feature('throw', () => [0x08, 0]),
  feature('rethrow', () => [0x09, 0]),
  feature('throw_ref', () => [0x0a]),
  feature('delegate', () => [0x18, 0]),
  feature('catch_all', () => [0x19]),
  feature('try_table', () => [0x1f, T.empty, 0, OP.end]),
  feature('return_call', () => [0x12, 0]),
  feature('return_call_indirect', () => [i32(0), 0x13, 0, 0], inTable),
  feature('call_ref', () => [0x14, 0]),
  feature('return_call_ref', () => [0x15, 0]),
  feature('select with a type', () => [i32(0), i32(0), i32(0), 0x1c, 1, T.i32, OP.drop]),
  feature('table.get', () => [i32(0), 0x25, 0, OP.drop], inTable),
  feature('table.set', () => [i32(0), 0xd0, T.funcref, 0x26, 0], inTable),
  feature('ref.null', () => [0xd0, T.funcref, OP.drop]),
  feature('ref.is_null', () => [0xd0, T.funcref, 0xd1, OP.drop]),
  feature('ref.func', () => [0xd2, 0, OP.drop]),
  feature('ref.eq', () => [0xd3]),
  feature('ref.as_non_null', () => [0xd4]),
  feature('br_on_null', () => [0xd5, 0]),
  feature('br_on_non_null', () => [0xd6, 0]),
  feature('table.init', () => [i32(0), i32(0), i32(0), BULK.table_init, 0, 0], inTable),
  feature('elem.drop', () => [BULK.elem_drop, 0], inTable),
  feature('table.copy', () => [i32(0), i32(0), i32(0), BULK.table_copy, 0, 0], inTable),
  feature('table.grow', () => [0xd0, T.funcref, i32(0), BULK.table_grow, 0, OP.drop], inTable),
  feature('table.size', () => [BULK.table_size, 0, OP.drop], inTable),
  feature('table.fill', () => [i32(0), 0xd0, T.funcref, i32(0), BULK.table_fill, 0], inTable),
  feature('struct.new', () => [0xfb, 0, 0]),
  feature('i31.get_s', () => [0xfb, leb(29)]),
  feature('suspend', () => [0xe2, 0]),
  feature('v128.const', () => [0xfd, 12, new Uint8Array(16), OP.drop]),
  feature('v128.load', () => [i32(0), 0xfd, 0, 0, 0, OP.drop], inMemory),
  feature('a relaxed vector operator', () => [0xfd, leb(0x100)]),
  feature('memory.atomic.notify', () => [i32(0), i32(0), 0xfe, 0, 2, 0, OP.drop], inMemory),
  feature('atomic.fence', () => [0xfe, 3, 0], inMemory),
  feature('i32.atomic.rmw.add', () => [i32(0), i32(1), 0xfe, 0x1e, 2, 0, OP.drop], inMemory),
  feature('a vector operator out of reach', () => [OP.unreachable, 0xfd, 0x4d]),
  feature('a block of v128', () => [OP.block, T.v128, OP.unreachable, OP.end, OP.drop]),
  feature('a block of funcref', () => [OP.block, T.funcref, OP.unreachable, OP.end, OP.drop]),
  badCode('a block of a type that does not exist', 'wasm.index', () => [OP.block, leb(9), OP.end]),
  badCode('a block of a type below zero', 'wasm.type', () => [OP.block, 0x41, OP.end]),
  badCode('an i32 block in five bytes', 'wasm.type', () => [OP.block, sleb(-1, 5), OP.end]),
  feature('a load of a second memory', () => [i32(0), OP.i32_load, 0x42, 1, 0, OP.drop], inMemory),
  feature('memory.size of memory 1', () => [OP.memory_size, 1, OP.drop], inMemory),
  badCode(
    'memory.grow of memory 1',
    'wasm.feature',
    () => [i32(0), OP.memory_grow, 1, OP.drop],
    inMemory,
  ),
  badCode(
    'memory.size of a memory index of two bytes',
    'wasm.feature',
    () => [OP.memory_size, leb(0, 2), OP.drop],
    inMemory,
  ),
  badCode(
    'memory.fill of memory 1',
    'wasm.feature',
    () => [i32(0), i32(0), i32(0), BULK.memory_fill, 1],
    inMemory,
  ),
  badCode(
    'memory.copy from memory 1',
    'wasm.feature',
    () => [i32(0), i32(0), i32(0), BULK.memory_copy, 0, 1],
    inMemory,
  ),
  badCode(
    'memory.copy to memory 1',
    'wasm.feature',
    () => [i32(0), i32(0), i32(0), BULK.memory_copy, 1, 0],
    inMemory,
  ),
  malformed('memory.init into memory 1', 'wasm.feature', () =>
    moduleOf({
      types: [funcType()],
      functions: [{ code: [i32(0), i32(0), i32(0), BULK.memory_init, 0, 1] }],
      ...inMemory,
      dataCount: 1,
      data: [flat(1, sized([1]))],
    }),
  ),
  badCode(
    'call_indirect in table 1',
    'wasm.feature',
    () => [i32(0), OP.call_indirect, 0, 1],
    inTable,
  ),
];

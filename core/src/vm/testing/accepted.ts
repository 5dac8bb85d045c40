/**
 * Modules that are odd or as large as they may be, and are accepted: each stands at a bound beyond
 * which the catalogue of malformed modules has the next.
 */
import { times } from './malformed/malformed.ts';
import {
  BULK,
  customSection,
  dataAt,
  elementsAt,
  exportOf,
  flat,
  funcType,
  functionModule,
  globalOf,
  i32,
  i64,
  importOf,
  leb,
  limits,
  moduleOf,
  OP,
  type Part,
  passiveData,
  rawModule,
  SECTION,
  section,
  sectionsOf,
  sized,
  sleb,
  T,
} from './module-builder.ts';

export interface Accepted {
  readonly name: string;
  readonly make: () => Uint8Array;
}

const accepted = (title: string, make: () => Part): Accepted => ({
  name: title,
  make: () => flat(make()),
});
const nested = (opening: Part): Uint8Array =>
  functionModule([times(4_095, opening), times(4_095, OP.end)]);

/** Every integer takes as many bytes as its type allows. */
function longIntegers(): Uint8Array {
  const u32 = (value: number) => leb(value, 5);
  const long = (content: Part): Uint8Array => sized(content, u32(flat(content).length));
  const sectionOf = (id: number, ...content: readonly Part[]) => flat(id, long(content));
  const code = [
    ...[OP.block, sleb(0, 5), OP.br, u32(0), OP.end],
    ...[OP.i32_const, sleb(-1, 5), OP.drop, OP.i64_const, sleb(-1, 10), OP.drop],
    ...[OP.i32_const, sleb(0, 5), OP.i32_load, u32(2), u32(0xffff_ffff), OP.drop],
    ...[OP.i32_const, sleb(0, 5), OP.call_indirect, u32(0), u32(0)],
    ...[0xfc, u32(9), u32(0), OP.call, u32(0), OP.end],
  ];
  return rawModule(
    sectionOf(SECTION.custom, long(new TextEncoder().encode('x'))),
    sectionOf(SECTION.type, u32(1), 0x60, u32(0), u32(0)),
    sectionOf(SECTION.function, u32(1), u32(0)),
    sectionOf(SECTION.table, u32(1), T.funcref, 1, u32(1), u32(1)),
    sectionOf(SECTION.memory, u32(1), 1, u32(1), u32(1)),
    sectionOf(SECTION.global, u32(1), T.i64, 1, OP.i64_const, sleb(1, 10), OP.end),
    sectionOf(SECTION.export, u32(1), long([0x66]), 0, u32(0)),
    sectionOf(SECTION.start, u32(0)),
    sectionOf(
      SECTION.element,
      u32(1),
      u32(2),
      u32(0),
      OP.i32_const,
      sleb(0, 5),
      OP.end,
      0,
      u32(1),
      u32(0),
    ),
    sectionOf(SECTION.dataCount, u32(1)),
    sectionOf(SECTION.code, u32(1), long([u32(1), u32(1), T.i32, code])),
    sectionOf(SECTION.data, u32(1), u32(2), u32(0), OP.i32_const, sleb(0, 5), OP.end, long([1, 2])),
  );
}

export const ACCEPTED: readonly Accepted[] = [
  accepted('nothing', () => rawModule()),
  accepted('integers as long as they may be', longIntegers),
  accepted('sections of no entries', () =>
    rawModule(
      [1, 2, 3, 4, 5, 6, 7, 9].map((id) => section(id, 0)),
      section(12, 0),
      section(10, 0),
      section(11, 0),
    ),
  ),
  accepted('custom sections between all others, of one name', () =>
    rawModule(
      customSection('x'),
      sectionsOf({ types: [funcType()], functions: [{}], memory: limits(1) }).map((one) => [
        one,
        customSection('x', [1, 2, 3]),
      ]),
    ),
  ),
  accepted('a custom section with a name of no bytes', () => customSectionModule('')),
  accepted('a name section that makes no sense', () => rawModule(customSection('name', [9, 9, 9]))),
  accepted('a name of 1,024 bytes', () => customSectionModule('x'.repeat(1_024))),
  accepted('names of every width of UTF-8', () =>
    moduleOf({
      types: [funcType()],
      functions: [{}],
      exports: ['é', '€', '\u{10ffff}', '', '\ufeff', '\u0080'].map((title) =>
        exportOf(title, 'function'),
      ),
    }),
  ),
  accepted('1,000 custom sections', () =>
    moduleOf({ customs: Array.from({ length: 1_000 }, () => ['x', []] as const) }),
  ),
  accepted('1 MiB', () => moduleOf({ customs: [['x', new Uint8Array((1 << 20) - 8 - 6)]] })),
  accepted('10,000 types', () => moduleOf({ types: times(10_000, funcType()) })),
  accepted('128 parameters and 16 results', () =>
    moduleOf({
      types: [funcType(Array(128).fill(T.i32), Array(16).fill(T.i64))],
      functions: [{ code: OP.unreachable }],
    }),
  ),
  accepted('1,000 imports', () =>
    moduleOf({
      types: [funcType([], [T.i64])],
      imports: times(1_000, importOf('pyde', 'wave_id', 0)),
    }),
  ),
  accepted('10,000 functions', () =>
    moduleOf({ types: [funcType()], functions: Array.from({ length: 10_000 }, () => ({})) }),
  ),
  accepted('a body of 65,536 bytes', () => functionModule(new Uint8Array(65_534).fill(OP.nop))),
  accepted('49,000 locals', () => functionModule([], { locals: [[49_000, T.f64]] })),
  accepted('49,000 locals, parameters included, one by one', () =>
    functionModule([], {
      params: Array(40).fill(T.i64),
      locals: Array.from({ length: 12_240 }, (_, i) => [4, i % 2 === 0 ? T.i32 : T.f32] as const),
    }),
  ),
  accepted('runs of no locals', () =>
    functionModule([], { locals: Array(9_999).fill([0, T.i64]) }),
  ),
  accepted('16,384 operands at once', () =>
    functionModule([times(16_384, i32(0)), times(16_384, OP.drop)]),
  ),
  accepted('4,096 blocks in each other', () => nested([OP.block, T.empty])),
  accepted('4,096 loops in each other', () => nested([OP.loop, T.empty])),
  accepted('4,096 ifs in each other', () => nested([i32(0), OP.if, T.empty])),
  accepted('a table of 65,519 labels and a default', () =>
    functionModule([i32(0), OP.br_table, leb(65_519), new Uint8Array(65_520)]),
  ),
  accepted('1,024 pages', () => moduleOf({ memory: limits(1_024, 1_024) })),
  accepted('no pages, and as many as can be', () => moduleOf({ memory: limits(0, 65_536) })),
  accepted('a table of 4,096 entries, and as many as can be', () =>
    moduleOf({ table: limits(4_096, 0xffff_ffff) }),
  ),
  accepted('10,000 globals', () =>
    moduleOf({ globals: times(10_000, globalOf(T.i64, true, i64(-1))) }),
  ),
  accepted('10,000 exports', () =>
    moduleOf({
      types: [funcType()],
      functions: [{}],
      exports: Array.from({ length: 10_000 }, (_, i) => exportOf(`f${i}`, 'function')),
    }),
  ),
  accepted('exports of every kind', () =>
    moduleOf({
      types: [funcType()],
      functions: [{}],
      table: limits(1),
      memory: limits(1),
      globals: [globalOf(T.f32, true, [OP.f32_const, 0, 0, 0xc0, 0x7f])],
      exports: (['function', 'table', 'memory', 'global'] as const).map((kind) =>
        exportOf(kind, kind),
      ),
    }),
  ),
  accepted('10,000 segments of elements', () =>
    moduleOf({
      types: [funcType()],
      functions: [{}],
      table: limits(1),
      elements: times(10_000, elementsAt(i32(0), [0])),
    }),
  ),
  accepted('4,096 elements', () =>
    moduleOf({
      types: [funcType()],
      functions: [{}],
      table: limits(4_096),
      elements: [elementsAt(i32(0), Array(4_096).fill(0))],
    }),
  ),
  accepted('10,000 segments of data', () =>
    moduleOf({ memory: limits(1), dataCount: 10_000, data: times(10_000, passiveData([])) }),
  ),
  accepted('segments out of range, which is for the run to say', () =>
    moduleOf({
      types: [funcType()],
      functions: [{}],
      table: limits(1),
      memory: limits(1),
      elements: [elementsAt(i32(-1), [0])],
      data: [dataAt(i32(-1), [1])],
    }),
  ),
  accepted('passive data without a memory', () => moduleOf({ data: [passiveData([1])] })),
  accepted('an if without else that gives back what it takes', () =>
    functionModule([i64(1), i32(1), OP.if, 1, OP.end, OP.drop], {
      types: [funcType([T.i64], [T.i64])],
    }),
  ),
  accepted('code out of reach that would take from an empty stack', () =>
    functionModule([
      OP.unreachable,
      OP.i32_add,
      OP.select,
      OP.drop,
      OP.br_if,
      0,
      OP.br_table,
      1,
      0,
      0,
    ]),
  ),
  accepted('an unknown operand that becomes a known one', () =>
    functionModule([OP.unreachable, OP.select, OP.i64_eqz, OP.drop, i32(0), OP.select, OP.drop]),
  ),
  accepted('blocks behind a return', () =>
    functionModule([
      OP.return,
      OP.block,
      T.i64,
      i64(0),
      OP.end,
      OP.drop,
      OP.loop,
      T.empty,
      OP.br,
      0,
      OP.end,
    ]),
  ),
  accepted('labels behind unreachable that take different types', () =>
    functionModule([
      ...[OP.block, T.i32, OP.block, T.i64, OP.unreachable],
      ...[OP.br_table, 1, 0, 1, OP.end, OP.drop, i32(0), OP.end, OP.drop],
    ]),
  ),
  accepted('bulk operators of memory', () =>
    moduleOf({
      types: [funcType()],
      functions: [
        {
          code: [
            ...[i32(0), i32(0), i32(0), BULK.memory_init, 0, 0],
            ...[i32(0), i32(0), i32(0), BULK.memory_copy, 0, 0],
            ...[i32(0), i32(0), i32(0), BULK.memory_fill, 0, BULK.data_drop, 0],
          ],
        },
      ],
      memory: limits(1),
      dataCount: 1,
      data: [passiveData([1])],
    }),
  ),
];

function customSectionModule(title: string): Uint8Array {
  return rawModule(customSection(title));
}

/** LEB128 integers that are too long, or too large for their width. */
import {
  BULK,
  body,
  dataAt,
  elementsAt,
  exportOf,
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
import { badCode, type Malformed, malformed } from './malformed.ts';

const type = section(SECTION.type, vec([funcType()]));
const oneFunction = section(SECTION.function, vec([0]));
const code = (bytes: Part): Uint8Array =>
  rawModule(type, oneFunction, section(SECTION.code, vec([bytes])));
/** Five bytes of which the last says 2³² more. */
const above = flat(0x80, 0x80, 0x80, 0x80, 0x10);
/** No end within five bytes. */
const endless = leb(0, 6);
const address: Part = i32(0);
const inMemory = { memory: limits(1) };

export const integers: readonly Malformed[] = [
  malformed('a section length of six bytes', 'wasm.leb', () =>
    rawModule(SECTION.type, leb(1, 6), 0),
  ),
  malformed('a section length above 2³²', 'wasm.leb', () => rawModule(SECTION.type, above, 0)),
  malformed('a section length without an end', 'wasm.truncated', () =>
    rawModule(SECTION.type, 0x80, 0x80),
  ),
  malformed('a count of six bytes', 'wasm.leb', () => rawModule(section(SECTION.type, endless))),
  malformed('a count above 2³²', 'wasm.leb', () => rawModule(section(SECTION.function, above))),
  malformed('a count with a bit beyond 2³²', 'wasm.leb', () =>
    rawModule(section(SECTION.type, [0x80, 0x80, 0x80, 0x80, 0x70])),
  ),
  malformed('a count without an end', 'wasm.truncated', () =>
    rawModule(section(SECTION.type, [0x80])),
  ),
  malformed('a count of nothing but continuations', 'wasm.leb', () =>
    rawModule(section(SECTION.type, new Uint8Array(64).fill(0xff))),
  ),
  malformed('a type index of six bytes', 'wasm.leb', () =>
    rawModule(
      type,
      section(SECTION.function, [1, endless]),
      section(SECTION.code, vec([body([])])),
    ),
  ),
  malformed('a name length of six bytes', 'wasm.leb', () =>
    rawModule(section(SECTION.custom, [leb(1, 6), 0x61])),
  ),
  malformed('a minimum above 2³²', 'wasm.leb', () =>
    rawModule(section(SECTION.memory, [1, 0, above])),
  ),
  malformed('a maximum of six bytes', 'wasm.leb', () =>
    rawModule(section(SECTION.memory, [1, 1, 1, leb(2, 6)])),
  ),
  malformed('an export index above 2³²', 'wasm.leb', () =>
    rawModule(section(SECTION.export, [1, sized([0x66]), 0, above])),
  ),
  malformed('a start index of six bytes', 'wasm.leb', () =>
    rawModule(type, oneFunction, section(SECTION.start, endless)),
  ),
  malformed('a body length of six bytes', 'wasm.leb', () => code([leb(2, 6), 0, OP.end])),
  malformed('a count of locals above 2³²', 'wasm.leb', () =>
    code(sized([1, above, T.i32, OP.end])),
  ),
  malformed('a count of runs of locals of six bytes', 'wasm.leb', () =>
    code(sized([endless, OP.end])),
  ),
  badCode('a label of six bytes', 'wasm.leb', () => [OP.br, endless]),
  badCode('a function index above 2³²', 'wasm.leb', () => [OP.call, above]),
  badCode('a local index of six bytes', 'wasm.leb', () => [OP.local_get, endless, OP.drop]),
  badCode('a count of labels above 2³²', 'wasm.leb', () => [i32(0), OP.br_table, above, 0]),
  badCode(
    'an alignment of six bytes',
    'wasm.leb',
    () => [address, OP.i32_load, endless, 0, OP.drop],
    inMemory,
  ),
  badCode(
    'an offset of six bytes',
    'wasm.leb',
    () => [address, OP.i32_load, 0, endless, OP.drop],
    inMemory,
  ),
  badCode(
    'an offset above 2³²',
    'wasm.leb',
    () => [address, OP.i32_load, 0, above, OP.drop],
    inMemory,
  ),
  badCode('an i32 of six bytes', 'wasm.leb', () => [OP.i32_const, sleb(0, 6), OP.drop]),
  badCode('an i32 of 2³¹', 'wasm.leb', () => [OP.i32_const, sleb(0x8000_0000), OP.drop]),
  badCode('an i32 of −2³¹ − 1', 'wasm.leb', () => [OP.i32_const, sleb(-0x8000_0001), OP.drop]),
  badCode('an i32 whose sign is not repeated', 'wasm.leb', () => [
    OP.i32_const,
    [0xff, 0xff, 0xff, 0xff, 0x0f],
    OP.drop,
  ]),
  badCode('an i32 whose sign is half repeated', 'wasm.leb', () => [
    OP.i32_const,
    [0x80, 0x80, 0x80, 0x80, 0x18],
    OP.drop,
  ]),
  badCode('an i64 of eleven bytes', 'wasm.leb', () => [OP.i64_const, sleb(0, 11), OP.drop]),
  badCode('an i64 of 2⁶³', 'wasm.leb', () => [OP.i64_const, sleb(1n << 63n), OP.drop]),
  badCode('an i64 of −2⁶³ − 1', 'wasm.leb', () => [OP.i64_const, sleb(-(1n << 63n) - 1n), OP.drop]),
  badCode('an i64 whose sign is not repeated', 'wasm.leb', () => [
    OP.i64_const,
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    OP.drop,
  ]),
  badCode('a block type of six bytes', 'wasm.leb', () => [OP.block, sleb(0, 6), OP.end]),
  badCode('a block type above 2³²', 'wasm.leb', () => [OP.block, sleb(1n << 32n), OP.end]),
  badCode(
    'a prefixed operator of six bytes',
    'wasm.leb',
    () => [...[i32(0), i32(0), i32(0)], ...[0xfc, leb(11, 6), 0]],
    inMemory,
  ),
  badCode('an i32 without an end', 'wasm.leb', () => [OP.i32_const, new Uint8Array(8).fill(0x80)]),
  malformed('an i32 that ends with the module', 'wasm.truncated', () =>
    code([4, 0, OP.i32_const, 0x80, 0x80]),
  ),
  malformed('an offset of elements of six bytes', 'wasm.leb', () =>
    moduleOf({ table: limits(1), elements: [elementsAt([OP.i32_const, sleb(0, 6)], [])] }),
  ),
  malformed('a length of data above 2³²', 'wasm.leb', () =>
    rawModule(
      section(SECTION.memory, vec([limits(1)])),
      section(SECTION.data, [1, 0, i32(0), OP.end, above]),
    ),
  ),
  malformed('an offset of data above 2³¹', 'wasm.leb', () =>
    moduleOf({ memory: limits(1), data: [dataAt([OP.i32_const, sleb(1n << 31n)], [])] }),
  ),
  malformed('a flag of data of six bytes', 'wasm.leb', () =>
    moduleOf({ memory: limits(1), data: [flat(leb(1, 6), 0)] }),
  ),
  malformed('an index of data above 2³²', 'wasm.leb', () =>
    moduleOf({
      types: [funcType()],
      functions: [{ code: [BULK.data_drop, above] }],
      exports: [exportOf('f', 'function')],
      dataCount: 0,
      data: [],
    }),
  ),
];

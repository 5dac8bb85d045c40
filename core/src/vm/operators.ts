/**
 * The accepted operators (WebAssembly core specification §5.4): MVP, sign extension, saturating
 * truncation, and of bulk memory what works on memory. One table for the validator, the rewriter
 * and everything else that walks code.
 *
 * An operator's code is its byte; those behind the prefix 0xfc have the code 0x100 + sub-opcode.
 */
import { VALUE_TYPE, type ValueType } from './module.ts';

/** What follows the opcode. */
export const IMMEDIATE = {
  none: 0,
  /** s33: 0x40, a value type or a type index. */
  blockType: 1,
  /** u32 depth. */
  label: 2,
  /** vec(u32) depths and one u32 more. */
  labelTable: 3,
  /** u32 index. */
  function: 4,
  /** u32 type index, u32 table index. */
  callIndirect: 5,
  local: 6,
  global: 7,
  /** u32 alignment (log 2), u32 offset. */
  memoryArgument: 8,
  /** One zero byte: the memory's index. */
  memory: 9,
  /** s32. */
  i32: 10,
  /** s64. */
  i64: 11,
  /** 4 bytes. */
  f32: 12,
  /** 8 bytes. */
  f64: 13,
  /** memory.init: u32 data index, one zero byte. */
  dataAndMemory: 14,
  /** data.drop: u32 data index. */
  data: 15,
  /** memory.copy: two zero bytes. */
  twoMemories: 16,
} as const;
export type ImmediateKind = (typeof IMMEDIATE)[keyof typeof IMMEDIATE];

export interface Operator {
  readonly name: string;
  readonly code: number;
  readonly immediate: ImmediateKind;
  /** Operands, deepest first, and result, where they depend on the operator alone. */
  readonly signature:
    | { readonly params: readonly ValueType[]; readonly result: ValueType | 0 }
    | undefined;
  /** The result can be a NaN whose bits the engines are free to choose. */
  readonly makesNan: boolean;
  readonly cost: 0 | 1;
  /** Loads and stores: log 2 of the bytes accessed. */
  readonly naturalAlignment: number | undefined;
}

/** Opcode of the prefixed operators, and where their codes begin. */
export const PREFIX = 0xfc;
export const PREFIXED = 0x100;

/** The operators that code has to name. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  memoryInit: 0x108,
  dataDrop: 0x109,
  memoryCopy: 0x10a,
  memoryFill: 0x10b,
} as const;

const { i32, i64, f32, f64 } = VALUE_TYPE;
const BY_NAME = { i32, i64, f32, f64 } as const;

/** What can make a NaN whose bits the engines choose. */
const FLOAT_ARITHMETIC: ReadonlySet<string> = new Set(
  'ceil floor trunc nearest sqrt add sub mul div min max'.split(' '),
);

/** By code; undefined where this chain has no operator. */
export const OPERATORS: readonly (Operator | undefined)[] = buildOperators();

/** One past the largest code. */
const CODES = OPERATORS.length;

/** The columns of the table that are read for every operator, by code. */
export const IS_OPERATOR = column((operator) => (operator === undefined ? 0 : 1));
export const IMMEDIATE_KIND = column((operator) => operator?.immediate ?? 0);
export const HAS_SIGNATURE = column((operator) => (operator?.signature === undefined ? 0 : 1));
/** Operands from the top of the stack down; 0 where there are no more. */
export const FIRST_OPERAND = column((operator) => operator?.signature?.params.at(-1) ?? 0);
export const SECOND_OPERAND = column((operator) => operator?.signature?.params.at(-2) ?? 0);
export const THIRD_OPERAND = column((operator) => operator?.signature?.params.at(-3) ?? 0);
export const RESULT = column((operator) => operator?.signature?.result ?? 0);
export const COST = column((operator) => operator?.cost ?? 0);
export const MAKES_NAN = column((operator) => (operator?.makesNan === true ? 1 : 0));
export const NATURAL_ALIGNMENT = column((operator) => operator?.naturalAlignment ?? 0);

function column(value: (operator: Operator | undefined) => number): Uint8Array {
  return Uint8Array.from({ length: CODES }, (_, code) => value(OPERATORS[code]));
}

function buildOperators(): (Operator | undefined)[] {
  const table: (Operator | undefined)[] = [];
  const add = (
    code: number,
    name: string,
    immediate: ImmediateKind,
    signature: string | undefined,
    more: { makesNan?: boolean; cost?: 0 | 1; naturalAlignment?: number } = {},
  ): void => {
    table[code] = {
      name,
      code,
      immediate,
      signature: signature === undefined ? undefined : parseSignature(signature),
      makesNan: more.makesNan ?? false,
      cost: more.cost ?? 1,
      naturalAlignment: more.naturalAlignment,
    };
  };

  addControl(add);
  addVariablesAndMemory(add);
  addNumeric(add);
  addPrefixed(add);
  return Array.from(table);
}

type Add = (
  code: number,
  name: string,
  immediate: ImmediateKind,
  signature: string | undefined,
  more?: { makesNan?: boolean; cost?: 0 | 1; naturalAlignment?: number },
) => void;

/** `i32 i64 > f32`: operands, deepest first, and the result. */
function parseSignature(text: string): Operator['signature'] {
  const [params = '', result = ''] = text.split('>').map((part) => part.trim());
  const type = (name: string): ValueType => {
    if (name === 'i32' || name === 'i64' || name === 'f32' || name === 'f64') return BY_NAME[name];
    throw new Error(`no value type ${name}`);
  };
  return {
    params: params === '' ? [] : params.split(' ').map(type),
    result: result === '' ? 0 : type(result),
  };
}

/** §5.4.1 and parametric §5.4.3. */
function addControl(add: Add): void {
  const free = { cost: 0 } as const;
  add(OP.unreachable, 'unreachable', IMMEDIATE.none, undefined, free);
  add(OP.nop, 'nop', IMMEDIATE.none, '>', free);
  add(OP.block, 'block', IMMEDIATE.blockType, undefined, free);
  add(OP.loop, 'loop', IMMEDIATE.blockType, undefined, free);
  add(OP.if, 'if', IMMEDIATE.blockType, undefined);
  add(OP.else, 'else', IMMEDIATE.none, undefined, free);
  add(OP.end, 'end', IMMEDIATE.none, undefined, free);
  add(OP.br, 'br', IMMEDIATE.label, undefined);
  add(OP.brIf, 'br_if', IMMEDIATE.label, undefined);
  add(OP.brTable, 'br_table', IMMEDIATE.labelTable, undefined);
  add(OP.return, 'return', IMMEDIATE.none, undefined, free);
  add(OP.call, 'call', IMMEDIATE.function, undefined);
  add(OP.callIndirect, 'call_indirect', IMMEDIATE.callIndirect, undefined);
  add(OP.drop, 'drop', IMMEDIATE.none, undefined, free);
  add(OP.select, 'select', IMMEDIATE.none, undefined);
}

/** §5.4.4 and §5.4.6. */
function addVariablesAndMemory(add: Add): void {
  add(OP.localGet, 'local.get', IMMEDIATE.local, undefined);
  add(OP.localSet, 'local.set', IMMEDIATE.local, undefined);
  add(OP.localTee, 'local.tee', IMMEDIATE.local, undefined);
  add(OP.globalGet, 'global.get', IMMEDIATE.global, undefined);
  add(OP.globalSet, 'global.set', IMMEDIATE.global, undefined);

  const loads = [
    ['i32.load', 2],
    ['i64.load', 3],
    ['f32.load', 2],
    ['f64.load', 3],
    ['i32.load8_s', 0],
    ['i32.load8_u', 0],
    ['i32.load16_s', 1],
    ['i32.load16_u', 1],
    ['i64.load8_s', 0],
    ['i64.load8_u', 0],
    ['i64.load16_s', 1],
    ['i64.load16_u', 1],
    ['i64.load32_s', 2],
    ['i64.load32_u', 2],
  ] as const;
  for (const [i, [name, naturalAlignment]] of loads.entries()) {
    const signature = `i32 > ${name.slice(0, 3)}`;
    add(0x28 + i, name, IMMEDIATE.memoryArgument, signature, { naturalAlignment });
  }
  const stores = [
    ['i32.store', 2],
    ['i64.store', 3],
    ['f32.store', 2],
    ['f64.store', 3],
    ['i32.store8', 0],
    ['i32.store16', 1],
    ['i64.store8', 0],
    ['i64.store16', 1],
    ['i64.store32', 2],
  ] as const;
  for (const [i, [name, naturalAlignment]] of stores.entries()) {
    const signature = `i32 ${name.slice(0, 3)} >`;
    add(0x36 + i, name, IMMEDIATE.memoryArgument, signature, { naturalAlignment });
  }
  add(OP.memorySize, 'memory.size', IMMEDIATE.memory, '> i32');
  add(OP.memoryGrow, 'memory.grow', IMMEDIATE.memory, 'i32 > i32');
}

/** §5.4.7. */
function addNumeric(add: Add): void {
  add(OP.i32Const, 'i32.const', IMMEDIATE.i32, '> i32');
  add(OP.i64Const, 'i64.const', IMMEDIATE.i64, '> i64');
  add(OP.f32Const, 'f32.const', IMMEDIATE.f32, '> f32');
  add(OP.f64Const, 'f64.const', IMMEDIATE.f64, '> f64');

  const run = (
    first: number,
    type: string,
    names: string,
    operands: number,
    result: string,
  ): void => {
    const params = Array.from({ length: operands }, () => type).join(' ');
    for (const [i, name] of names.split(' ').entries()) {
      const makesNan = FLOAT_ARITHMETIC.has(name) && type.startsWith('f');
      add(first + i, `${type}.${name}`, IMMEDIATE.none, `${params} > ${result}`, { makesNan });
    }
  };
  const integerTests = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
  run(0x45, 'i32', 'eqz', 1, 'i32');
  run(0x46, 'i32', integerTests, 2, 'i32');
  run(0x50, 'i64', 'eqz', 1, 'i32');
  run(0x51, 'i64', integerTests, 2, 'i32');
  run(0x5b, 'f32', 'eq ne lt gt le ge', 2, 'i32');
  run(0x61, 'f64', 'eq ne lt gt le ge', 2, 'i32');

  const integerUnary = 'clz ctz popcnt';
  const integerBinary = 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
  run(0x67, 'i32', integerUnary, 1, 'i32');
  run(0x6a, 'i32', integerBinary, 2, 'i32');
  run(0x79, 'i64', integerUnary, 1, 'i64');
  run(0x7c, 'i64', integerBinary, 2, 'i64');

  const floatUnary = 'abs neg ceil floor trunc nearest sqrt';
  const floatBinary = 'add sub mul div min max copysign';
  run(0x8b, 'f32', floatUnary, 1, 'f32');
  run(0x92, 'f32', floatBinary, 2, 'f32');
  run(0x99, 'f64', floatUnary, 1, 'f64');
  run(0xa0, 'f64', floatBinary, 2, 'f64');

  const conversions =
    'i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u ' +
    'i64.extend_i32_s i64.extend_i32_u ' +
    'i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u ' +
    'f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64 ' +
    'f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 ' +
    'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64';
  for (const [i, name] of conversions.split(' ').entries()) {
    addConversion(add, 0xa7 + i, name);
  }

  const extend = (code: number, type: string, bits: number): void =>
    add(code, `${type}.extend${bits}_s`, IMMEDIATE.none, `${type} > ${type}`);
  extend(0xc0, 'i32', 8);
  extend(0xc1, 'i32', 16);
  extend(0xc2, 'i64', 8);
  extend(0xc3, 'i64', 16);
  extend(0xc4, 'i64', 32);
}

/** A conversion's name says what it takes and gives: `i32.trunc_f64_s`. */
function addConversion(add: Add, code: number, name: string): void {
  const from = /_([if](?:32|64))/.exec(name)?.[1] ?? '';
  const makesNan = name === 'f32.demote_f64' || name === 'f64.promote_f32';
  add(code, name, IMMEDIATE.none, `${from} > ${name.slice(0, 3)}`, { makesNan });
}

function addPrefixed(add: Add): void {
  const saturating =
    'i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u ' +
    'i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u';
  for (const [i, name] of saturating.split(' ').entries()) addConversion(add, PREFIXED + i, name);
  add(OP.memoryInit, 'memory.init', IMMEDIATE.dataAndMemory, 'i32 i32 i32 >');
  add(OP.dataDrop, 'data.drop', IMMEDIATE.data, '>');
  add(OP.memoryCopy, 'memory.copy', IMMEDIATE.twoMemories, 'i32 i32 i32 >');
  add(OP.memoryFill, 'memory.fill', IMMEDIATE.memory, 'i32 i32 i32 >');
}

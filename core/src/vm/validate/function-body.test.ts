/**
 * Function bodies from text. Where the engine and the chain accept the same language, the engine's
 * own validation is a second opinion.
 */
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../../bytes/index.ts';
import { decodeModule } from '../decode/index.ts';
import { LIMITS } from '../limits.ts';
import {
  flat,
  funcType,
  functionModule,
  i32,
  leb,
  limits,
  moduleOf,
  OP,
  type Part,
  T,
} from '../testing/module-builder.ts';
import { wat } from '../testing/wat.ts';
import { type ValidModule, validateModule } from './validate-module.ts';

const validate = (bytes: Uint8Array): ValidModule =>
  validateModule(decodeModule(bytes), 'contract');

function codeOf(bytes: Uint8Array): string {
  try {
    validate(bytes);
  } catch (error) {
    return isPydeError(error) ? error.code : String(error);
  }
  return 'valid';
}

const ENVIRONMENT = `(memory 1) (table 2 funcref) (global $g (mut i64) (i64.const 0)) (global $c i32 (i32.const 0))
  (type $two (func (param i32 i64) (result i64 i32)))
  (func $swap (type $two) local.get 1 local.get 0)`;

/** The module's environment and one more function of this text. */
const moduleWith = (text: string): Uint8Array => wat(`(module ${ENVIRONMENT} (func ${text}))`);

const heightOf = (text: string): number | undefined =>
  validate(moduleWith(text)).maxOperandHeight.at(-1);

const VALID: readonly (readonly [name: string, text: string, height: number])[] = [
  ['no operators', '', 0],
  ['one operand', '(drop (i32.const 1))', 1],
  [
    'an expression',
    '(result i32) (i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.const 3)))',
    3,
  ],
  ['a call of two results', '(result i64 i32) (call $swap (i32.const 1) (i64.const 2))', 2],
  [
    'operands of enclosing blocks below those of a block',
    '(result i32) i32.const 1 i32.const 2 (block (result i32) i32.const 3 i32.const 4 i32.add) i32.add i32.add',
    4,
  ],
  [
    'parameters of a block',
    '(result i64 i32) i32.const 1 i64.const 2 (block (type $two) (call $swap))',
    2,
  ],
  [
    'an if with parameters and both arms',
    `(result i64 i32) i32.const 1 i64.const 2 i32.const 3
     (if (type $two) (then (call $swap)) (else (call $swap)))`,
    3,
  ],
  [
    'an if without else that gives back what it takes',
    '(result i32) i32.const 1 i32.const 2 (if (param i32) (result i32) (then))',
    2,
  ],
  [
    'a branch to a loop with its parameters',
    '(result i32) i32.const 1 (loop $l (param i32) (result i32) (br_if $l (i32.const 0)))',
    2,
  ],
  [
    'a branch that drops operands',
    '(result i32) (block (result i32) i64.const 1 f32.const 2 i32.const 3 br 0)',
    3,
  ],
  [
    'a br_table of several labels',
    '(result i32) (block (result i32) (br_table 0 1 0 (i32.const 1) (i32.const 2)))',
    2,
  ],
  ['local.tee', '(local f64) (drop (local.tee 0 (f64.const 1)))', 1],
  ['globals', '(global.set $g (i64.extend_i32_s (global.get $c)))', 1],
  ['select', '(drop (select (f32.const 1) (f32.const 2) (i32.const 3)))', 3],
  [
    'an indirect call',
    '(result i64 i32) (call_indirect (type $two) (i32.const 1) (i64.const 2) (i32.const 0))',
    3,
  ],
  ['memory operators', '(memory.fill (i32.const 0) (i32.const 1) (memory.grow (memory.size)))', 3],
  // Unreachable code
  ['any operator behind unreachable', '(result i32) unreachable i32.add', 1],
  ['operands of unknown type', 'unreachable select drop', 1],
  [
    'select of an unknown and a known operand',
    '(result f64) unreachable f64.const 1 i32.const 2 select',
    2,
  ],
  ['a branch behind a branch', '(result i32) (block (result i32) i32.const 1 br 0 br 0)', 1],
  [
    'br_if behind unreachable, whose operands are of the label',
    '(result i32) (block (result i32) unreachable br_if 0)',
    1,
  ],
  [
    'br_table behind unreachable with labels of two types',
    '(result i64) (block (result i32) (block (result f32) unreachable br_table 0 1) drop i32.const 1) drop i64.const 1',
    1,
  ],
  ['return in the middle', '(result i32) i32.const 1 i32.const 2 return', 2],
  [
    'deep operands in unreachable code',
    'unreachable i32.const 1 i32.const 2 i32.const 3 drop drop drop',
    3,
  ],
  ['a reachable block behind an unreachable one', '(block br 0) (drop (i32.const 1))', 1],
  [
    'an else behind an unreachable then',
    '(result i32) (if (result i32) (i32.const 1) (then unreachable) (else i32.const 2))',
    1,
  ],
  ['a loop that never ends', '(result i32) (loop (br 0))  unreachable', 0],
  ['a block in unreachable code', '(result i32) unreachable (block (param i32) (result i32))', 1],
];

const INVALID: readonly (readonly [name: string, code: string, text: string])[] = [
  ['no result', 'wasm.stack', '(result i32)'],
  ['a result of another type', 'wasm.type', '(result i32) i64.const 1'],
  ['an operand too many', 'wasm.stack', 'i32.const 1'],
  ['an operand too few', 'wasm.stack', '(drop (i32.add (i32.const 1)))'],
  ['an operand of another type', 'wasm.type', '(drop (i32.add (i32.const 1) (f32.const 1)))'],
  ['operands of the enclosing block', 'wasm.stack', 'i32.const 1 (block drop)'],
  [
    'operands of the enclosing block behind else',
    'wasm.stack',
    '(result i32) i32.const 0 i32.const 1 (if (then) (else drop))',
  ],
  ['an operand left in a block', 'wasm.stack', '(block i32.const 1)'],
  [
    'an if without else that makes a result',
    'wasm.type',
    '(result i32) (if (result i32) (i32.const 1) (then i32.const 2))',
  ],
  ['an if with a condition of i64', 'wasm.type', '(if (i64.const 1) (then))'],
  [
    'arms of different types',
    'wasm.type',
    '(drop (if (result i32) (i32.const 1) (then i32.const 2) (else i64.const 3)))',
  ],
  ['a branch without its operand', 'wasm.stack', '(result i32) (block (result i32) br 0)'],
  [
    'a loop without its parameter',
    'wasm.stack',
    '(result i32) (block (loop (param i32) (br 0))) i32.const 1',
  ],
  [
    'a br_table of different arities',
    'wasm.type',
    '(result i32) (block (br_table 0 1 (i32.const 1))) i32.const 1',
  ],
  [
    'a br_table of different types',
    'wasm.type',
    '(result i32) (block (result f32) (br_table 0 1 (f32.const 1) (i32.const 1))) drop i32.const 1',
  ],
  ['select of two types', 'wasm.type', '(drop (select (f32.const 1) (i32.const 2) (i32.const 3)))'],
  ['an immutable global that is set', 'wasm.immutable', '(global.set $c (i32.const 1))'],
  ['a global of another type', 'wasm.type', '(global.set $g (i32.const 1))'],
  ['a local of another type', 'wasm.type', '(local i32) (local.set 0 (i64.const 1))'],
  [
    'a call with other parameters',
    'wasm.type',
    '(call $swap (i64.const 1) (i64.const 2)) drop drop',
  ],
  // The polymorphic stack
  [
    'a wrong operand behind unreachable',
    'wasm.type',
    '(result i32) unreachable i64.const 1 i32.add',
  ],
  ['an operand too many behind unreachable', 'wasm.stack', 'unreachable i32.const 1'],
  [
    'a wrong label type behind unreachable br_if',
    'wasm.type',
    '(result i64) (block (result i32) unreachable br_if 0 i64.eqz) i64.extend_i32_u',
  ],
  [
    'labels of different arity behind unreachable',
    'wasm.type',
    '(result i32) (block unreachable br_table 0 1) i32.const 1',
  ],
  [
    'a polymorphic block whose rest is not',
    'wasm.stack',
    '(result i32) (block unreachable) i32.add',
  ],
  [
    'a select of two types behind unreachable',
    'wasm.type',
    'unreachable f32.const 1 i32.const 2 i32.const 3 select drop',
  ],
];

describe('validateModule, function bodies', () => {
  it.each(VALID)('accepts %s', (_, text, height) => {
    const bytes = moduleWith(text);
    expect(codeOf(bytes)).toBe('valid');
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(heightOf(text)).toBe(height);
  });

  it.each(INVALID)('refuses %s', (_, code, text) => {
    const bytes = moduleWith(text);
    expect(codeOf(bytes)).toBe(code);
    expect(WebAssembly.validate(bytes)).toBe(false);
  });

  it('has a height for each function, of it alone', () => {
    const bytes = wat(`(module
      (func (drop (i32.add (i32.const 1) (i32.const 2))))
      (func)
      (func (result i32) i32.const 1))`);
    expect(validate(bytes).maxOperandHeight).toEqual([2, 0, 1]);
  });

  it('knows the locals of one function from those of the one before', () => {
    const get = (index: number): Part => flat(OP.local_get, leb(index), OP.drop);
    const bytes = (index: number): Uint8Array =>
      moduleOf({
        types: [funcType([T.i64]), funcType()],
        functions: [
          { type: 0, locals: [[5, T.i32]], code: get(5) },
          { type: 1, locals: [[2, T.f32]], code: get(index) },
        ],
      });
    expect(codeOf(bytes(1))).toBe('valid');
    expect(codeOf(bytes(2))).toBe('wasm.index');
  });
});

describe('validateModule, at its bounds', () => {
  const times = (count: number, part: Part): Part[] => Array.from({ length: count }, () => part);

  it.each([
    ['block', flat(OP.block, T.empty)],
    ['loop', flat(OP.loop, T.empty)],
    ['if', flat(i32(1), OP.if, T.empty)],
  ])('accepts %s to the greatest depth and not one deeper', (_, open) => {
    const nested = (depth: number): Uint8Array =>
      functionModule([times(depth - 1, open), times(depth - 1, OP.end)]);
    expect(codeOf(nested(LIMITS.blockDepth))).toBe('valid');
    expect(codeOf(nested(LIMITS.blockDepth + 1))).toBe('wasm.limit');
  });

  it('accepts as many operands as a frame can hold and not one more', () => {
    const operands = (count: number): Uint8Array =>
      functionModule([times(count, i32(1)), times(count, OP.drop)]);
    const bytes = operands(LIMITS.operandHeight);
    expect(validate(bytes).maxOperandHeight).toEqual([LIMITS.operandHeight]);
    expect(codeOf(operands(LIMITS.operandHeight + 1))).toBe('wasm.limit');
  });

  it('accepts the greatest number of locals, parameters included', () => {
    const locals = (count: number): Uint8Array =>
      functionModule([OP.local_get, leb(count - 1), OP.drop], {
        params: [T.i32, T.i32],
        locals: [[count - 2, T.i64]],
      });
    expect(codeOf(locals(LIMITS.locals))).toBe('valid');
    expect(codeOf(locals(LIMITS.locals + 1))).toBe('wasm.limit');
  });

  it('accepts a br_table of the most labels a body can hold', () => {
    const table = (labels: number): Uint8Array =>
      functionModule([i32(0), OP.br_table, leb(labels - 1), new Uint8Array(labels)]);
    expect(codeOf(table(65_500))).toBe('valid');
    expect(codeOf(table(LIMITS.tableLabels + 30))).toBe('wasm.limit');
  });

  it('reads the index of a table in any encoding of zero', () => {
    const call = (table: Part): Uint8Array =>
      functionModule([i32(0), OP.call_indirect, leb(0), table], { table: limits(1) });
    expect(codeOf(call([0]))).toBe('valid');
    expect(codeOf(call([0x80, 0x80, 0x80, 0x80, 0x00]))).toBe('valid');
    expect(codeOf(call([0x80, 0x80, 0x80, 0x80, 0x10]))).toBe('wasm.leb');
    expect(codeOf(call([0x81, 0x00]))).toBe('wasm.feature');
  });

  it('holds alignment against the width of the access', () => {
    const load = (alignment: Part): Uint8Array =>
      functionModule([i32(0), OP.i32_load, alignment, leb(0xffff_ffff), OP.drop], {
        memory: limits(1),
      });
    expect(codeOf(load(2))).toBe('valid');
    expect(codeOf(load(3))).toBe('wasm.alignment');
    expect(codeOf(load([0x82, 0x00]))).toBe('valid');
    expect(codeOf(load(0x40))).toBe('wasm.feature');
  });
});

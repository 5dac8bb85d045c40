/** The table of operators against an engine: each is compiled by it, with what the table says. */
import { describe, expect, it } from 'vitest';
import { VALUE_TYPE } from './module.ts';
import { IMMEDIATE, OPERATORS, type Operator, PREFIX, PREFIXED } from './operators.ts';
import {
  flat,
  functionModule,
  leb,
  limits,
  type Part,
  passiveData,
} from './testing/module-builder.ts';

const SIGNED = OPERATORS.filter((one): one is Operator => one?.signature !== undefined);

const opcode = ({ code }: Operator): Part =>
  code < PREFIXED ? code : [PREFIX, leb(code - PREFIXED)];

function immediate({ immediate: kind, naturalAlignment = 0 }: Operator): Part {
  switch (kind) {
    case IMMEDIATE.none:
      return [];
    case IMMEDIATE.memoryArgument:
      return [leb(naturalAlignment), leb(0)];
    case IMMEDIATE.f32:
      return new Uint8Array(4);
    case IMMEDIATE.f64:
      return new Uint8Array(8);
    case IMMEDIATE.dataAndMemory:
    case IMMEDIATE.twoMemories:
      return [0, 0];
    default:
      return 0;
  }
}

const LOCAL_GET = 0x20;
const MEMORY = { memory: limits(1), dataCount: 1, data: [passiveData([])] };

/** A function that takes the operator's operands and gives its result. */
function moduleFor(operator: Operator, params: readonly number[], result: number): Uint8Array {
  const operands = params.map((_, i) => flat(LOCAL_GET, leb(i)));
  return functionModule([operands, opcode(operator), immediate(operator)], {
    ...MEMORY,
    params,
    results: result === 0 ? [] : [result],
  });
}

describe('the table of operators', () => {
  it('has 189 of them, under names that differ', () => {
    const names = OPERATORS.flatMap((one) => (one === undefined ? [] : [one.name]));
    expect(names).toHaveLength(189);
    expect(new Set(names).size).toBe(189);
    for (const [code, one] of OPERATORS.entries())
      if (one !== undefined) expect(one.code).toBe(code);
  });

  it.each(SIGNED)('has $name as the engine has it', (operator) => {
    const { params, result } = operator.signature ?? { params: [], result: 0 };
    expect(WebAssembly.validate(moduleFor(operator, params, result))).toBe(true);
    for (const type of [0, ...Object.values(VALUE_TYPE)]) {
      const other = moduleFor(operator, params, type);
      expect(WebAssembly.validate(other), `${type}`).toBe(type === result);
    }
    for (const [i, right] of params.entries()) {
      for (const type of Object.values(VALUE_TYPE)) {
        const other = moduleFor(operator, params.with(i, type), result);
        expect(WebAssembly.validate(other), `${i} ${type}`).toBe(type === right);
      }
    }
  });

  it('has the alignment of every access', () => {
    const accesses = SIGNED.filter((one) => one.naturalAlignment !== undefined);
    expect(accesses).toHaveLength(23);
    for (const operator of accesses) {
      const { params, result } = operator.signature ?? { params: [], result: 0 };
      const wider = { ...operator, naturalAlignment: (operator.naturalAlignment ?? 0) + 1 };
      expect(WebAssembly.validate(moduleFor(wider, params, result)), operator.name).toBe(false);
    }
  });

  it('charges nothing for what only marks or leaves a block', () => {
    const free = OPERATORS.flatMap((one) => (one?.cost === 0 ? [one.name] : []));
    expect(free.toSorted()).toEqual([
      'block',
      'drop',
      'else',
      'end',
      'loop',
      'nop',
      'return',
      'unreachable',
    ]);
  });

  it('knows the float operators that choose the bits of a NaN, and none that keep them', () => {
    const makes = OPERATORS.flatMap((one) => (one?.makesNan === true ? [one.name] : []));
    const each = 'add sub mul div min max sqrt ceil floor trunc nearest'.split(' ');
    const expected = ['f32', 'f64'].flatMap((type) => each.map((name) => `${type}.${name}`));
    expect(makes.toSorted()).toEqual([...expected, 'f32.demote_f64', 'f64.promote_f32'].toSorted());
  });
});

/**
 * Every numeric operator on every pair of operands at which it changes what it does: zeros, limits,
 * NaNs quiet and signalling, of both signs, with payloads and without. Operands are loaded and
 * results stored, so that no float is ever seen by JavaScript.
 */
import { VALUE_TYPE, type ValueType, valueTypeName } from '../../module.ts';
import { IMMEDIATE, OPERATORS, type Operator } from '../../operators.ts';
import { INTERESTING, VALUE_TYPES } from '../random-program-choices.ts';
import { type CorpusCase, type CorpusRun, run } from './case.ts';

const { i32, f32, f64 } = VALUE_TYPE;

const numeric = OPERATORS.filter(
  (operator): operator is Operator =>
    operator?.immediate === IMMEDIATE.none && (operator.signature?.result ?? 0) !== 0,
);
const widthOf = (type: ValueType): 4 | 8 => (type === i32 || type === f32 ? 4 : 8);
/** Where the operands of a type stand, one behind the other. */
const OPERANDS_AT = new Map(VALUE_TYPES.map((type, i) => [type, i * 512]));
const RESULTS_AT = 4_096;

const hexOf = (type: ValueType, bits: bigint): string =>
  Array.from({ length: widthOf(type) }, (_, i) => {
    const byte = (bits >> BigInt(8 * i)) & 0xffn;
    return `\\${byte.toString(16).padStart(2, '0')}`;
  }).join('');

const DATA = VALUE_TYPES.map((type) => {
  const text = INTERESTING[type].map((bits) => hexOf(type, bits)).join('');
  return `(data (i32.const ${OPERANDS_AT.get(type)}) "${text}")`;
}).join('\n');

/** Loads operand number `index` of the type. */
function operand(type: ValueType, index: string): string {
  const address = `(i32.mul (local.get ${index}) (i32.const ${widthOf(type)}))`;
  return `(${valueTypeName(type)}.load offset=${OPERANDS_AT.get(type)} ${address})`;
}

function traps({ name }: Operator): boolean {
  return /\.(div|rem)_[su]$/.test(name) || /\.trunc_f/.test(name);
}

const resultOf = (operator: Operator): ValueType => {
  const result = operator.signature?.result;
  if (result === undefined || result === 0) throw new Error(`${operator.name} gives no value`);
  return result;
};

/** A function that stores what the operator makes of all its operands. */
function onAll(operator: Operator): string {
  const [first = i32, second] = operator.signature?.params ?? [];
  const result = valueTypeName(resultOf(operator));
  const operands = [operand(first, '$i'), ...(second === undefined ? [] : [operand(second, '$j')])];
  const step = `
    (${result}.store (local.get $out) (${operator.name} ${operands.join(' ')}))
    (local.set $out (i32.add (local.get $out) (i32.const ${widthOf(resultOf(operator))})))`;
  const count = (type: ValueType): number => INTERESTING[type].length;
  const loop = (label: string, index: string, times: number, inner: string): string => `
    (local.set ${index} (i32.const 0))
    (loop ${label} ${inner}
      (local.set ${index} (i32.add (local.get ${index}) (i32.const 1)))
      (br_if ${label} (i32.lt_u (local.get ${index}) (i32.const ${times}))))`;
  const inner = second === undefined ? step : loop('$b', '$j', count(second), step);
  return `(func (export "${operator.name}") (local $i i32) (local $j i32) (local $out i32)
    (local.set $out (i32.const ${RESULTS_AT}))${loop('$a', '$i', count(first), inner)})`;
}

/** A function that stores what the operator makes of the operands with the given numbers. */
function onOne(operator: Operator): string {
  const operands = (operator.signature?.params ?? []).map((type, i) =>
    operand(type, i === 0 ? '$i' : '$j'),
  );
  return `(func (export "${operator.name}") (param $i i32) (param $j i32)
    (${valueTypeName(resultOf(operator))}.store (i32.const ${RESULTS_AT})
      (${operator.name} ${operands.join(' ')})))`;
}

const moduleOf = (functions: readonly string[]): string =>
  `(module (memory 1)\n${DATA}\n${functions.join('\n')})`;

const takes =
  (type: ValueType) =>
  (operator: Operator): boolean =>
    operator.signature?.params[0] === type;

/** What never traps: all operands in one run. */
const whole: CorpusCase[] = VALUE_TYPES.map((type) => {
  const operators = numeric.filter(takes(type)).filter((operator) => !traps(operator));
  return {
    name: `every operator on ${valueTypeName(type)}`,
    text: moduleOf(operators.map(onAll)),
    runs: operators.map(({ name }) => run(name)),
    warmups: 60, // of up to 676 operands each
  };
});

/** What can trap: a run for each operand. */
const single: CorpusCase[] = VALUE_TYPES.map((type) => {
  const operators = numeric.filter(takes(type)).filter(traps);
  const numbers = [...INTERESTING[type].keys()];
  const runs = operators.flatMap(({ name, signature }): CorpusRun[] =>
    signature?.params.length === 1
      ? numbers.map((i) => run(name, i, 0))
      : // All dividends by zero, −1 and 3; the least of them and 1 by everything.
        numbers.flatMap((i) =>
          numbers
            .filter((j) => j === 0 || j === 3 || j === 6 || i === 5)
            .map((j) => run(name, i, j)),
        ),
  );
  return {
    name: `operators on ${valueTypeName(type)} that can trap`,
    text: moduleOf(operators.map(onOne)),
    runs,
    warmups: 10_000,
  };
});

/** What may stand between an operator that makes a NaN and the bits of it. */
function consumers(type: 'f32' | 'f64'): readonly (readonly [name: string, code: string])[] {
  const other = type === 'f32' ? 'f64.promote_f32' : 'f32.demote_f64';
  const there = type === 'f32' ? 'f64' : 'f32';
  const back = type === 'f32' ? 'f32.demote_f64' : 'f64.promote_f32';
  const made = `(${type}.OP (local.get $x) (local.get $y))`;
  const at = '(i32.const 4096)';
  const store = (code: string): string => `(${type}.store ${at} ${code})`;
  return [
    ['store', store(made)],
    ['neg', store(`(${type}.neg ${made})`)],
    ['abs', store(`(${type}.abs (${type}.neg ${made}))`)],
    ['copysign to', store(`(${type}.copysign ${made} (local.get $y))`)],
    ['copysign from', store(`(${type}.copysign (local.get $x) ${made})`)],
    ['operator', store(`(${type}.mul ${made} ${made})`)],
    ['comparison', `(i32.store ${at} (${type}.ne ${made} ${made}))`],
    ['select', store(`(select ${made} (local.get $y) (i32.const 1))`)],
    ['local', `(local.set $z ${made}) ${store('(local.get $z)')}`],
    ['tee', store(`(${type}.add (local.tee $z ${made}) (local.get $y))`) + store('(local.get $z)')],
    ['global', `(global.set $${type} ${made}) ${store(`(global.get $${type})`)}`],
    ['block', store(`(block (result ${type}) ${made})`)],
    ['branch', store(`(block (result ${type}) (br 0 ${made}))`)],
    ['loop', store(`(loop (result ${type}) ${made})`)],
    ['if', store(`(if (result ${type}) (i32.const 1) (then ${made}) (else (local.get $x)))`)],
    ['argument', `(call $keep.${type} ${made})`],
    ['result', store(`(call $give.${type}.OP (local.get $x) (local.get $y))`)],
    [
      'bits',
      store(
        `(${type}.reinterpret_${type === 'f32' ? 'i32' : 'i64'} ` +
          `(${type === 'f32' ? 'i32' : 'i64'}.reinterpret_${type} ${made}))`,
      ),
    ],
    ['conversion', `(${there}.store ${at} (${other} ${made}))`],
    ['both conversions', store(`(${back} (${other} ${made}))`)],
    ['dropped', `(drop ${made})`],
  ];
}

/** NaNs that an operator makes, by every way to where their bits can be seen. */
function throughConsumers(type: 'f32' | 'f64'): CorpusCase {
  const shapes = INTERESTING[type === 'f32' ? f32 : f64];
  const bits = (nan: number): string => {
    const digits = (shapes[nan] ?? 0n).toString(16);
    const integer = type === 'f32' ? 'i32' : 'i64';
    return `(${type}.reinterpret_${integer} (${integer}.const 0x${digits}))`;
  };
  const functions: string[] = [
    `(func $keep.${type} (param ${type}) (${type}.store (i32.const 4096) (local.get 0)))`,
  ];
  const runs: CorpusRun[] = [];
  for (const op of ['add', 'min']) {
    functions.push(`(func $give.${type}.${op} (param ${type} ${type}) (result ${type})
      (${type}.${op} (local.get 0) (local.get 1)))`);
    for (const [name, code] of consumers(type)) {
      // A signalling NaN with sign, and one with a payload.
      const call = `${op} and ${name}`;
      functions.push(`(func (export "${call}") (local $x ${type}) (local $y ${type})
        (local $z ${type}) (local.set $x ${bits(10)}) (local.set $y ${bits(12)})
        ${code.replaceAll('OP', op)})`);
      runs.push(run(call));
    }
  }
  return {
    name: `NaNs of ${type} on their way`,
    text: `(module (memory 1) (global $${type} (mut ${type}) (${type}.const 0))
      ${functions.join('\n')})`,
    runs,
    warmups: 10_000,
  };
}

/** Bits of every NaN through what must keep them. */
const kept: CorpusCase = {
  name: 'what keeps the bits of a NaN',
  text: `(module (memory 1) (global $f (mut f32) (f32.const 0)) (global $d (mut f64) (f64.const 0))
    ${DATA}
    (func $same32 (param f32) (result f32) (local.get 0))
    (func $same64 (param f64) (result f64) (local.get 0))
    (func (export "f32") (param $i i32) (result i32)
      (global.set $f (call $same32 (select ${operand(f32, '$i')} (f32.const 1) (i32.const 1))))
      (f32.store (i32.const 4096) (f32.neg (global.get $f)))
      (i32.reinterpret_f32 (f32.copysign (f32.abs (f32.load (i32.const 4096))) (global.get $f))))
    (func (export "f64") (param $i i32) (result i64)
      (global.set $d (call $same64 (select ${operand(f64, '$i')} (f64.const 1) (i32.const 1))))
      (f64.store (i32.const 4096) (f64.neg (global.get $d)))
      (i64.reinterpret_f64 (f64.copysign (f64.abs (f64.load (i32.const 4096))) (global.get $d))))
    (func (export "constants")
      (f32.store (i32.const 4096) (f32.const nan:0x200000))
      (f32.store (i32.const 4100) (f32.const -nan:0x1))
      (f64.store (i32.const 4104) (f64.const nan:0x4000000000000))
      (f64.store (i32.const 4112) (f64.const -nan:0xfffffffffffff))))`,
  runs: [
    ...INTERESTING[f32].map((_, i) => run('f32', i)),
    ...INTERESTING[f64].map((_, i) => run('f64', i)),
    run('constants'),
  ],
  warmups: 10_000,
};

export const operatorCases: readonly CorpusCase[] = [
  ...whole,
  ...single.filter(({ runs }) => runs.length > 0),
  throughConsumers('f32'),
  throughConsumers('f64'),
  kept,
];

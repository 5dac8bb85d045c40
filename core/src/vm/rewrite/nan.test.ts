import { describe, expect, test } from 'vitest';
import { Metered, rewritten } from './testing/metered.ts';

/** How many places of the module make a NaN canonical: it has that constant once for each. */
function places(text: string): number {
  const bytes = [...rewritten(`(memory 1) ${text}`).bytes].join();
  return bytes.split('67,0,0,192,127,').length + bytes.split('68,0,0,0,0,0,0,248,127,').length - 2;
}

const inFunction = (body: string): number =>
  places(`(func (param f64 f64 f32) (local f64 i32) ${body})`);

const SUM = '(f64.add (local.get 0) (local.get 1))';
const PRODUCT = '(f64.mul (local.get 0) (local.get 1))';

describe('a result of float arithmetic is made canonical', () => {
  test.each([
    ['a local', `(local.set 3 ${SUM})`],
    ['a tee', `(drop (local.tee 3 ${SUM}))`],
    ['memory', `(f64.store (i32.const 0) ${SUM})`],
    ['a reinterpretation', `(drop (i64.reinterpret_f64 ${SUM}))`],
    ['copysign', `(drop (f64.copysign ${SUM} (local.get 0)))`],
    ['neg', `(drop (f64.neg ${SUM}))`],
    ['select', `(drop (select ${SUM} (local.get 0) (i32.const 1)))`],
    ['the end of its basic block', `(drop (block (result f64) ${SUM}))`],
    ['f32', '(local.set 2 (f32.sqrt (local.get 2)))'],
    ['a demotion', '(local.set 2 (f32.demote_f64 (local.get 0)))'],
  ])('where %s can see it', (_, body) => {
    expect(inFunction(body)).toBe(1);
  });

  test('where it waits on the stack while a block ends', () => {
    expect(inFunction(`(drop (f64.add ${SUM} (block (result f64) (local.get 0))))`)).toBe(1);
  });

  test('where a call takes it', () => {
    expect(places(`(func $g (param f64) (call $g (f64.sqrt (local.get 0))))`)).toBe(1);
  });
});

describe('a result of float arithmetic keeps its bits', () => {
  test.each([
    ['more arithmetic', `(local.set 3 (f64.add ${SUM} ${PRODUCT}))`, 1],
    ['a comparison', `(local.set 4 (f64.lt ${SUM} ${PRODUCT}))`, 0],
    ['a truncation', `(local.set 4 (i32.trunc_sat_f64_s ${SUM}))`, 0],
    ['a truncation that traps', `(local.set 4 (i32.trunc_f64_u ${SUM}))`, 0],
    ['a demotion', `(drop (f32.demote_f64 ${SUM}))`, 0],
    ['nothing', `(drop ${SUM})`, 0],
  ])('where only %s takes it', (_, body, count) => {
    expect(inFunction(body)).toBe(count);
  });

  test('where no operator chose them', () => {
    expect(inFunction('(f64.store (i32.const 0) (f64.neg (f64.load (i32.const 8))))')).toBe(0);
  });
});

/** Bits of NaNs: quiet, negative, with a payload, signalling. */
const NANS = [
  0x7ff8000000000000n,
  0xfff8000000000000n,
  0x7ff8000000000001n,
  0xffffffffffffffffn,
  0x7ff0000000000001n,
];

test('every NaN that arithmetic makes has the canonical bits', () => {
  const operators = ['add', 'sub', 'mul', 'div', 'min', 'max'];
  const functions = operators.map(
    (name) =>
      `(func (export "${name}") (param i64 i64) (result i64) (i64.reinterpret_f64
        (f64.${name} (f64.reinterpret_i64 (local.get 0)) (f64.reinterpret_i64 (local.get 1)))))`,
  );
  const metered = new Metered(rewritten(functions.join('')));
  for (const name of operators) {
    for (const nan of NANS) {
      const bits = BigInt.asIntN(64, nan);
      expect(metered.run(name, [bits, 0n]).result).toBe(0x7ff8000000000000n);
      expect(metered.run(name, [0n, bits]).result).toBe(0x7ff8000000000000n);
    }
  }
});

test('numbers stay what they are', () => {
  const metered = new Metered(
    rewritten('(func (export "f") (param f64) (result f64) (f64.sqrt (local.get 0)))'),
  );
  for (const value of [0, -0, 2, Infinity, 5e-324]) {
    expect(Object.is(metered.run('f', [value]).result, Math.sqrt(value))).toBe(true);
  }
});

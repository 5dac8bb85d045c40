import { describe, expect, test } from 'vitest';
import { FRAME_SLOTS } from '../gas.ts';
import { Metered, rewritten, runOnce } from './testing/metered.ts';

/** Calls itself as often as it is told. */
const RECURSION = `
  (func $f (export "f") (param i32) (result i32) (local i64 i64)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
    (call $f (i32.sub (local.get 0) (i32.const 1))))`;
/** One param, two locals, two operands, 17 bytes of code. */
const SLOTS = 1 + 2 + 2 + 2 + FRAME_SLOTS;
/** `(func)` has a byte of code. */
const EMPTY_FRAME = 1 + FRAME_SLOTS;

describe('the stack budget', () => {
  test('holds exactly as many frames as fit, and is whole again after them', () => {
    for (const frames of [1, 2, 50]) {
      const stack = frames * SLOTS;
      const run = runOnce(RECURSION, [frames - 1], { stack });
      expect(run).toMatchObject({ end: 'returned', result: 7, stackLeft: stack });
      expect(runOnce(RECURSION, [frames], { stack: stack + SLOTS - 1 }).end).toBe(
        'stack-exhausted',
      );
    }
  });

  test('counts a function that calls nothing', () => {
    const leaf =
      '(func (export "f") (param i64) (local i32) (drop (i64.add (local.get 0) (local.get 0))))';
    const slots = 1 + 1 + 2 + 1 + FRAME_SLOTS;
    expect(runOnce(leaf, [1n], { stack: slots })).toMatchObject({
      end: 'returned',
      stackLeft: slots,
    });
    expect(runOnce(leaf, [1n], { stack: slots - 1 }).end).toBe('stack-exhausted');
    expect(runOnce('(func (export "f"))', [], { stack: EMPTY_FRAME }).end).toBe('returned');
    expect(runOnce('(func (export "f"))', [], { stack: EMPTY_FRAME - 1 }).end).toBe(
      'stack-exhausted',
    );
  });

  test('counts code: a slot for each 16 bytes, as far as begun', () => {
    for (const [nops, slots] of [
      [0, 1],
      [15, 1],
      [16, 2],
      [31, 2],
      [32, 3],
      [60_000, 3_751],
    ] as const) {
      const text = `(func (export "f") ${'nop '.repeat(nops)})`;
      const stack = slots + FRAME_SLOTS;
      expect(runOnce(text, [], { stack }).end).toBe('returned');
      expect(runOnce(text, [], { stack: stack - 1 }).end).toBe('stack-exhausted');
    }
  });

  test('is given back on every way out', () => {
    const text = `
      (func $g)
      (func (export "f") (param i32) (result i32)
        (call $g)
        (block $a
          (br_if $a (i32.eqz (local.get 0)))
          (drop (br_if 1 (i32.const 5) (i32.eq (local.get 0) (i32.const 2))))
          (return (i32.const 1)))
        (i32.const 0))`;
    const metered = new Metered(rewritten(text));
    for (const [arg, result] of [
      [0, 0],
      [1, 1],
      [2, 5],
    ]) {
      expect(metered.run('f', [arg])).toMatchObject({ result, stackLeft: 16_384 });
    }
  });

  test('comes before fuel', () => {
    const run = runOnce('(func (export "f") (drop (i32.const 1)))', [], { stack: 0, fuel: 0n });
    expect(run).toMatchObject({ end: 'stack-exhausted', fuelLeft: 0n });
  });

  test('does not hide that the caller had run out of gas before', () => {
    const text = '(func $g) (func (export "f") (call $g))';
    const stack = EMPTY_FRAME;
    expect(runOnce(text, [], { stack, fuel: 1n }).end).toBe('stack-exhausted');
    expect(runOnce(text, [], { stack, fuel: 0n }).end).toBe('out-of-gas');
  });

  test('ends a recursion without an end', () => {
    const run = runOnce('(func $f (export "f") (call $f))');
    expect(run.end).toBe('stack-exhausted');
  });
});

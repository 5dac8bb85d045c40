import { describe, expect, test } from 'vitest';
import { BodySurvey } from './survey.ts';
import { validModule } from './testing/metered.ts';

/** The survey of the first function, and the costs of its first blocks. */
function surveyed(body: string, blocks: number): { survey: BodySurvey; costs: number[] } {
  const { module } = validModule(`(module ${body})`);
  const survey = new BodySurvey(module.bytes.length);
  survey.look(module.bytes, module.functions[0]?.code.start ?? 0, 0);
  return { survey, costs: Array.from({ length: blocks }, (_, i) => survey.costOf(i)) };
}

describe('basic blocks', () => {
  test('straight code is one, and what is free costs nothing in it', () => {
    const { costs } = surveyed('(func (nop) (block (drop (i32.const 1))))', 2);
    // nop, block, drop and end cost 0; behind the inner end a new block begins.
    expect(costs).toEqual([1, 0]);
  });

  test('an if belongs to the block before it, and each arm is one', () => {
    const text =
      '(func (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 1)) ' +
      '(else (i32.add (i32.const 1) (i32.const 2)))))';
    expect(surveyed(text, 4).costs).toEqual([2, 1, 3, 0]);
  });

  test('a loop begins one, and a conditional branch ends one', () => {
    const text =
      '(func (param i32) (local.set 0 (i32.const 5)) ' +
      '(loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))))';
    const { survey, costs } = surveyed(text, 4);
    expect(costs).toEqual([2, 6, 0, 0]);
    expect(survey.isRepeated(0)).toBe(true);
  });

  test('every call ends one', () => {
    const { survey, costs } = surveyed(
      '(table 1 funcref) (func (call 0) (call_indirect (i32.const 0)) (drop (i32.const 1)))',
      3,
    );
    expect(costs).toEqual([1, 2, 1]);
    expect(survey.hasCalls).toBe(true);
  });

  test('unreachable code has no cost and no calls', () => {
    const { survey, costs } = surveyed(
      '(func (return) (call 0) (block (call 0)) (drop (i32.const 1)))',
      3,
    );
    expect(costs).toEqual([0, 0, 0]);
    expect(survey.hasCalls).toBe(false);
    expect(survey.takesFuel).toBe(false);
    expect(survey.leavesEarly).toBe(true);
  });

  test('a br_table may leave the function by any of its labels', () => {
    const { survey } = surveyed('(func (block (br_table 0 1 0 (i32.const 2))))', 1);
    expect(survey.leavesEarly).toBe(true);
  });
});

describe('loops', () => {
  test('one that no branch leads back to is not repeated', () => {
    const { survey } = surveyed('(func (loop (loop (br 0)) ) (loop (block (br 0))))', 1);
    expect([0, 1, 2].map((loop) => survey.isRepeated(loop))).toEqual([false, true, false]);
  });
});

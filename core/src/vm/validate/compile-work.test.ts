import { describe, expect, it } from 'vitest';
import { decodeModule } from '../decode/index.ts';
import { LIMITS } from '../limits.ts';
import { wat } from '../testing/wat.ts';
import { validateModule } from './index.ts';

const REFUSED = expect.objectContaining({
  code: 'wasm.limit',
  details: expect.objectContaining({ limit: 'compileWork', bound: LIMITS.compileWork }),
});

/** Validates a module of `functions` like functions. */
function validate(body: string, functions = 1, before = ''): () => unknown {
  const module = decodeModule(wat(`(module ${before} ${`(func ${body})`.repeat(functions)})`));
  return () => validateModule(module, 'contract');
}

const locals = (count: number): string => `(local ${'i32 '.repeat(count)})`;
const per = (amount: number): number => Math.floor(LIMITS.compileWork / amount);

describe('compile work', () => {
  it('counts the locals of every function', () => {
    expect(validate(locals(2_000), per(2 * 2_000) - 1)).not.toThrow();
    expect(validate(locals(2_000), per(2 * 2_000) + 1)).toThrow(REFUSED);
  });

  it('counts locals and operands where control splits or joins', () => {
    // Two a block, where it begins and where it ends.
    const blocks = (height: number, count: number): string =>
      `${locals(1_000)} ${'(i32.const 1)'.repeat(height)} ${'(block)'.repeat(count)} ${'drop '.repeat(height)}`;
    expect(validate(blocks(0, per(2_000) - 1))).not.toThrow();
    expect(validate(blocks(0, per(2_000)))).toThrow(REFUSED);
    expect(validate(blocks(1_000, per(4_000) - 1))).not.toThrow();
    expect(validate(blocks(1_000, per(4_000)))).toThrow(REFUSED);
  });

  it('counts locals and operands where a NaN is made canonical', () => {
    const sums = (count: number): string =>
      `${locals(1_000)} (f64.const 0) ${'(f64.const 1) f64.add '.repeat(count)} drop`;
    // The sum is on the stack then; a function by itself is twice its locals.
    const most = Math.floor((LIMITS.compileWork / 2 - 2_000) / 1_001);
    expect(validate(sums(most), 2)).not.toThrow();
    expect(validate(sums(most + 1), 2)).toThrow(REFUSED);
  });

  it('counts every target of a br_table once', () => {
    const depth = 100;
    // Its blocks begin and end, the table itself splits, and so does each of its targets.
    const table = (targets: number): string => `${locals(1_000)}
      ${'block '.repeat(depth)}
        (br_table ${Array.from({ length: 300 }, (_, i) => i % targets).join(' ')} (i32.const 0))
      ${'end '.repeat(depth)}`;
    const each = (targets: number): number => 1_000 * (2 * depth + targets + 3);
    for (const targets of [1, depth]) {
      expect(validate(table(targets), per(each(targets)))).not.toThrow();
      expect(validate(table(targets), per(each(targets)) + 1)).toThrow(REFUSED);
    }
  });

  it('counts a part of the locals where code calls out', () => {
    const callee = '(func $f (drop (memory.grow (i32.const 0)))) (memory 1)';
    for (const operator of ['(call $f)', '(drop (memory.grow (i32.const 0)))']) {
      // The locals of a function are counted where it begins and where it ends.
      const calls = (count: number): string => locals(16_000) + operator.repeat(count);
      const most = per(1_000) - 32;
      expect(validate(calls(most - 8), 1, callee)).not.toThrow();
      expect(validate(calls(most + 1), 1, callee)).toThrow(REFUSED);
    }
  });

  it('counts what calls pass and hand back', () => {
    const callee = `(func $f (param ${'i64 '.repeat(100)}))`;
    const call = `${'(i64.const 1)'.repeat(100)} (call $f)`;
    const calls = (count: number): (() => unknown) => validate(call.repeat(25), count / 25, callee);
    expect(calls(per(16 * 100) - 25)).not.toThrow();
    expect(calls(per(16 * 100) + 25)).toThrow(REFUSED);
  });
});

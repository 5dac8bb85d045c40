/** Contracts that want to stop the node: each gets a result, and the next call runs as ever. */
import { afterEach, describe, expect, it } from 'vitest';
import { STACK_BUDGET_SLOTS } from '../gas.ts';
import type { HostFunctions } from './host-functions.ts';
import { MAX_CALL_DEPTH } from './machine.ts';
import { MemoryPool } from './memory-pool.ts';
import { CALLER_MEMORY, callOther, ToyChain, type ToyContext } from './testing.ts';

const pool = new MemoryPool();
const chain = new ToyChain({}, pool);
const WELL_BEHAVED = 7;
chain.deploy(
  WELL_BEHAVED,
  `(memory 1) (data (i32.const 0) "ok") (func (export "e")
  (call $return (i32.const 0) (i32.const 2)))`,
);

const run = (body: string, gasLimit = 3_000_000n): ReturnType<ToyChain['run']> => {
  chain.deploy(0, body);
  return chain.run(0, gasLimit);
};

afterEach(() => {
  expect(chain.run(WELL_BEHAVED)).toMatchObject({ kind: 'returned', gasUsed: 4n });
});

describe('a hostile contract', () => {
  it('that loops for ever uses its gas', () => {
    const limit = 20_000_000n;
    const expected = { kind: 'trapped', trap: 'out-of-gas', gasUsed: limit };
    expect(run('(func (export "e") (loop (br 0)))', limit)).toEqual(expected);
    expect(run('(func (export "e") (loop (br_if 0 (i32.const 1))))', limit)).toEqual(expected);
    expect(run('(start $s) (func $s (loop (br 0))) (func (export "e"))', limit)).toEqual(expected);
    expect(run('(func $f) (func (export "e") (loop (call $f) (br 0)))', limit)).toEqual(expected);
  });

  it('that recurs for ever ends with its stack, whatever its frames are like', () => {
    const exhausted = { kind: 'trapped', trap: 'stack-exhausted' };
    const locals = (count: number): string => `(local ${'i64 '.repeat(count)})`;
    const pushed = `${'(i64.const 1) '.repeat(500)} (call $e) ${'drop '.repeat(500)}`;
    expect(run('(func $e (export "e") (call $e))')).toMatchObject(exhausted);
    expect(run(`(func $e (export "e") ${locals(1_000)} (call $e))`)).toMatchObject(exhausted);
    expect(run(`(func $e (export "e") ${pushed})`)).toMatchObject(exhausted);
    expect(run('(start $s) (func $s (call $s)) (func (export "e"))')).toMatchObject(exhausted);
    expect(
      run(`(table 1 funcref) (elem (i32.const 0) $e)
        (func $e (export "e") (call_indirect (i32.const 0)))`),
    ).toMatchObject(exhausted);
    // One frame larger than the whole budget never begins.
    expect(
      run(`(func (export "e") (call $f)) (func $f ${locals(STACK_BUDGET_SLOTS)})`),
    ).toMatchObject(exhausted);
  });

  it('that recurs in every frame of the deepest chain of calls', () => {
    const spread = Math.floor(STACK_BUDGET_SLOTS / MAX_CALL_DEPTH / 8);
    const outcome = run(`${CALLER_MEMORY}
      (func $e (export "e") (call $down (i32.const ${spread / 2})))
      (func $down (param i32)
        (if (local.get 0)
          (then (call $down (i32.sub (local.get 0) (i32.const 1))))
          (else (drop ${callOther(0)}))))`);
    expect(outcome).toMatchObject({ kind: 'returned' });
  });

  it('that asks for all memory in every frame gets what all frames may hold', () => {
    const grow = '(drop (memory.grow (i32.const 1023)))';
    chain.nested.length = 0;
    expect(
      run(`${CALLER_MEMORY} (func (export "e") ${grow} (drop ${callOther(0)}))`, 100_000_000n),
    ).toMatchObject({ kind: 'returned' });
    expect(chain.nested[0]).toMatchObject({ trap: 'memory-exhausted' });
  });

  it('that asks for more memory than there is gets −1', () => {
    expect(
      run(`(memory 1 65536) (func (export "e")
        (if (i32.ne (memory.grow (i32.const 1024)) (i32.const -1)) (then unreachable))
        (if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then unreachable)))`),
    ).toMatchObject({ kind: 'returned', gasUsed: 10n });
  });

  it('that leaves memories behind by the thousand', () => {
    const before = pool.idle;
    for (let i = 0; i < 1_000; i++) {
      const grown = `(memory ${1 + (i % 40)}) (func (export "e") (drop (memory.grow (i32.const 1))))`;
      if (i < 40) chain.deploy(8 + i, grown);
      expect(chain.run(8 + (i % 40), 100_000n).kind).toBe('returned');
    }
    expect(pool.idle.memories).toBeLessThanOrEqual(before.memories);

    for (let i = 0; i < 1_000; i++) {
      if (i < 40) chain.deploy(8 + i, `(memory ${1 + i}) (func (export "e"))`);
      chain.run(8 + (i % 40), 100_000n);
    }
    expect(pool.idle.memories).toBeLessThanOrEqual(32);
    expect(pool.idle.pages).toBeLessThanOrEqual(512);
  });

  it('whose calls fail again and again', () => {
    const again = (callee: string): unknown => {
      chain.deploy(1, callee);
      return run(
        `${CALLER_MEMORY} (func (export "e") (loop (drop ${callOther(1, '(i64.const 50)')}) (br 0)))`,
        500_000n,
      );
    };
    const spent = { trap: 'out-of-gas', gasUsed: 500_000n };
    expect(again('(func (export "e") unreachable)')).toMatchObject(spent);
    expect(again('(memory 64) (func (export "e"))')).toMatchObject(spent);
    expect(again('(memory 1) (data (i32.const 65536) "x") (func (export "e"))')).toMatchObject(
      spent,
    );
    expect(again('(func $e (export "e") (call $e))')).toMatchObject(spent);
  });
});

describe('the native stack', () => {
  /** JavaScript between the contract and its callee, many times what a host function needs. */
  const PADDING = 40;
  const padded = (depth: number, then: () => number): number => {
    const held = [depth, depth, depth, depth];
    return depth === 0 ? then() : padded(depth - 1, then) + held.length - 4;
  };

  it('holds the whole budget, in one frame and over 64, with host functions between', () => {
    const host: HostFunctions<ToyContext> = {
      cross_call: (frame, target: number) =>
        padded(PADDING, () => {
          const self = frame.bytes(target, 1)[0] ?? 0;
          const request = { gasLimit: frame.fuelLeft(), context: { self } };
          const outcome = frame.call(deep.contract(self), 'e', request);
          return outcome.kind === 'returned' ? 0 : -10;
        }),
    };
    const deep = new ToyChain(host);
    for (const perFrame of [5, 14, 15, 16, 100, 100_000]) {
      deep.deploy(
        0,
        `${CALLER_MEMORY} (global $here (mut i32) (i32.const 0))
        (func $e (export "e")
          (global.set $here (i32.add (global.get $here) (i32.const 1)))
          (if (i32.lt_u (global.get $here) (i32.const ${perFrame}))
            (then (call $e))
            (else (drop ${callOther(0)}))))`,
      );
      // Cold at first, then compiled with all optimisation.
      for (let i = 0; i < 60; i++) expect(deep.run(0).kind).toMatch(/returned|trapped/);
    }
  });
});

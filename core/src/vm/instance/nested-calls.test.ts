import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_SLOTS, STACK_BUDGET_SLOTS } from '../gas.ts';
import { MAX_CALL_DEPTH, MAX_LIVE_PAGES } from './machine.ts';
import { CALLER_MEMORY, callOther, OUT, TOY_GAS, ToyChain } from './testing.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
/** What `callOther` costs the caller itself: nine operands, the call, and the host function. */
const CALL_GAS = BigInt(10 + TOY_GAS.call);

describe('a call of another contract', () => {
  it('hands back what that returned, and A → B → A have memories of their own', () => {
    const chain = new ToyChain();
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
        (i32.store8 (i32.const 128) (i32.add (i32.load8_u (i32.const 128)) (i32.const 5)))
        (if (i64.eqz (i64.rem_u (call $tick) (i64.const 2)))
          (then (call $return (i32.const 128) (i32.const 1))))
        (drop ${callOther(1)})
        (i32.store8 (i32.const 129) (i32.load8_u (i32.const ${OUT})))
        (call $return (i32.const 128) (i32.const 2)))`,
    );
    chain.deploy(
      1,
      `${CALLER_MEMORY} (func (export "e")
        (i32.store8 (i32.const 128) (i32.const 77))
        (drop ${callOther(0)})
        (i32.store8 (i32.const 129) (i32.load8_u (i32.const ${OUT})))
        (call $return (i32.const 128) (i32.const 2)))`,
    );
    // Each instance of contract 0 starts from 0 and comes to 5; contract 1 keeps its 77.
    expect(chain.run(0)).toMatchObject({ kind: 'returned', data: bytes(5, 77) });
    expect(chain.nested).toMatchObject([{ data: bytes(5) }, { data: bytes(77, 5) }]);
  });

  it('runs with its own storage and the caller goes on with its own', () => {
    const chain = new ToyChain();
    const store = (value: number): string =>
      `(i32.store8 (i32.const 200) (i32.const ${value}))
       (call $sstore (i32.const 256) (i32.const 200) (i32.const 1))`;
    chain.deploy(1, `${CALLER_MEMORY} (func (export "e") ${store(2)})`);
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e") ${store(1)} (drop ${callOther(1)})
        (drop (call $sload (i32.const 256) (i32.const 300) (i32.const 1)))
        (call $return (i32.const 300) (i32.const 1)))`,
    );
    expect(chain.run(0)).toMatchObject({ data: bytes(1) });
    expect([...chain.storage.values()]).toEqual([bytes(1), bytes(2)]);
  });

  it('hands back revert data, and only the callee is undone', () => {
    const chain = new ToyChain();
    chain.deploy(
      1,
      `(memory 1) (data (i32.const 0) "why") (func (export "e")
      (call $revert (i32.const 0) (i32.const 3)))`,
    );
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
      (if (i32.ne ${callOther(1)} (i32.const -10)) (then unreachable))
      (call $return (i32.const ${OUT}) (i32.const 3)))`,
    );
    expect(chain.run(0)).toMatchObject({ kind: 'returned', data: bytes(0x77, 0x68, 0x79) });
  });

  it('uses of the caller exactly what it used, whatever its limit was', () => {
    const chain = new ToyChain();
    chain.deploy(1, '(func (export "e") (drop (call $consume (i64.const 98))))');
    for (const limit of [102n, 5_000n, -1n]) {
      chain.deploy(
        0,
        `${CALLER_MEMORY} (func (export "e")
        (drop ${callOther(1, `(i64.const ${limit})`)}))`,
      );
      const outcome = chain.run(0, 50_000);
      // 1 for the data of the caller's module
      expect(outcome).toMatchObject({ kind: 'returned', gasUsed: 1n + CALL_GAS + 102n });
    }
  });

  it('that runs out of its gas leaves the caller the rest', () => {
    const chain = new ToyChain();
    chain.deploy(1, '(func (export "e") (loop (br 0)))');
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
      (if (i32.ne ${callOther(1, '(i64.const 777)')} (i32.const -11)) (then unreachable)))`,
    );
    const outcome = chain.run(0, 50_000);
    expect(outcome).toMatchObject({ kind: 'returned', gasUsed: 1n + CALL_GAS + 777n + 3n });
    expect(chain.nested).toEqual([{ kind: 'trapped', trap: 'out-of-gas', gasUsed: 777n }]);
  });

  it('that takes all gas ends the caller where that next needs some', () => {
    const chain = new ToyChain();
    chain.deploy(1, '(func (export "e") (loop (br 0)))');
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
      (drop ${callOther(1)}) (i32.store (i32.const 0) (i32.const 1)))`,
    );
    expect(chain.run(0, 50_000)).toEqual({ kind: 'trapped', trap: 'out-of-gas', gasUsed: 50_000n });
  });

  it('on gas of its own costs the caller nothing', () => {
    const chain = new ToyChain();
    chain.deploy(1, '(func (export "e") (drop (call $consume (i64.const 90000))))');
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
      (if (call $cross_call_static (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 0)
        (i32.const 0) (i64.const 100000) (i32.const ${OUT}) (i32.const 1020)) (then unreachable)))`,
    );
    expect(chain.run(0, 5_000)).toMatchObject({
      kind: 'returned',
      gasUsed: BigInt(1 + 10 + TOY_GAS.call),
    });
    expect(chain.nested[0]?.gasUsed).toBe(90_004n);
  });
});

describe('depth', () => {
  it(`reaches ${MAX_CALL_DEPTH} frames, and the next call is not begun`, () => {
    const chain = new ToyChain();
    // Every frame counts itself, calls on, and hands back what that gave, or 99 at the end.
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
      (drop (call $tick))
      (if (i32.eqz ${callOther(0)})
        (then (call $return (i32.const ${OUT}) (i32.const 1))))
      (i32.store8 (i32.const ${OUT}) (i32.const 99))
      (call $return (i32.const ${OUT}) (i32.const 1)))`,
    );
    expect(chain.run(0)).toMatchObject({ kind: 'returned', data: bytes(99) });
    expect(chain.ticks).toBe(MAX_CALL_DEPTH);
    expect(chain.nested).toHaveLength(MAX_CALL_DEPTH);
    expect(chain.nested[0]).toEqual({ kind: 'trapped', trap: 'call-depth', gasUsed: 0n });
    expect(chain.nested.slice(1).every(({ kind }) => kind === 'returned')).toBe(true);
  });
});

describe('the stack budget', () => {
  /** One function whose every activation counts itself, and goes on in itself or in a new frame. */
  function recursion(perFrame: number): ToyChain {
    const chain = new ToyChain();
    chain.deploy(
      0,
      `${CALLER_MEMORY} (global $here (mut i32) (i32.const 0))
      (func $e (export "e")
        (drop (call $tick))
        (global.set $here (i32.add (global.get $here) (i32.const 1)))
        (if (i32.lt_u (global.get $here) (i32.const ${perFrame}))
          (then (call $e))
          (else (if ${callOther(0)} (then unreachable)))))`,
    );
    return chain;
  }
  /** The call has nine operands, and the code has four begun runs of 16 bytes. */
  const activations = Math.floor(STACK_BUDGET_SLOTS / (9 + 4 + FRAME_SLOTS));

  it('is one for all frames, wherever the recursion is spread', () => {
    const spread = fc.integer({ min: Math.ceil(activations / (MAX_CALL_DEPTH - 1)), max: 2_000 });
    fc.assert(
      fc.property(spread, (perFrame) => {
        const chain = recursion(perFrame);
        const outcome = chain.run(0);
        expect(chain.ticks).toBe(activations);
        const innermost = chain.nested[0] ?? outcome;
        expect(innermost).toMatchObject({ kind: 'trapped', trap: 'stack-exhausted' });
        expect(chain.nested).toHaveLength(Math.floor(activations / perFrame));
      }),
      { numRuns: 25, examples: [[16], [activations], [2_000]] },
    );
  });

  it('is whole again after a callee that ended in the middle of its own', () => {
    const chain = new ToyChain();
    chain.deploy(1, '(func $e (export "e") (call $e))');
    chain.deploy(
      2,
      '(memory 1) (func $deep (call $return (i32.const 0) (i32.const 1))) (func (export "e") (call $deep))',
    );
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
      (drop ${callOther(1)}) (drop ${callOther(2)}) (drop ${callOther(1)}))`,
    );
    expect(chain.run(0)).toMatchObject({ kind: 'returned' });
    const [first, , last] = chain.nested;
    expect(first).toMatchObject({ trap: 'stack-exhausted' });
    expect(last).toEqual(first);
  });
});

describe('memory over all frames', () => {
  it('ends before a callee that might grow beyond the bound, the same on every engine', () => {
    const chain = new ToyChain();
    // Grows to the limit, then calls itself.
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
      (drop (call $tick))
      (if (i32.eq (memory.grow (i32.const 1023)) (i32.const -1)) (then unreachable))
      (drop ${callOther(0)}))`,
    );
    expect(chain.run(0)).toMatchObject({ kind: 'returned' });
    expect(chain.ticks).toBe(MAX_LIVE_PAGES / 1_024);
    expect(chain.nested[0]).toEqual({ kind: 'trapped', trap: 'memory-exhausted', gasUsed: 0n });
  });

  it('counts a waiting frame with what it holds, so that small ones go to full depth', () => {
    const chain = new ToyChain();
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e")
      (drop (memory.grow (i32.const 40))) (drop (call $tick)) (drop ${callOther(0)}))`,
    );
    expect(chain.run(0)).toMatchObject({ kind: 'returned' });
    expect(chain.ticks).toBe(MAX_CALL_DEPTH);
  });

  it('is free again when frames have ended', () => {
    const chain = new ToyChain();
    chain.deploy(1, '(memory 1) (func (export "e") (drop (memory.grow (i32.const 1000))))');
    chain.deploy(
      0,
      `${CALLER_MEMORY} (func (export "e") (local $i i32)
      (loop
        (if ${callOther(1)} (then unreachable))
        (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20)))))`,
    );
    expect(chain.run(0)).toMatchObject({ kind: 'returned' });
    expect(chain.nested).toHaveLength(20);
  });
});

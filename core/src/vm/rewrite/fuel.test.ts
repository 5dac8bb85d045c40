import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeModule } from '../decode/index.ts';
import { Interpreter, Trap } from '../testing/interpreter.ts';
import { wat } from '../testing/wat.ts';
import { gasOf, Metered, rewritten, runOnce } from './testing/metered.ts';

/** Loops, both arms, early returns, calls, a table, memory and a division that may trap. */
const PROGRAM = `
  (memory 1) (table funcref (elem $odd $even))
  (type $step (func (param i32) (result i32)))
  (func $odd (type $step)
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
    (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))
  (func $even (type $step)
    (if (i32.eq (local.get 0) (i32.const 4)) (then (return (i32.const 2))))
    (i32.shr_u (local.get 0) (i32.const 1)))
  (func (export "f") (param i32 i32) (result i32) (local i32)
    (block $done
      (loop $again
        (br_if $done (i32.le_u (local.get 0) (i32.const 1)))
        (local.set 0 (call_indirect (type $step) (local.get 0)
          (i32.eqz (i32.and (local.get 0) (i32.const 1)))))
        (local.set 2 (i32.add (local.get 2) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get 2) (i32.const 40)))))
    (i32.div_u (i32.add (local.get 2) (i32.load (i32.const 8))) (local.get 1)))`;

/** What the definition says. */
function defined(args: readonly bigint[], fuel: bigint): { end: string; left: bigint } {
  const machine = new Interpreter(decodeModule(wat(`(module ${PROGRAM})`)), {
    fuel,
    stackSlots: 16_384,
  });
  try {
    machine.callExport('f', args);
    return { end: 'returned', left: machine.fuel };
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    return { end: error.reason === 'out-of-gas' ? error.reason : 'trap', left: machine.fuel };
  }
}

describe('gas', () => {
  test('is exact at every amount of fuel, whether the run returns or traps', () => {
    const module = rewritten(PROGRAM);
    for (const args of [
      [6, 1],
      [6, 0],
    ] as const) {
      const used = 10_000n - defined(args.map(BigInt), 10_000n).left;
      expect(used).toBeGreaterThan(100n);
      for (let fuel = 0n; fuel <= used + 1n; fuel++) {
        const expected = defined(args.map(BigInt), fuel);
        const { end, fuelLeft } = new Metered(module).run('f', args, { fuel });
        const left = fuelLeft < 0n ? 0n : fuelLeft;
        expect({ fuel, end, left }).toEqual({ fuel, ...expected });
      }
    }
  });

  test('is what the definition says for any arguments', () => {
    const metered = rewritten(PROGRAM);
    fc.assert(
      fc.property(fc.nat(500), fc.nat(2), fc.bigInt(0n, 1_000n), (start, divisor, fuel) => {
        const expected = defined([BigInt(start), BigInt(divisor)], fuel);
        const { end, fuelLeft } = new Metered(metered).run('f', [start, divisor], { fuel });
        expect({ end, left: fuelLeft < 0n ? 0n : fuelLeft }).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('a loop without an end runs out, with nothing in it too', () => {
    expect(runOnce('(func (export "f") (loop (br 0)))').end).toBe('out-of-gas');
    const nested = '(func (export "f") (loop (block (loop (br 2)))))';
    expect(runOnce(nested).end).toBe('out-of-gas');
  });

  test('a function that calls itself without an end runs out', () => {
    const text = '(func $f (export "f") (call $f))';
    expect(runOnce(text, [], { fuel: 100n }).end).toBe('out-of-gas');
  });

  test('a trap leaves what its blocks have cost, and no more', () => {
    const blocks = '(block (drop (i32.load (i32.const -1)))) (drop (i32.const 1))';
    const run = runOnce(`(memory 1) (func (export "f") ${blocks})`, [], { fuel: 100n });
    expect(run).toMatchObject({ end: 'trap', fuelLeft: 98n });
  });

  test('a trap that comes with fuel below 0 is out of gas', () => {
    // The whole block is taken when it is entered, and its last operators cannot be paid.
    const division = '(drop (i32.div_u (i32.const 1) (i32.const 0)))';
    const text = `(func (export "f") ${division})`;
    expect(runOnce(text, [], { fuel: 2n }).end).toBe('out-of-gas');
    expect(runOnce(text, [], { fuel: 3n }).end).toBe('trap');
    const callee = `(func $g ${division}) (func (export "f") (call $g))`;
    expect(runOnce(callee, [], { fuel: 3n }).end).toBe('out-of-gas');
    expect(runOnce(callee, [], { fuel: 4n })).toMatchObject({ end: 'trap', fuelLeft: 0n });
  });

  test('of a long function without loops runs out before it returns', () => {
    const arm = '(if (local.get 0) (then (local.set 0 (i32.const 1))))';
    const text = `(func (export "f") (param i32) ${arm.repeat(1_000)})`;
    expect(gasOf(text, [1])).toBe(4_000);
    expect(runOnce(text, [1], { fuel: 3_999n }).end).toBe('out-of-gas');
    expect(runOnce(text, [1], { fuel: 4_000n })).toMatchObject({ end: 'returned', fuelLeft: 0n });
  });
});

describe('a host function', () => {
  const CALLS = `
    (import "pyde" "wave_id" (func $host (result i64)))
    (table funcref (elem $host))
    (func (export "f") (param i32) (result i64)
      (if (local.get 0) (then (return (call_indirect (result i64) (i32.const 0)))))
      (drop (i32.const 1))
      (call $host))`;

  test('sees exact fuel, and what it takes is taken', () => {
    const seen: bigint[] = [];
    const metered: Metered = new Metered(rewritten(CALLS), {
      wave_id: () => {
        seen.push(metered.fuel);
        (metered.exports['\0charge'] as (gas: number) => void)(30);
        return 5n;
      },
    });
    expect(metered.run('f', [0], { fuel: 100n })).toMatchObject({ result: 5n, fuelLeft: 66n });
    expect(metered.run('f', [1], { fuel: 100n })).toMatchObject({ result: 5n, fuelLeft: 66n });
    expect(seen).toEqual([96n, 96n]);
  });

  test('is never called once fuel is below 0, directly or through the table', () => {
    let calls = 0;
    const hosts = { wave_id: () => BigInt(++calls) };
    for (const [args, cost] of [
      [[0], 4n],
      [[1], 4n],
    ] as const) {
      calls = 0;
      for (let fuel = 0n; fuel < cost; fuel++) {
        const metered = new Metered(rewritten(CALLS), hosts);
        expect(metered.run('f', args, { fuel }).end).toBe('out-of-gas');
      }
      expect(calls).toBe(0);
      expect(new Metered(rewritten(CALLS), hosts).run('f', args, { fuel: cost }).end).toBe(
        'returned',
      );
      expect(calls).toBe(1);
    }
  });
});

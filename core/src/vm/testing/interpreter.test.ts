/// <reference path="../../webassembly.d.ts" />
/** The interpreter is believed only because the engine, running the same module, agrees with it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeModule } from '../decode/index.ts';
import { prepareModule } from '../instance/index.ts';
import { VALUE_TYPE, type ValueType, type WasmModule } from '../module.ts';
import { IMMEDIATE, OPERATORS, type Operator } from '../operators.ts';
import { Interpreter, instantiationGas, Trap } from './interpreter.ts';
import { readCode } from './interpreter-code.ts';
import { exportOf, flat, funcType, leb, moduleOf } from './module-builder.ts';
import { programOf, programOfSeed, randomProgram } from './random-program.ts';
import { INTERESTING } from './random-program-choices.ts';
import { difference, interpret, isFree, reasonsOf, runRaw } from './random-program-runs.ts';
import { wat } from './wat.ts';

const { i32, i64, f32, f64 } = VALUE_TYPE;

const numeric = OPERATORS.filter(
  (operator): operator is Operator =>
    operator?.immediate === IMMEDIATE.none && (operator.signature?.result ?? 0) !== 0,
);

/** Functions of integers only, one an operator, so that the bits of every float can be told. */
function operatorModule(): Uint8Array {
  const carrier = (type: number): ValueType => (type === i32 || type === f32 ? i32 : i64);
  const enter = (type: number): number[] => (type === f32 ? [0xbe] : type === f64 ? [0xbf] : []);
  const leave = (type: number): number[] => (type === f32 ? [0xbc] : type === f64 ? [0xbd] : []);
  return moduleOf({
    types: numeric.map(({ signature }) =>
      funcType((signature?.params ?? []).map(carrier), [carrier(signature?.result ?? 0)]),
    ),
    functions: numeric.map(({ code, signature }, type) => ({
      type,
      code: [
        ...(signature?.params ?? []).map((param, i) => flat(0x20, leb(i), enter(param))),
        code < 0x100 ? Uint8Array.of(code) : flat(0xfc, leb(code - 0x100)),
        leave(signature?.result ?? 0),
      ],
    })),
    exports: numeric.map(({ name }, i) => exportOf(name, 'function', i)),
  });
}

type Callable = (...args: readonly (number | bigint)[]) => number | bigint;

function isNan(type: number, bits: bigint): boolean {
  return type === f32
    ? (bits & 0x7fff_ffffn) > 0x7f80_0000n
    : (bits & 0x7fff_ffff_ffff_ffffn) > 0x7ff0_0000_0000_0000n;
}

describe('numeric operators of the interpreter', () => {
  const bytes = operatorModule();
  const module = decodeModule(bytes);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const machine = new Interpreter(module, { fuel: 1n << 62n, stackSlots: 100 });

  const bitsOf = (type: number, value: number | bigint): bigint =>
    BigInt.asUintN(type === i32 || type === f32 ? 32 : 64, BigInt(value));
  const asArgument = (type: number, bits: bigint): number | bigint =>
    type === i32 || type === f32 ? Number(BigInt.asIntN(32, bits)) : BigInt.asIntN(64, bits);

  for (const [index, { name, signature, makesNan }] of numeric.entries()) {
    const [first, second] = signature?.params ?? [];
    const result = signature?.result ?? 0;
    const run = exports[name] as Callable;

    /** What is wrong with the interpreter's answer, if anything. */
    const compare = (operands: readonly bigint[]): string | undefined => {
      const types = signature?.params ?? [];
      let there: bigint | Error;
      try {
        there = bitsOf(result, run(...operands.map((bits, i) => asArgument(types[i] ?? 0, bits))));
      } catch (error) {
        there = error as Error;
      }
      machine.stackSlots = 100;
      const shown = `${name} ${operands.map((bits) => bits.toString(16)).join(' ')}`;
      try {
        const [here = 0n] = machine.call(index, operands);
        if (typeof there !== 'bigint') return `${shown}: no trap`;
        if (makesNan && isNan(result, there)) {
          const canonical = result === f32 ? 0x7fc0_0000n : 0x7ff8_0000_0000_0000n;
          return here === canonical ? undefined : `${shown}: a NaN that is not canonical`;
        }
        return here === there ? undefined : `${shown}: ${here.toString(16)}, engine ${there}`;
      } catch (error) {
        if (!(error instanceof Trap)) throw error;
        if (typeof there === 'bigint') return `${shown}: a trap, ${error.reason}`;
        return reasonsOf(there).includes(error.reason) ? undefined : `${shown}: ${error.reason}`;
      }
    };

    it(`${name} is the engine's`, () => {
      const wrong: string[] = [];
      const note = (found: string | undefined): void => {
        if (found !== undefined) wrong.push(found);
      };
      for (const a of INTERESTING[first ?? i32]) {
        if (second === undefined) note(compare([a]));
        else for (const b of INTERESTING[second]) note(compare([a, b]));
      }
      const bits = (type: ValueType): fc.Arbitrary<bigint> =>
        fc.bigInt({ min: 0n, max: type === i32 || type === f32 ? 2n ** 32n - 1n : 2n ** 64n - 1n });
      const operands = (signature?.params ?? []).map(bits);
      fc.assert(
        fc.property(fc.tuple(...operands), (given) => note(compare(given))),
        { numRuns: 100 },
      );
      expect(wrong).toEqual([]);
    });
  }
});

describe('random programs', () => {
  const limits = { fuel: 20_000n, stackSlots: 16_384 };

  it('are valid, and of every kind of end there are some', () => {
    const ends = new Set<string>();
    let nans = 0;
    for (let seed = 0; seed < 1_500; seed++) {
      const program = programOfSeed(seed);
      const run = interpret(decodeModule(program.bytes), program, {
        fuel: 1_000n,
        stackSlots: 300,
      });
      ends.add(typeof run.end === 'bigint' ? 'returned' : run.end);
      if (run.nansMade > 0) nans++;
    }
    expect([...ends].sort()).toEqual(
      [
        ...['returned', 'out-of-gas', 'stack-exhausted', 'unreachable', 'memory-out-of-bounds'],
        ...['table-out-of-bounds', 'null-element', 'indirect-call-type', 'integer-overflow'],
        ...['integer-divide-by-zero', 'invalid-conversion'],
      ].sort(),
    );
    expect(nans).toBeGreaterThan(5);
  });

  it('end in the interpreter as they do in the engine', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const run = interpret(decodeModule(program.bytes), program, limits);
        fc.pre(isFree(run));
        expect(difference(run, runRaw(program, run.end))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('are the smallest where the numbers are used up', () => {
    expect(programOf([]).bytes.length).toBeLessThan(100);
  });
});

describe('gas of the interpreter', () => {
  const gasOf = (text: string, fuel = 1_000_000n, stackSlots = 16_384): string => {
    const module: WasmModule = decodeModule(wat(`(module ${text})`));
    const machine = new Interpreter(module, { fuel, stackSlots });
    let end = 'returned';
    try {
      machine.callExport('f', []);
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      end = error.reason;
    }
    return `${end} ${fuel - machine.fuel}`;
  };

  it('is one an operator, and nothing for what only shapes the code', () => {
    expect(gasOf('(func (export "f") nop (block (drop (i32.const 1))) return)')).toBe('returned 1');
  });

  it('is taken for the whole block before its first operator', () => {
    const code =
      '(i32.store (i32.const -1) (i32.const 7)) (drop (i32.const 1)) (drop (i32.const 2))';
    expect(gasOf(`(memory 1) (func (export "f") ${code})`)).toBe('memory-out-of-bounds 5');
    expect(gasOf(`(memory 1) (func (export "f") ${code})`, 4n)).toBe('out-of-gas 4');
  });

  it('counts each way round a loop, and a new block behind every end', () => {
    const loop = `(func (export "f") (local $i i32)
      (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $i) (i32.const 5))))
      (drop (local.get $i)))`;
    expect(gasOf(loop)).toBe(`returned ${5 * 8 + 1}`);
  });

  it('charges an if to the block before, and only the branch that is taken', () => {
    const branch = (condition: number): string => `(func (export "f")
      (if (i32.const ${condition}) (then (drop (i32.const 1))) (else (drop (i32.const 2))
        (drop (i32.const 3)))))`;
    expect(gasOf(branch(1))).toBe('returned 3');
    expect(gasOf(branch(0))).toBe('returned 4');
  });

  it('charges what follows a call only when the call returns', () => {
    const code = '(func $g unreachable) (func (export "f") (call $g) (drop (i32.const 1)))';
    expect(gasOf(code)).toBe('unreachable 1');
  });

  it('charges new pages, and nothing where memory cannot grow that far', () => {
    const grow = (delta: number): string =>
      `(memory 1 10) (func (export "f") (drop (memory.grow (i32.const ${delta}))))`;
    expect(gasOf(grow(9))).toBe('returned 9002');
    expect(gasOf(grow(10))).toBe('returned 2');
    expect(gasOf(grow(-1))).toBe('returned 2');
    expect(gasOf(grow(9), 9_001n)).toBe('out-of-gas 9001');
  });

  it('charges bulk operators by sixteen bytes before they look at the range', () => {
    const fill = (length: number): string => `(memory 1)
      (func (export "f") (memory.fill (i32.const 0) (i32.const 1) (i32.const ${length})))`;
    expect(gasOf(fill(0))).toBe('returned 4');
    expect(gasOf(fill(1))).toBe('returned 5');
    expect(gasOf(fill(32))).toBe('returned 6');
    expect(gasOf(fill(65_537))).toBe('memory-out-of-bounds 4101');
    expect(gasOf(fill(-1), 2n ** 40n)).toBe(`memory-out-of-bounds ${4 + 2 ** 28}`);
  });

  it('counts a frame as params, locals, the highest operands, code by the 16 bytes and eight', () => {
    const code = (nops: number) => `(func (export "f") (local i64 i32) ${'nop '.repeat(nops)}
      (drop (i32.add (i32.const 1) (i32.add (i32.const 2) (i32.const 3)))))`;
    // Without nops the code has 10 bytes.
    expect(gasOf(code(6), 100n, 14)).toBe('returned 5');
    expect(gasOf(code(6), 100n, 13)).toBe('stack-exhausted 0');
    expect(gasOf(code(7), 100n, 15)).toBe('returned 5');
    expect(gasOf(code(7), 100n, 14)).toBe('stack-exhausted 0');
  });

  it('of instantiation counts pages above 32, active data and elements', () => {
    const module = decodeModule(
      wat(`(module (memory 34) (table 3 funcref) (func $f) (elem (i32.const 0) $f $f)
        (data (i32.const 0) "0123456789abcdef!") (data (i32.const 0) "") (data "passive"))`),
    );
    expect(instantiationGas(module)).toBe(2_000n + 2n + 2n);
  });

  it('of instantiation counts exports, globals, entries and segments in great number', () => {
    const many = (count: number, text: string): string =>
      Array.from({ length: count }, (_, i) => text.replace('#', String(i))).join(' ');
    const bytes = wat(`(module (memory 1) (func $f) (table 1026 funcref)
      ${many(67, '(func (export "#"))')} ${many(260, '(global i32 (i32.const 0))')}
      ${many(40, '(data (i32.const 0) "")')} ${many(29, '(elem (i32.const 0))')})`);
    const expected = 3 * 200 + 4 * 60 + 2 * 8 + 5 * 20;
    expect(instantiationGas(decodeModule(bytes))).toBe(BigInt(expected));
    expect(prepareModule(bytes, 'contract').instantiationGas).toBe(expected);
  });

  it('measures operands in code that cannot be reached as a validator does', () => {
    const module = decodeModule(
      wat(`(module (func (result i32) unreachable i32.const 1 i32.const 2 i32.const 3 select)
        (func (block (result i32 i32 i32) i32.const 1 br 1) drop drop drop))`),
    );
    expect(readCode(module, 0).maxOperandHeight).toBe(3);
    expect(readCode(module, 1).maxOperandHeight).toBe(3);
  });
});

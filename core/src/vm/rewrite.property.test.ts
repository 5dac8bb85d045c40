/// <reference path="../webassembly.d.ts" />
/**
 * Rewritten modules against the reference interpreter: for any program and any budget the same
 * result, memory, globals, gas and stack; and with budget to spare, what the module does by itself.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeModule } from './decode/index.ts';
import { prepareModule } from './instance/prepared-module.ts';
import type { WasmModule } from './module.ts';
import { rewriteModule } from './rewrite/index.ts';
import { instantiationGas } from './testing/interpreter.ts';
import { readCode } from './testing/interpreter-code.ts';
import { programOf, type RandomProgram, randomProgram } from './testing/random-program.ts';
import { RewrittenRunner } from './testing/random-program-rewritten.ts';
import {
  difference,
  type InterpretedRun,
  interpret,
  isFree,
  type Limits,
  meteredDifference,
  runRaw,
} from './testing/random-program-runs.ts';
import { wat } from './testing/wat.ts';
import { validateModule } from './validate/index.ts';

/** One program, run both ways. */
class Trial {
  readonly module: WasmModule;
  private readonly program: RandomProgram;
  private readonly runner: RewrittenRunner;

  constructor(program: RandomProgram) {
    this.program = program;
    this.module = decodeModule(program.bytes);
    this.runner = new RewrittenRunner(
      rewriteModule(validateModule(this.module, 'contract')),
      program,
    );
  }

  /** @returns the interpreter's run, with which the rewritten module has agreed */
  agrees(limits: Limits): InterpretedRun {
    const expected = interpret(this.module, this.program, limits);
    const found = meteredDifference(expected, this.runner.run(limits, expected.end));
    expect(found, `on ${limits.fuel} gas and ${limits.stackSlots} slots`).toBeUndefined();
    return expected;
  }
}

const AMPLE: Limits = { fuel: 20_000n, stackSlots: 16_384 };

describe('a rewritten random program', () => {
  it('ends as the interpreter says, with the same gas, stack, memory and globals', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        new Trial(program).agrees(AMPLE);
      }),
      { numRuns: 600 },
    );
  });

  it('does so on any fuel and any stack', () => {
    fc.assert(
      fc.property(
        randomProgram,
        fc.nat(400),
        fc.nat(400),
        fc.nat(100),
        (program, some, other, stackSlots) => {
          const trial = new Trial(program);
          const { gas } = trial.agrees(AMPLE);
          for (const share of [some, other]) {
            const fuel = (gas * BigInt(share)) / 400n;
            trial.agrees({ ...AMPLE, fuel });
            trial.agrees({ fuel, stackSlots });
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('runs out of gas at every fuel below what it needs, and at none from there on', () => {
    let swept = 0;
    fc.assert(
      fc.property(randomProgram, (program) => {
        const trial = new Trial(program);
        const { gas, end } = trial.agrees(AMPLE);
        if (gas > 150n) return;
        swept++;
        for (let fuel = 0n; fuel <= gas; fuel++) {
          const run = trial.agrees({ ...AMPLE, fuel });
          expect(run.end === 'out-of-gas').toBe(fuel < gas);
          if (fuel === gas) expect(run.end).toBe(end);
        }
      }),
      { numRuns: 150 },
    );
    expect(swept).toBeGreaterThan(20);
  });

  it('exhausts its stack at the same call, whatever the budget', () => {
    let swept = 0;
    fc.assert(
      fc.property(randomProgram, (program) => {
        const trial = new Trial(program);
        const { end, gas } = trial.agrees({ ...AMPLE, fuel: 2_000n });
        if (end === 'out-of-gas' || gas > 500n) return;
        swept++;
        for (let stackSlots = 0; stackSlots < 90; stackSlots++) {
          trial.agrees({ fuel: 2_000n, stackSlots });
        }
      }),
      { numRuns: 150 },
    );
    expect(swept).toBeGreaterThan(20);
  });

  it('does what the module does by itself, where fuel suffices', () => {
    fc.assert(
      fc.property(randomProgram, (program) => {
        const run = new Trial(program).agrees(AMPLE);
        fc.pre(isFree(run));
        expect(difference(run, runRaw(program, run.end))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('has the frames and pays for the instance that the interpreter counts', () => {
    fc.assert(
      fc.property(randomProgram, ({ bytes }) => {
        const module = decodeModule(bytes);
        const { maxOperandHeight } = validateModule(module, 'contract');
        expect(maxOperandHeight).toEqual(
          maxOperandHeight.map(
            (_, i) => readCode(module, module.imports.length + i).maxOperandHeight,
          ),
        );
        const prepared = prepareModule(bytes, 'contract');
        expect(BigInt(prepared.instantiationGas)).toBe(instantiationGas(module));
      }),
      { numRuns: 200 },
    );
  });

  it('is told apart from one whose frames are a slot too large', () => {
    const program = programOf([]);
    const module = decodeModule(program.bytes);
    const { maxOperandHeight } = validateModule(module, 'contract');
    const larger = maxOperandHeight.map((height) => height + 1);
    const runner = new RewrittenRunner(
      rewriteModule({ module, maxOperandHeight: larger }),
      program,
    );
    const differences = Array.from({ length: 20 }, (_, stackSlots) => {
      const limits = { ...AMPLE, stackSlots };
      const run = interpret(module, program, limits);
      return meteredDifference(run, runner.run(limits, run.end));
    });
    expect(differences.filter((found) => found !== undefined)).toHaveLength(1);
  });
});

describe('what random programs have found', () => {
  const compiles = (text: string): boolean => {
    const module = decodeModule(wat(`(module ${text})`));
    const { bytes } = rewriteModule(validateModule(module, 'contract'));
    return new WebAssembly.Module(bytes) instanceof WebAssembly.Module;
  };

  it('a callee whose gas ended in its last block lets no caller return', () => {
    const program = {
      bytes: wat(`(module (func (export "run") (param i32 i64) (result i64) (call $f))
        (func $f (result i64) (loop (br_if 0 (i32.const 0))) (i64.const 0)))`),
      args: [0, 0n],
      globals: [],
      hasStart: false,
    } as const;
    const trial = new Trial({ ...program, bounded: program.bytes });
    expect(trial.agrees(AMPLE).gas).toBe(4n);
    for (let fuel = 0n; fuel < 4n; fuel++) {
      expect(trial.agrees({ ...AMPLE, fuel }).end).toBe('out-of-gas');
    }
  });

  it('an exported function that takes no gas has no local for fuel', () => {
    expect(compiles('(func (export "f"))')).toBe(true);
    expect(compiles('(func (export "f") (block (loop nop)))')).toBe(true);
  });
});

/**
 * Mutated random programs, as far as they are still valid: what the rewriter makes of shapes that
 * nobody would generate is what the interpreter says. `PYDE_FUZZ_RUNS` sets how many are made.
 */
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { SeededRandom } from '../bytes/testing/random.ts';
import { decodeModule, type ValidModule, validateModule, type WasmModule } from './index.ts';
import { typeIndexOf } from './module.ts';
import { rewriteModule } from './rewrite/index.ts';
import { Trap } from './testing/interpreter.ts';
import { mutateModule } from './testing/module-mutation.ts';
import { programOf, type RandomProgram } from './testing/random-program.ts';
import { numbersOf } from './testing/random-program-choices.ts';
import { RewrittenRunner } from './testing/random-program-rewritten.ts';
import { interpret, type Limits, meteredDifference } from './testing/random-program-runs.ts';

const MUTANTS = Number(process.env['PYDE_FUZZ_RUNS'] ?? 4_000);
const MUTANTS_OF_ONE = 40;
const MAX_PAGES = 64;

const validOf = (bytes: Uint8Array): ValidModule | undefined => {
  try {
    return validateModule(decodeModule(bytes), 'contract');
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
};

/** What the runs need of a module: its imports, and its exports with their types. */
function faceOf(module: WasmModule): string {
  const typeOf = (index: number) => module.types[typeIndexOf(module, index) ?? -1];
  return JSON.stringify([
    module.imports.map(({ name, typeIndex }) => [name, module.types[typeIndex]]),
    module.exports.map(({ name, kind, index }) => [
      name,
      kind === 'function' ? typeOf(index) : kind,
    ]),
  ]);
}

/** @returns whether it could be run; segments out of range leave nothing to compare */
function agrees(valid: ValidModule, program: RandomProgram, limits: Limits): boolean {
  try {
    const expected = interpret(valid.module, program, limits);
    const runner = new RewrittenRunner(rewriteModule(valid), program);
    const found = meteredDifference(expected, runner.run(limits, expected.end));
    expect(
      found,
      `${Buffer.from(program.bytes).toString('hex')} on ${limits.fuel}`,
    ).toBeUndefined();
    return true;
  } catch (error) {
    if (error instanceof Trap) return false;
    throw error;
  }
}

describe('a mutated random program', () => {
  it('ends as the interpreter says, with the same gas, stack, memory and globals', () => {
    let ran = 0;
    for (let made = 0; made < MUTANTS; made += MUTANTS_OF_ONE) {
      const random = new SeededRandom(`mutants ${made}`);
      const program = programOf(numbersOf(made, 60 + random.below(200)));
      const face = faceOf(decodeModule(program.bytes));
      let from = program.bytes;
      for (let i = 0; i < MUTANTS_OF_ONE; i++) {
        const bytes = mutateModule(random, random.oneIn(2) ? from : program.bytes);
        const valid = validOf(bytes);
        if (valid === undefined || faceOf(valid.module) !== face) continue;
        if ((valid.module.memory?.min ?? 0) > MAX_PAGES) continue;
        from = bytes;
        for (const limits of [
          { fuel: 20_000n, stackSlots: 16_384 },
          { fuel: BigInt(random.below(300)), stackSlots: random.between(20, 600) },
        ]) {
          if (agrees(valid, { ...program, bytes }, limits)) ran++;
        }
      }
    }
    expect(ran).toBeGreaterThan(MUTANTS / 20);
  }, 0);
});

/** Node's engine and the interpreter give what expected.txt says, of every run of the corpus. */
import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { runByEngine } from './engine.ts';
import { CORPUS, readExpected } from './index.ts';
import { runByInterpreter } from './interpret.ts';
import { compilersOfHotCode, NATIVES_FLAG, TIER_FLAGS } from './tiers.ts';

for (const flag of [...TIER_FLAGS, NATIVES_FLAG]) setFlagsFromString(flag);

const expected = readExpected();

describe('the corpus', () => {
  it('has expectations of every case, and of no other', () => {
    expect([...expected.keys()]).toEqual(CORPUS.map(({ name }) => name));
    for (const { name, runs } of CORPUS) expect(expected.get(name)?.length, name).toBe(runs.length);
  });

  it('is run by both compilers', () => {
    expect(compilersOfHotCode()).toBe('cold by Liftoff, hot by TurboFan');
  });

  for (const one of CORPUS) {
    it(`runs on Node as it should: ${one.name}`, () => {
      const lines = expected.get(one.name);
      const { cold, hot } = runByEngine(one);
      // Soft, so that a failure says of all three whether they differ.
      expect.soft(runByInterpreter(one), 'the interpreter').toEqual(lines);
      expect.soft(cold, 'Node, cold').toEqual(lines);
      expect.soft(hot, 'Node, hot').toEqual(lines);
    });
  }
});

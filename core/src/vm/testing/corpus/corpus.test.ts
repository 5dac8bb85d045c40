/** Node's engine and the interpreter give what expected.txt says, of every run of the corpus. */
import { describe, expect, it } from 'vitest';
import { runByEngine } from './engine.ts';
import { CORPUS, readExpected } from './index.ts';
import { runByInterpreter } from './interpret.ts';

const expected = readExpected();

describe('the corpus', () => {
  it('has expectations of every case, and of no other', () => {
    expect([...expected.keys()]).toEqual(CORPUS.map(({ name }) => name));
    for (const { name, runs } of CORPUS) expect(expected.get(name)?.length, name).toBe(runs.length);
  });

  for (const one of CORPUS) {
    it(`runs on Node as it should: ${one.name}`, () => {
      const lines = expected.get(one.name);
      expect(runByInterpreter(one), 'the interpreter').toEqual(lines);
      const { cold, hot } = runByEngine(one);
      expect(cold, 'Node, cold').toEqual(lines);
      expect(hot, 'Node, hot').toEqual(lines);
    });
  }
});

/** docs/protocol/fuzzing.md says what is asked of every case, and how to run more of them. */
import { describe, expect, it } from 'vitest';
import { budgetOf } from './bytes/testing/fuzz.ts';
import { coreTargets } from './testing.ts';

describe('every decoder keeps its rules on hostile input', () => {
  it.each(coreTargets)(
    '$name',
    async (target) => {
      const budget = budgetOf(target, process.env);
      const { cases } = await target.run(budget);
      expect(cases).toBeGreaterThan(0);
    },
    0,
  );
});

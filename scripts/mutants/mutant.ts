/** What a mutant is: one rule of consensus, broken by one edit, and what should say so. */
import type { Check } from './checks.ts';
import type { Edit } from './source-tree.ts';

export interface Mutant extends Edit {
  /** What no longer holds. */
  readonly rule: string;
  /** Run one after another until one catches it. */
  readonly checks: readonly Check[];
}

/** Test files by their names below `core/src`. */
export const tests = (...files: string[]): Check => ({
  kind: 'tests',
  files: files.map((file) => `core/src/${file}`),
});

export const sim = (options: string): Check => ({ kind: 'simulation', options });

/** The corpus (case.ts): all cases in the order of expected.txt. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../../bytes/index.ts';
import { wat } from '../wat.ts';
import type { CompiledCase, CorpusCase } from './case.ts';
import { frameCases } from './frames.ts';
import { memoryCases } from './memory.ts';
import { meteringCases } from './metering.ts';
import { operatorCases } from './operators.ts';

export type { CompiledCase, CorpusRun } from './case.ts';

const cases: readonly CorpusCase[] = [
  ...meteringCases,
  ...frameCases,
  ...memoryCases,
  ...operatorCases,
];

/** All cases with their modules in the binary format. */
export const CORPUS: readonly CompiledCase[] = cases.map(({ text, ...rest }) => {
  try {
    return { ...rest, binary: toHex(wat(text)) };
  } catch (error) {
    throw new Error(`the text of "${rest.name}" is wrong: ${String(error)}`);
  }
});

const file = join(import.meta.dirname, 'expected.txt');

/** What expected.txt says of each case: a line a run. */
export function readExpected(): ReadonlyMap<string, readonly string[]> {
  const sections = readFileSync(file, 'utf8').split(/^# /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [name = '', ...lines] = section.trimEnd().split('\n');
      return [name, lines];
    }),
  );
}

/** Writes expected.txt anew. */
export function writeExpected(expected: ReadonlyMap<string, readonly string[]>): void {
  const sections = [...expected].map(([name, lines]) => `# ${name}\n${lines.join('\n')}\n`);
  writeFileSync(file, sections.join('\n'));
}

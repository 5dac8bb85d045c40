/**
 * `npm run sim:mutants -- [options]`: breaks one rule of consensus at a time, in a copy of the
 * sources, and shows which assertion of the rule tests or of the simulator says so. First the copy
 * as it is must pass the same checks. A mutant that is caught by nothing is a missing test.
 *
 * Exit status: 0 when every mutant is caught, 1 when one survives, does not apply any more, or the
 * sources as they are fail a check, 2 for options that make no sense, 130 when interrupted.
 */
import { parseArgs } from 'node:util';
import { type Catch, type Check, nameOfCheck, runCheck, stopAll } from './mutants/checks.ts';
import { MUTANTS } from './mutants/list.ts';
import type { Mutant } from './mutants/mutant.ts';
import { SourceTree } from './mutants/source-tree.ts';

const HELP = `usage: npm run sim:mutants -- [options]

  --only NAME[,NAME…]  these mutants alone
  --list               names every mutant and the rule that it breaks, and runs nothing
  --json               prints one JSON object with a row for each mutant
  --help

Two mutants run at a time; all of them take several minutes.
`;

/** Mutants that run at a time, each in a tree of its own. */
const PARALLEL = 2;

interface Row {
  readonly mutant: string;
  readonly rule: string;
  readonly file: string;
  readonly caught: boolean;
  /** The check and the assertion in it; undefined for one that survived. */
  readonly by: Catch | undefined;
  /** What checks came to that did not catch it by an assertion. */
  readonly notes: readonly string[];
  readonly seconds: number;
}

const { values } = readArguments();
if (values.help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}
const chosen = chooseMutants(values.only);
if (values.list === true) {
  for (const { name, rule } of chosen) process.stdout.write(`${name.padEnd(34)} ${rule}\n`);
  process.exit(0);
}
const trees: SourceTree[] = [];
process.on('exit', () => {
  for (const tree of trees) tree.remove();
});
process.on('SIGINT', () => {
  stopAll();
  process.exit(130);
});
process.exitCode = await main();

async function main(): Promise<number> {
  for (let i = 0; i < Math.min(PARALLEL, chosen.length); i++) trees.push(SourceTree.copy());
  const [first] = trees;
  if (first === undefined) return 2;
  // All of them, before the first one runs for a minute.
  for (const mutant of chosen) first.with(mutant, () => undefined);
  if (!(await sourcesPass(first))) return 1;
  const rows = await runAll();
  const survivors = rows.filter(({ caught }) => !caught).map(({ mutant }) => mutant);
  if (values.json === true) {
    const inOrder = chosen.flatMap(({ name }) => rows.find(({ mutant }) => mutant === name) ?? []);
    process.stdout.write(`${JSON.stringify({ mutants: inOrder, survivors })}\n`);
  } else {
    const caught = rows.length - survivors.length;
    process.stdout.write(`${caught} of ${rows.length} mutants caught by an assertion`);
    process.stdout.write(survivors.length === 0 ? '\n' : `; NOT ${survivors.join(', ')}\n`);
  }
  return survivors.length === 0 ? 0 : 1;
}

/** A check that fails on the sources as they are shows nothing about a mutant. */
async function sourcesPass(tree: SourceTree): Promise<boolean> {
  const all = new Map(chosen.flatMap(({ checks }) => checks).map((one) => [nameOfCheck(one), one]));
  const files = [...all.values()].flatMap((one) => (one.kind === 'tests' ? one.files : []));
  const simulations = [...all.values()].filter(({ kind }) => kind === 'simulation');
  const checks: Check[] = [...simulations];
  if (files.length > 0) checks.push({ kind: 'tests', files: [...new Set(files)] });
  let isRight = true;
  for (const check of checks) {
    const { status, caught, note } = await runCheck(tree.root, check);
    if (status === 'passed') continue;
    isRight = false;
    const what = caught?.assertion ?? note ?? 'failed';
    process.stderr.write(`without any mutant, ${nameOfCheck(check)} fails: ${what}\n`);
  }
  return isRight;
}

async function runAll(): Promise<Row[]> {
  const rows: Row[] = [];
  let next = 0;
  const worker = async (tree: SourceTree): Promise<void> => {
    for (let mutant = chosen[next++]; mutant !== undefined; mutant = chosen[next++]) {
      const row = await runMutant(tree, mutant);
      rows.push(row);
      if (values.json !== true) process.stdout.write(describe(row));
      if (process.stderr.isTTY)
        process.stderr.write(`\r\u001b[K${rows.length} of ${chosen.length}\r`);
    }
  };
  await Promise.all(trees.map(worker));
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  return rows;
}

function runMutant(tree: SourceTree, mutant: Mutant): Promise<Row> {
  return tree.with(mutant, async () => {
    const startedMs = performance.now();
    const notes: string[] = [];
    let by: Catch | undefined;
    for (const check of mutant.checks) {
      const { caught, note } = await runCheck(tree.root, check);
      by = caught;
      if (caught !== undefined) break;
      notes.push(`${nameOfCheck(check)}: ${note ?? 'passed'}`);
    }
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    const { name, rule, file } = mutant;
    return { mutant: name, rule, file, caught: by !== undefined, by, notes, seconds };
  });
}

function describe({ mutant, by, notes }: Row): string {
  const found =
    by === undefined ? `SURVIVES (${notes.join('; ')})` : `${by.check}: ${by.assertion}`;
  return `${mutant.padEnd(34)} ${found}\n`;
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        list: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function chooseMutants(only: string | undefined): readonly Mutant[] {
  if (only === undefined) return MUTANTS;
  return only.split(',').map((name) => {
    const mutant = MUTANTS.find((known) => known.name === name);
    return mutant ?? refuse(`there is no mutant ${name}; --list names them`);
  });
}

function refuse(message: string): never {
  process.stderr.write(`sim:mutants: ${message}\n\n${HELP}`);
  process.exit(2);
}

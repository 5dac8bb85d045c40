/**
 * The list of mutants fits the sources as they are, and a few of them run end to end. All of them:
 * `npm run sim:mutants`.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { judgeSimulation, judgeTests } from './checks.ts';
import { MUTANTS } from './list.ts';
import { appliedToSources } from './source-tree.ts';

const root = resolve(import.meta.dirname, '..', '..');

describe('the list of mutants', () => {
  it('has one for every threshold and wait, each with a name of its own', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it.each(MUTANTS)('applies $name to the sources', (mutant) => {
    const mutated = appliedToSources(mutant);
    expect(mutated).toContain(mutant.replace);
    expect(mutant.checks.length).toBeGreaterThan(0);
    for (const check of mutant.checks) {
      if (check.kind === 'simulation') continue;
      for (const file of check.files) expect(existsSync(join(root, file)), file).toBe(true);
    }
  });

  it('is that of docs/protocol/mutants.md, rule by rule', () => {
    const page = readFileSync(join(root, 'docs', 'protocol', 'mutants.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([\w-]+)` \| ([^|]+) \| [^|]+ \|$/gm)];
    expect(rows.map(([, name, rule]) => [name, rule])).toEqual(
      MUTANTS.map(({ name, rule }) => [name, rule]),
    );
    expect(page).toContain(`All ${MUTANTS.length} were caught`);
  });

  it('fails loudly where a mutant no longer applies', () => {
    const [first] = MUTANTS;
    if (first === undefined) throw new Error('there are mutants');
    const gone = { ...first, find: 'what the code said once' };
    expect(() => appliedToSources(gone)).toThrow('no longer applies: its text stands 0 times');
    expect(() => appliedToSources({ ...first, find: 'quorum' })).toThrow('no longer applies');
    expect(() => appliedToSources({ ...first, replace: first.find })).toThrow('changes nothing');
  });
});

describe('a mutant is caught', () => {
  const report = (...failureMessages: string[]) => ({
    success: failureMessages.length === 0,
    numPassedTests: 1,
    testResults: [
      {
        name: join(root, 'core/src/consensus/dag.test.ts'),
        message: '',
        status: 'failed',
        assertionResults: failureMessages.map((message) => ({
          status: 'failed',
          fullName: 'the DAG keeps a rule',
          failureMessages: [message],
        })),
      },
    ],
  });

  it('by an assertion of a test, whatever else fails', () => {
    const { caught } = judgeTests(
      root,
      report('TypeError: no', 'AssertionError: expected 1 to be 2\n    at …'),
    );
    expect(caught).toEqual({
      check: 'consensus/dag.test.ts',
      assertion: 'the DAG keeps a rule',
      message: 'AssertionError: expected 1 to be 2',
    });
    const dag = judgeTests(root, report('Error: slot 1 is undecided, and should be skip'));
    expect(dag.caught?.assertion).toBe('the DAG keeps a rule');
  });

  it('by a violation that a simulation names', () => {
    const output = '{"violations":[{"code":"agreement","message":"orders wave 3 otherwise"}]}\n';
    expect(judgeSimulation('sim', 1, output).caught).toMatchObject({ assertion: 'agreement' });
  });

  it('neither by an exception, nor by a time that ran out, nor by a crash', () => {
    for (const message of ['TypeError: x is not a function', 'Error: Test timed out in 60000ms.']) {
      const { status, caught, note } = judgeTests(root, report(message));
      expect([status, caught]).toEqual(['failed', undefined]);
      expect(note).toContain(message);
    }
    const crash = '{"violations":[{"code":"crash","message":"Error: invariant broken"}]}';
    expect(judgeSimulation('sim', 1, crash)).toMatchObject({ status: 'failed', caught: undefined });
    expect(judgeSimulation('sim', 1, '')).toMatchObject({ status: 'failed', caught: undefined });
  });
});

describe('npm run sim:mutants', () => {
  const run = async (...args: string[]) => {
    const script = join(root, 'scripts', 'sim-mutants.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args]);
    return stdout;
  };

  it('catches a quorum that is one short, and a vertex that leaves unsynced', async () => {
    const names = ['quorum-direct-commit', 'own-vertex-not-synced'];
    const report = JSON.parse(await run('--json', '--only', names.join(',')));
    expect(report.survivors).toEqual([]);
    expect(report.mutants).toMatchObject([
      { mutant: names[0], by: { check: 'consensus/base-committer.test.ts' } },
      { mutant: names[1], by: { assertion: 'unsynced-vertex' } },
    ]);
  });

  it('lists them, and refuses a name that is none', async () => {
    const list = await run('--list');
    for (const { name, rule } of MUTANTS) {
      expect(list).toContain(name);
      expect(list).toContain(rule);
    }
    await expect(run('--only', 'nothing')).rejects.toMatchObject({ code: 2 });
  });
});

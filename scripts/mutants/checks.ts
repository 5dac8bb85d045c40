/**
 * What is run against a mutant, and what counts as caught: an assertion that has a name. A test that
 * fails by an exception of the code, a test or a run that takes too long, and a simulation that ends
 * by a crash say only that something is wrong, not that anybody looked for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

export type Check =
  /** Test files, or those of their tests whose names match. */
  | { readonly kind: 'tests'; readonly files: readonly string[]; readonly named?: string }
  /** A run of `npm run sim`. */
  | { readonly kind: 'simulation'; readonly options: string };

export interface Catch {
  readonly check: string;
  /** The name of the test, or the code of the violation. */
  readonly assertion: string;
  /** What it said. */
  readonly message: string;
}

export interface CheckResult {
  readonly status: 'passed' | 'failed';
  readonly caught: Catch | undefined;
  /** Why a failure is no catch. */
  readonly note: string | undefined;
}

/** A check that takes longer ends as failed. */
const MOST_MS = 240_000;
const REPORT = 'mutant-report.json';

const running = new Set<ChildProcess>();

export const nameOfCheck = (check: Check): string =>
  check.kind === 'tests'
    ? check.files.map((file) => file.replace(/^core\/src\//, '')).join(', ')
    : `sim ${check.options}`;

/** Ends whatever runs. */
export function stopAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export function runCheck(root: string, check: Check): Promise<CheckResult> {
  return check.kind === 'tests' ? runTests(root, check) : runSimulation(root, check);
}

async function runTests(
  root: string,
  check: Extract<Check, { kind: 'tests' }>,
): Promise<CheckResult> {
  const report = join(root, REPORT);
  rmSync(report, { force: true });
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const named = check.named === undefined ? [] : ['-t', check.named];
  const output = [`--reporter=json`, `--outputFile=${report}`, '--maxWorkers=1'];
  const { isLate } = await run(root, [vitest, 'run', ...check.files, ...named, ...output]);
  if (isLate) return { status: 'failed', caught: undefined, note: 'it took too long' };
  if (!existsSync(report)) return { status: 'failed', caught: undefined, note: 'no report' };
  return judgeTests(root, JSON.parse(readFileSync(report, 'utf8')) as TestReport);
}

interface TestReport {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** What an assertion says of itself: `expect`, the verdicts of a DAG in text, a violation. */
const ASSERTION = /^(AssertionError|Error: slot \d+ is|Violation)\b/;

/** Reads the report of a test runner. */
export function judgeTests(root: string, report: TestReport): CheckResult {
  const failed = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map((test) => ({ ...test, file: relative(join(root, 'core', 'src'), name) })),
  );
  for (const { file, fullName, failureMessages } of failed) {
    const message = failureMessages.find((text) => ASSERTION.test(text));
    if (message === undefined) continue;
    const caught = { check: file, assertion: fullName, message: firstLine(message) };
    return { status: 'failed', caught, note: undefined };
  }
  const [first] = failed;
  const unloaded = report.testResults.find(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  if (first !== undefined || unloaded !== undefined || !report.success) {
    const what = first?.failureMessages[0] ?? unloaded?.message ?? 'an error outside of the tests';
    return { status: 'failed', caught: undefined, note: `no assertion: ${firstLine(what)}` };
  }
  if (report.numPassedTests > 0) return { status: 'passed', caught: undefined, note: undefined };
  return { status: 'failed', caught: undefined, note: 'no test ran' };
}

async function runSimulation(
  root: string,
  check: Extract<Check, { kind: 'simulation' }>,
): Promise<CheckResult> {
  const sim = join(root, 'scripts', 'sim.ts');
  const options = [...check.options.split(' '), '--json'];
  const { isLate, status, output } = await run(root, [sim, ...options]);
  if (isLate) return { status: 'failed', caught: undefined, note: 'it took too long' };
  return judgeSimulation(nameOfCheck(check), status, output);
}

interface SimReport {
  readonly violations?: readonly { readonly code: string; readonly message: string }[];
}

/** Reads what the simulator printed, a report a line. */
export function judgeSimulation(name: string, status: number, output: string): CheckResult {
  const reports = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as SimReport);
  const violations = reports.flatMap((report) => report.violations ?? []);
  const named = violations.find(({ code }) => code !== 'crash');
  if (named !== undefined) {
    const { code, message } = named;
    const caught = { check: name, assertion: code, message: firstLine(message) };
    return { status: 'failed', caught, note: undefined };
  }
  const [crash] = violations;
  if (crash !== undefined) {
    return { status: 'failed', caught: undefined, note: `a crash: ${firstLine(crash.message)}` };
  }
  if (status === 0 && reports.length > 0) {
    return { status: 'passed', caught: undefined, note: undefined };
  }
  return { status: 'failed', caught: undefined, note: `exit status ${status}, no violation` };
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').slice(0, 200);

interface Finished {
  readonly isLate: boolean;
  readonly status: number;
  readonly output: string;
}

function run(root: string, args: readonly string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = spawn(process.execPath, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const parts: Buffer[] = [];
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, MOST_MS);
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.stderr.resume();
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ isLate, status: status ?? -1, output: Buffer.concat(parts).toString('utf8') });
    });
  });
}

/**
 * `npm test [-- file …]`: types, lint, then every test, or those of the files named. The last line is
 * `N passed, N failed`, where the type check of a package and the lint count as one each; the line
 * before it names the steps that failed, since their output may be far above.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');
const env: Record<string, string | undefined> = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${bin}${delimiter}${process.env['PATH'] ?? ''}`,
  // Vitest colours whatever it writes to; a log file is read without.
  ...(process.stdout.isTTY === true || process.env['FORCE_COLOR'] ? {} : { NO_COLOR: '1' }),
};

let passed = 0;
let failed = 0;
const failedSteps: string[] = [];
let interrupted = false;
// A terminal sends Ctrl-C to the running step as well, which ends by itself.
process.on('SIGINT', () => {
  interrupted = true;
});

async function step(title: string, command: string, args: readonly string[]): Promise<boolean> {
  const started = performance.now();
  process.stdout.write(`\n== ${title}\n`);
  const run = spawn(join(bin, command), args, { cwd: root, stdio: ['ignore', 1, 2], env });
  const [status] = await once(run, 'close');
  if (interrupted) {
    process.stdout.write('\nstopped by Ctrl-C, before all was checked\n');
    process.exit(130);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`== ${title}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)\n`);
  if (status !== 0) failedSteps.push(title);
  return status === 0;
}

async function check(title: string, command: string, args: readonly string[]): Promise<void> {
  if (await step(title, command, args)) passed++;
  else failed++;
}

const projects = [
  'core',
  'core/tsconfig.test.json',
  'platform-node',
  'apps/node',
  'otigen',
  'scripts',
  'e2e',
];
for (const project of projects) await check(`types: ${project}`, 'tsc', ['-p', project]);
await check('lint and format', 'biome', ['check', '--error-on-warnings', '.']);

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** Runs a test runner and reads the counts from the report that it leaves. */
async function suite(
  title: string,
  command: string,
  argsFor: (report: string) => readonly string[],
  count: (report: unknown) => Counts,
): Promise<number> {
  const report = join(tmpdir(), `pyde-tests-${process.pid}.json`);
  // Playwright takes the place of its report from here alone.
  env['PLAYWRIGHT_JSON_OUTPUT_FILE'] = report;
  const clean = await step(title, command, argsFor(report));
  try {
    const counts = count(JSON.parse(readFileSync(report, 'utf8')));
    passed += counts.passed;
    // Errors outside any test fail the run too.
    failed += clean ? counts.failed : Math.max(1, counts.failed);
    return counts.passed + counts.failed;
  } catch (error) {
    process.stdout.write(`the test run left no report: ${String(error)}\n`);
    failed++;
    return 0;
  } finally {
    rmSync(report, { force: true });
  }
}

function countVitest(report: unknown): Counts {
  const counts = report as {
    numPassedTests: number;
    numFailedTests: number;
    testResults: { status: string; assertionResults: unknown[] }[];
  };
  // A file that could not even be loaded has no tests to count.
  const unloaded = counts.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return { passed: counts.numPassedTests, failed: counts.numFailedTests + unloaded };
}

function countPlaywright(report: unknown): Counts {
  const { stats } = report as { stats: { expected: number; unexpected: number; flaky: number } };
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky };
}

const filters = process.argv.slice(2);
const unit = await suite(
  'tests',
  'vitest',
  (report) => [
    ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ...['--passWithNoTests', ...filters],
  ],
  countVitest,
);
const browser = await suite(
  'tests in Chromium',
  'playwright',
  () => ['test', '-c', 'e2e', '--reporter=list,json', '--pass-with-no-tests', ...filters],
  countPlaywright,
);
if (unit + browser === 0) {
  process.stdout.write(`no test matches ${filters.join(' ')}\n`);
  failed++;
}

if (failedSteps.length > 0) process.stdout.write(`\nfailed: ${failedSteps.join(', ')}`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

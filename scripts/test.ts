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
const env = {
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
];
for (const project of projects) await check(`types: ${project}`, 'tsc', ['-p', project]);
await check('lint and format', 'biome', ['check', '--error-on-warnings', '.']);

const report = join(tmpdir(), `pyde-tests-${process.pid}.json`);
const filters = process.argv.slice(2);
const clean = await step('tests', 'vitest', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...filters,
]);
try {
  const counts = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
    numFailedTestSuites: number;
    testResults: { status: string; assertionResults: unknown[] }[];
  };
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  // A file that could not even be loaded has no tests to count.
  failed += counts.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  // Errors outside any test, or no test at all, fail the run too.
  if (!clean && failed === 0) failed++;
  if (counts.numPassedTests + counts.numFailedTests === 0) failed++;
} catch (error) {
  process.stdout.write(`the test run left no report: ${String(error)}\n`);
  failed++;
} finally {
  rmSync(report, { force: true });
}

if (failedSteps.length > 0) process.stdout.write(`\nfailed: ${failedSteps.join(', ')}`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

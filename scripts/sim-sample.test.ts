/**
 * A sample of the long simulation, other seeds at every run: 30 simulated seconds of four members
 * with all faults, one of them Byzantine. The seeds are printed, and a violation prints the command
 * that repeats it. PYDE_TEST_SIM_SEEDS=500 makes it the long one; PYDE_TEST_SEED repeats a sample.
 */
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SEEDS = Number(process.env['PYDE_TEST_SIM_SEEDS'] ?? 8);
const FIRST = Number(process.env['PYDE_TEST_SEED'] ?? randomInt(1, 2 ** 31 - SEEDS));
const NEVER_MS = 2 ** 31 - 1;

it(`seeds ${FIRST} to ${FIRST + SEEDS - 1} hold every assertion`, {
  timeout: NEVER_MS,
}, async () => {
  const script = fileURLToPath(new URL('sim.ts', import.meta.url));
  const args = ['--validators', '4', '--seconds', '30', '--faults', 'all', '--byzantine', '1'];
  args.push('--seed', String(FIRST), '--seeds', String(SEEDS));
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [script, ...args], { maxBuffer: 2 ** 26 }, (_, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    );
  });
  process.stdout.write(`${output.trim().split('\n').at(-1)}\n`);
  expect(output).toMatch(new RegExp(`^${SEEDS} seeds, .* no violation$`, 'm'));
});

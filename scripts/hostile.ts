/**
 * `npm run hostile -- [options]`: a localnet of four validators under load, and every attack of
 * platform-node/src/network/testing/hostile on one of them (docs/faults.md). Linux only.
 *
 * Exit status: 0 without violations, 1 otherwise, 2 for options that make no sense.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ATTACKS, type AttackName } from '../platform-node/src/network/testing/hostile/index.ts';
import { type SiegeReport, siege } from './hostile/siege.ts';

const NAMES = Object.keys(ATTACKS).filter((name): name is AttackName => name in ATTACKS);
const HELP = `usage: npm run hostile -- [options]

  --seconds N      of each attack, and of the calm before them (default 15)
  --tps R          transfers a second through all validators (default 100)
  --attacks LIST   with commas between (default all): ${NAMES.join(', ')}
  --json           prints the report as JSON
  --help
`;
const STRING = { type: 'string' } as const;

function usage(message: string): never {
  process.stderr.write(`hostile: ${message}\n\n${HELP}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        ...{ seconds: STRING, tps: STRING, attacks: STRING },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function number(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  return value >= 1 && value <= 3_600
    ? value
    : usage(`--${name} must be a number from 1 to 3600, not ${text}`);
}

const values = readArguments();
if (values.help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}
const attacks = (values.attacks?.split(',') ?? NAMES).map(
  (name) =>
    NAMES.find((known) => known === name) ??
    usage(`there is no attack ${name}; there are ${NAMES.join(', ')}`),
);
const folder = mkdtempSync(join(tmpdir(), 'pyde-hostile-'));
const report = await siege({
  attacks,
  seconds: number('seconds', values.seconds, 15),
  tps: number('tps', values.tps, 100),
  folder,
  say: (line) => process.stderr.write(`${line}\n`),
});
if (values.json === true) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else print(report);
if (report.violations.length > 0) process.stderr.write(`chain and logs are in ${folder}\n`);
else rmSync(folder, { recursive: true, force: true });
process.exit(report.violations.length > 0 ? 1 : 0);

function print({ calm, attacks: made, violations }: SiegeReport): void {
  const cells = (name: string, p50: number, p99: number, mib: number, more: string): string =>
    `${name.padEnd(22)} ${p50.toFixed(0).padStart(6)} ms ${p99.toFixed(0).padStart(6)} ms ` +
    `${mib.toFixed(0).padStart(5)} MiB ${more}`;
  const lines = [
    `${''.padEnd(22)}    p50       p99      memory`,
    cells('calm', calm.p50Ms, calm.p99Ms, calm.residentMiB, ''),
    ...made.map((one) =>
      cells(
        one.attack,
        one.p50Ms,
        one.p99Ms,
        one.residentMiB,
        `${one.ratio.toFixed(2)} ×, ${one.isBanned ? 'banned' : `held ${one.held} at most`}`,
      ),
    ),
    ...violations.map((violation) => `VIOLATION ${violation}`),
    violations.length === 0 ? 'no violation' : `${violations.length} violations`,
  ];
  for (const line of lines) process.stdout.write(`${line}\n`);
}

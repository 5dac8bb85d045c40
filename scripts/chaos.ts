/**
 * `npm run chaos -- [options]`: a committee of real validator processes under load, with a fault every
 * few seconds, and an audit of every acknowledged transaction at the end (docs/faults.md).
 *
 * Exit status: 0 without violations, 1 otherwise, 2 for options that make no sense.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type ChaosReport, chaos } from './chaos/run.ts';
import { FAULTS, type FaultName } from './chaos/schedule.ts';

const HELP = `usage: npm run chaos -- [options]

  --minutes M      how long faults come (default 2)
  --seed S         which faults, on whom, for how long (default: of the time)
  --validators N   members of the committee, 4 to 16 (default 4)
  --tps R          transfers a second that a client sends (default 100)
  --faults LIST    all, none, or kinds with commas between: ${FAULTS.join(', ')} (default all)
  --dir D          keeps chain, logs and journal there (default: a temporary folder, kept on failure)
  --json           prints the report as JSON
  --help

examples
  npm run chaos
  npm run chaos -- --minutes 10 --seed 7 --json
  npm run chaos -- --faults kill,cut --tps 300
`;
const STRING = { type: 'string' } as const;

function usage(message: string): never {
  process.stderr.write(`chaos: ${message}\n\n${HELP}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        ...{ minutes: STRING, seed: STRING, validators: STRING, tps: STRING },
        ...{ faults: STRING, dir: STRING },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function number(name: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (value >= 0 && value <= most) return value;
  return usage(`--${name} must be a number from 0 to ${most}, not ${text}`);
}

function faultNames(list: string | undefined): readonly FaultName[] {
  if (list === undefined || list === 'all') return FAULTS;
  if (list === 'none') return [];
  return list.split(',').map((name) => {
    const found = FAULTS.find((fault) => fault === name);
    return found ?? usage(`there is no fault ${name}; there are ${FAULTS.join(', ')}`);
  });
}

const values = readArguments();
if (values.help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}
const seed = Math.floor(number('seed', values.seed, Date.now() % 1_000_000, 1e15));
const minutes = number('minutes', values.minutes, 2, 100_000);
const validators = Math.floor(number('validators', values.validators, 4, 16));
if (validators < 4) usage('--validators must be at least 4: fewer tolerate no fault');
const tps = Math.max(0.1, number('tps', values.tps, 100, 10_000));
const faults = faultNames(values.faults);
const given = values.dir === undefined ? undefined : resolve(values.dir);
if (given !== undefined && existsSync(given) && readdirSync(given).length > 0) {
  usage(`${given} is not empty; name a new folder with --dir`);
}
const folder = given ?? mkdtempSync(join(tmpdir(), 'pyde-chaos-'));
const again =
  `npm run chaos -- --minutes ${minutes} --seed ${seed} --validators ${validators} ` +
  `--tps ${tps} --faults ${faults.length === 0 ? 'none' : faults.join(',')}`;
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
say(`seed ${seed}; to repeat: ${again}`);

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say('ending early: the audit follows');
    stopped.abort();
  });
}
const report = await chaos({
  ...{ seed, minutes, validators, tps, faults },
  ...{ folder, say, signal: stopped.signal },
});
if (values.json === true) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else print(report);
if (report.violations.length > 0) say(`chain, logs and journal are in ${folder}`);
else if (given === undefined) rmSync(folder, { recursive: true, force: true });
process.exit(report.violations.length > 0 ? 1 : 0);

function print({ episodes, violations, ...report }: ChaosReport): void {
  const lines = [
    `${episodes.length} episodes, ${report.waves} waves, longest from calm to new waves ` +
      `${report.maxLivenessMs} ms`,
    `${report.acknowledged} transactions acknowledged: ${report.executed} executed, ` +
      `${report.dropped} dropped with a reason, ${report.wipedAway} gone with a wiped disk, ` +
      `${report.lost} lost; ${report.twice} executed twice`,
    `roots ${report.rootsEqual ? 'equal' : 'DIFFER'}`,
    ...report.skipped.map((what) => `skipped ${what}`),
    ...violations.map((violation) => `VIOLATION ${violation}`),
    violations.length === 0 ? 'no violation' : `to repeat: ${again}`,
  ];
  for (const line of lines) process.stdout.write(`${line}\n`);
}

/**
 * `npm run sim -- [options]`: simulates a network of whole nodes under a virtual clock and asserts
 * after every step that they agree. The same options give the same run and the same digest; a
 * violation is reported with the command that repeats it.
 *
 * Exit status: 0 without violations and with progress, 1 otherwise, 2 for options that make no
 * sense, 130 when interrupted.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isPydeError } from '@pyde/core/bytes';
import {
  behaviourNames,
  DELIVERY_ORDERS,
  type FaultyMember,
  faultKinds,
  MAX_REAL_BY_DEFAULT,
  type SimOptions,
  type SimReport,
  Simulation,
  simOptions,
} from '@pyde/core/sim';
import { testKey } from '../core/src/crypto/testing.ts';

const HELP = `usage: npm run sim -- [options]

  --validators N        members of the committee, 1 to 128 (default 4)
  --seed S              everything that chance decides (default 1)
  --seconds T           simulated seconds of load and faults; a calm end follows (default 30)
  --seeds K             runs seeds S to S + K − 1, two at a time (default 1)
  --faults LIST         all, none, or kinds with commas between: loss, duplication, reorder,
                        partition, slow, skew, crash, disk, stale, wipe (default none)
  --byzantine B         how many members are Byzantine, at most f (default 0)
  --behaviours LIST     what they do, with commas between (default: drawn from all of them):
                        equivocate, withhold-vertices, withhold-batches, vote-for-none,
                        vote-starve, equivocating-voter, invent-parents, future-rounds,
                        wrong-epoch, replay, bad-attestations, silence, lies, garbage, flood
  --beyond-tolerance    lets there be more than f of them
  --delivery ORDER      fair, starve (keeps back honest anchors and their votes) or jump (keeps
                        back one member after another; default fair)
  --delay-bound MS      the longest that an ordered delivery takes (default 100)
  --latency L           lan, wan or constant:MS (default lan)
  --tps R               transfers a second that clients send (default 20)
  --signatures KIND     real (FALCON) or keyed (Blake3; default above ${MAX_REAL_BY_DEFAULT} validators)
  --min-round-delay MS  least time between a member's rounds (default 20, with wan 60)
  --idle-round MS       time between rounds without work (default 500)
  --gc-rounds R         how far back a wave reaches (default 60)
  --epoch MS            length of an epoch (default: the run has one epoch)
  --json                prints the report as JSON
  --help

examples
  npm run sim -- --validators 7 --seed 1 --seconds 60
  npm run sim -- --validators 4 --faults all --seeds 20
  npm run sim -- --validators 32 --latency constant:50 --tps 100 --json
  npm run sim -- --validators 128 --latency wan --seconds 10
`;

const PROGRESS_EVERY_MS = 500;
/**
 * For many members: a young generation of a size that fits what stays of each round, collected by
 * the thread that fills it, so that a run takes one core.
 */
const FLAGS_OF_MANY = [
  '--min-semi-space-size=32',
  '--max-semi-space-size=32',
  '--no-parallel-scavenge',
];

const { values } = readArguments();
if (values.help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}
const options = readOptions();
if (options.validators > MAX_REAL_BY_DEFAULT && process.send === undefined) takeFlags();
const seeds = wholeNumber('seeds') ?? 1;
let interrupted = false;
process.on('SIGINT', () => {
  if (interrupted) process.exit(130);
  interrupted = true;
});

/** V8 takes flags at its start alone, so the process becomes another one; not on Windows. */
function takeFlags(): void {
  const missing = FLAGS_OF_MANY.filter((flag) => !process.execArgv.includes(flag));
  if (missing.length === 0 || typeof process.execve !== 'function') return;
  const args = [process.execPath, ...process.execArgv, ...missing, ...process.argv.slice(1)];
  try {
    process.execve(process.execPath, args, process.env);
  } catch {
    // Where it is not allowed the run goes on, and takes longer.
  }
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        validators: { type: 'string' },
        seed: { type: 'string' },
        seconds: { type: 'string' },
        seeds: { type: 'string' },
        faults: { type: 'string' },
        byzantine: { type: 'string' },
        behaviours: { type: 'string' },
        'beyond-tolerance': { type: 'boolean' },
        delivery: { type: 'string' },
        'delay-bound': { type: 'string' },
        'idle-round': { type: 'string' },
        latency: { type: 'string' },
        tps: { type: 'string' },
        signatures: { type: 'string' },
        'min-round-delay': { type: 'string' },
        'gc-rounds': { type: 'string' },
        epoch: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function readOptions(): SimOptions {
  const { signatures } = values;
  if (signatures !== undefined && signatures !== 'real' && signatures !== 'keyed') {
    return refuse(`signatures are real or keyed, not ${signatures}`);
  }
  const delivery = DELIVERY_ORDERS.find((order) => order === (values.delivery ?? 'fair'));
  if (delivery === undefined) {
    return refuse(`delivery is ${DELIVERY_ORDERS.join(', ')}, not ${values.delivery}`);
  }
  const numbers = {
    validators: wholeNumber('validators'),
    seed: wholeNumber('seed'),
    seconds: wholeNumber('seconds'),
    byzantine: wholeNumber('byzantine'),
    delayBoundMs: wholeNumber('delay-bound'),
    idleRoundMs: wholeNumber('idle-round'),
    tps: wholeNumber('tps'),
    minRoundDelayMs: wholeNumber('min-round-delay'),
    gcRounds: wholeNumber('gc-rounds'),
    epochDurationMs: wholeNumber('epoch'),
  };
  const given = Object.entries(numbers).filter(([, value]) => value !== undefined);
  try {
    return simOptions({
      ...(Object.fromEntries(given) as Partial<SimOptions>),
      ...(values.latency === undefined ? {} : { latency: values.latency }),
      ...(values.faults === undefined ? {} : { faults: faultKinds(values.faults) }),
      ...(signatures === undefined ? {} : { signatures }),
      ...(values.behaviours === undefined ? {} : { behaviours: behaviourNames(values.behaviours) }),
      beyondTolerance: values['beyond-tolerance'] === true,
      delivery,
    });
  } catch (error) {
    if (isPydeError(error)) return refuse(error.message);
    throw error;
  }
}

function wholeNumber(name: keyof typeof values): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^\d{1,16}$/.test(text)) return Number(text);
  return refuse(`--${name} takes a whole number, not ${text}`);
}

function refuse(message: string): never {
  process.stderr.write(`sim: ${message}\n\n${HELP}`);
  process.exit(2);
}

async function runOne(of: SimOptions): Promise<number> {
  const startedMs = performance.now();
  const isTerminal = process.stderr.isTTY && values.json !== true;
  const report = await reportOf(of, isTerminal);
  if (isTerminal) process.stderr.write('\r\u001b[K');
  if (values.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(describe(report, of, (performance.now() - startedMs) / 1000));
  if (interrupted) return 130;
  return isGood(report) ? 0 : 1;
}

async function reportOf(of: SimOptions, showsProgress: boolean): Promise<SimReport> {
  let shownMs = performance.now();
  const simulation = await Simulation.open(of, {
    keys: (count) => Array.from({ length: count }, (_, i) => testKey(i)),
  });
  return simulation.run(async () => {
    const nowMs = performance.now();
    if (nowMs - shownMs < PROGRESS_EVERY_MS) return false;
    shownMs = nowMs;
    if (showsProgress) showProgress(of, simulation);
    // Lets signals in.
    await new Promise(setImmediate);
    return interrupted;
  });
}

const isGood = ({ violations, waves }: SimReport): boolean => violations.length === 0 && waves > 0;

function showProgress(of: SimOptions, { progress }: Simulation): void {
  const seconds = progress.seconds.toFixed(1);
  process.stderr.write(
    `\r\u001b[Kseed ${of.seed}: ${seconds} of ${of.seconds} s, ` +
      `${progress.rounds} rounds, ${progress.waves} waves`,
  );
}

function describe(report: SimReport, of: SimOptions, wallSeconds: number): string {
  const { commitLatencyMs: commit, finalityLatencyMs: finality } = report;
  const latency = (p: typeof commit): string =>
    p === undefined ? 'none' : `${p.p50.toFixed(1)} ms median, ${p.p99.toFixed(1)} ms p99`;
  const lines = [
    `seed ${report.seed}: ${report.validators} validators, ${report.signatures} signatures, ` +
      (report.sharedWork ? 'shared work, ' : '') +
      `${report.simulatedSeconds.toFixed(1)} s simulated in ${wallSeconds.toFixed(1)} s`,
    `  ${report.rounds} rounds${paceOf(report, wallSeconds)}, ${report.waves} waves, ${report.skippedAnchors} anchors skipped, ` +
      `${report.crashes} restarts, ${report.messages} messages (${report.lostMessages} lost)`,
    ...describeFaulty(report),
    `  ${report.transactions} transactions: ${report.executed} executed, ${report.dropped} dropped`,
    `  vertex to commit:      ${latency(commit)}`,
    `  submitted to certified: ${latency(finality)}`,
    `    to the home member:   ${latency(report.homeFinalityLatencyMs)}`,
    `  digest ${report.digest}`,
  ];
  for (const { code, node, step, atMs, message } of report.violations) {
    const where = node === undefined ? '' : `, node ${node}`;
    lines.push(`VIOLATION ${code}${where}, step ${step}, at ${atMs.toFixed(3)} ms: ${message}`);
    lines.push(`  again: ${replayCommand(of)}`);
  }
  if (report.waves === 0) lines.push('NO PROGRESS: not one wave was committed');
  return `${lines.join('\n')}\n`;
}

/** @param wallSeconds 0 where others ran meanwhile */
const paceOf = ({ rounds }: SimReport, wallSeconds: number): string =>
  wallSeconds > 0 ? ` (${(rounds / wallSeconds).toFixed(1)} a second of wall time)` : '';

function describeFaulty({ faulty, evidence, waves, rounds }: SimReport): string[] {
  if (faulty.length === 0) return [];
  const each = faulty.map(
    ({ index, behaviours }: FaultyMember) => `${index} (${behaviours.join(', ')})`,
  );
  return [
    `  faulty: ${each.join('; ')}; ${evidence} contradictions reported`,
    `  ${((100 * waves) / Math.max(1, rounds)).toFixed(1)} commits in 100 rounds`,
  ];
}

/** What differs from the defaults, and nothing else. */
function replayCommand(of: SimOptions): string {
  const plain = simOptions({ validators: of.validators, latency: of.latency });
  const parts = [`npm run sim -- --validators ${of.validators} --seed ${of.seed}`];
  parts.push(`--seconds ${of.seconds}`);
  if (of.faults.length > 0) {
    const isAll = of.faults.length === faultKinds('all').length;
    parts.push(`--faults ${isAll ? 'all' : of.faults.join(',')}`);
  }
  if (of.byzantine > 0) parts.push(`--byzantine ${of.byzantine}`);
  if (of.behaviours.length > 0) parts.push(`--behaviours ${of.behaviours.join(',')}`);
  if (of.beyondTolerance) parts.push('--beyond-tolerance');
  if (of.delivery !== plain.delivery) {
    parts.push(`--delivery ${of.delivery} --delay-bound ${of.delayBoundMs}`);
  }
  if (of.idleRoundMs !== plain.idleRoundMs) parts.push(`--idle-round ${of.idleRoundMs}`);
  if (of.latency !== 'lan') parts.push(`--latency ${of.latency}`);
  if (of.tps !== plain.tps) parts.push(`--tps ${of.tps}`);
  if (of.signatures !== plain.signatures) parts.push(`--signatures ${of.signatures}`);
  if (of.minRoundDelayMs !== plain.minRoundDelayMs) {
    parts.push(`--min-round-delay ${of.minRoundDelayMs}`);
  }
  if (of.gcRounds !== plain.gcRounds) parts.push(`--gc-rounds ${of.gcRounds}`);
  if (of.epochDurationMs !== plain.epochDurationMs) parts.push(`--epoch ${of.epochDurationMs}`);
  return parts.join(' ');
}

/** Seeds in child processes, two at a time; all of them run, whatever one finds. */
async function runMany(first: number, count: number): Promise<number> {
  const startedMs = performance.now();
  const reports: SimReport[] = [];
  const shared = process.argv.slice(2).filter((text) => text !== '--json');
  let next = first;
  const unreported: number[] = [];
  const worker = async (): Promise<void> => {
    let child = new SeedProcess(shared);
    while (next < first + count && !interrupted) {
      const seed = next++;
      const report = await child.run(seed);
      if (report === undefined) {
        unreported.push(seed);
        child = new SeedProcess(shared);
        continue;
      }
      reports.push(report);
      if (values.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
      else if (!isGood(report)) process.stdout.write(describe(report, { ...options, seed }, 0));
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${reports.length} of ${count}`);
    }
    child.end();
  };
  await Promise.all([worker(), worker()]);
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  const failed = reports.filter((report) => !isGood(report)).map(({ seed }) => seed);
  const bad = interrupted ? failed : [...failed, ...unreported];
  const sum = (of: (report: SimReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const summary = {
    seeds: reports.length,
    failed: bad.sort((a, b) => a - b),
    simulatedSeconds: sum((report) => report.simulatedSeconds),
    waves: sum(({ waves }) => waves),
    rounds: sum(({ rounds }) => rounds),
    transactions: sum(({ transactions }) => transactions),
    executed: sum(({ executed }) => executed),
    crashes: sum(({ crashes }) => crashes),
    wallSeconds: (performance.now() - startedMs) / 1000,
  };
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify(summary)}\n`
      : `${summary.seeds} seeds, ${summary.simulatedSeconds.toFixed(0)} s simulated in ` +
          `${summary.wallSeconds.toFixed(1)} s: ${summary.waves} waves, ${summary.executed} of ` +
          `${summary.transactions} transactions executed, ${summary.crashes} restarts; ` +
          (bad.length === 0 ? 'no violation\n' : `VIOLATIONS with seeds ${bad.join(', ')}\n`),
  );
  if (interrupted) return 130;
  return bad.length === 0 && reports.length === count ? 0 : 1;
}

/** Serves seeds one after the other, so that a process starts once and not for each seed. */
class SeedProcess {
  readonly #child: ChildProcess;
  #settle: (report: SimReport | undefined) => void = () => {};

  constructor(args: readonly string[]) {
    this.#child = fork(fileURLToPath(import.meta.url), args, { stdio: 'inherit' });
    this.#child.on('message', (report: SimReport) => this.#settle(report));
    this.#child.on('exit', () => this.#settle(undefined));
  }

  /** Undefined when the process ended without a report. */
  run(seed: number): Promise<SimReport | undefined> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      if (this.#child.connected) this.#child.send(seed);
      else resolve(undefined);
    });
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

function serveSeeds(): void {
  process.on('message', async (seed: number) => {
    process.send?.(await reportOf({ ...options, seed }, false));
    if (interrupted) process.disconnect();
  });
}

if (process.send !== undefined) serveSeeds();
else process.exitCode = await (seeds === 1 ? runOne(options) : runMany(options.seed, seeds));

/**
 * One chaos run: a committee under load, one episode of trouble after another with calm between, and
 * the audit. After each episode every honest member has to commit and see certified a wave that
 * nobody had before, within five seconds of calm: faults undone and all processes answering.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { localnetKeys } from '../bench/localnet-net.ts';
import { judge, readBook, type Verdict, type Wipe } from './audit.ts';
import { type LoadOptions, readJournal } from './journal.ts';
import { Committee, SmallDisk } from './members.ts';
import { type Episode, type EpisodeFault, type FaultName, Schedule } from './schedule.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly validators: number;
  readonly tps: number;
  readonly faults: readonly FaultName[];
  /** Chain, logs and journal; empty or new. */
  readonly folder: string;
  /** Told of what happens, as it does. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface EpisodeReport {
  readonly fault: EpisodeFault;
  readonly members: readonly number[];
  /** From the start of the run. */
  readonly atMs: number;
  readonly durationMs: number;
  /** From its end until all processes answer: those that were started again need a moment. */
  readonly restartMs: number;
  /** From calm until every honest member has a new certified wave; of a wiped one see `caughtUpMs`. */
  readonly livenessMs: number;
  /** Of a wiped member, until it has what the others had, from nothing. */
  readonly caughtUpMs?: number;
}

export interface ChaosReport extends Verdict {
  readonly seed: number;
  readonly minutes: number;
  readonly validators: number;
  readonly byzantine: number | null;
  readonly skipped: readonly string[];
  readonly waves: number;
  readonly episodes: readonly EpisodeReport[];
  readonly maxLivenessMs: number;
  /** Submissions that a member refused and another or a later one took, by code. */
  readonly refused: Readonly<Record<string, number>>;
}

const SENDERS = 192;
const FUNDED = 10n ** 16n;
const LIVE_AT_MOST_MS = 5_000;
/** After that the run ends: nothing more is to be learnt. */
const DEAD_AFTER_MS = 60_000;
/** A wiped member executes the whole chain again. */
const CAUGHT_UP_AT_MOST_MS = 120_000;
const CALM_MS = 3_000;
const FIRST_CALM_MS = 4_000;
const POLL_MS = 50;
const DISK_STOP_AT_MOST_MS = 30_000;
const DISK_EXIT_CODE = 2;
const SAME_HEAD_AT_MOST_MS = 60_000;
const LOAD_CLIENT = fileURLToPath(new URL('./load-client.ts', import.meta.url));
const LOAD_END_AT_MOST_MS = 60_000;

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { folder, say } = options;
  mkdirSync(folder, { recursive: true });
  const skipped: string[] = [];
  const hindrance = options.faults.includes('disk')
    ? SmallDisk.hindrance(join(folder, 'disk-check'))
    : undefined;
  if (hindrance !== undefined) {
    skipped.push(`disk: ${hindrance}`);
    say(`disk faults are skipped here: ${hindrance}`);
  }
  const faults = options.faults.filter((name) => name !== 'disk' || hindrance === undefined);
  const schedule = new Schedule({ ...options, faults });
  const committee = await Committee.make({
    folder: join(folder, 'net'),
    validators: options.validators,
    keys: localnetKeys(SENDERS),
    byzantine: schedule.byzantine,
    seed: options.seed,
    onSmallDisk: faults.includes('disk') ? schedule.onSmallDisk : undefined,
  });
  const run = new ChaosRun(options, schedule, committee, skipped);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #schedule: Schedule;
  readonly #committee: Committee;
  readonly #skipped: readonly string[];
  readonly #journal: string;
  readonly #violations: string[] = [];
  readonly #episodes: EpisodeReport[] = [];
  readonly #wipes: Wipe[] = [];
  #load: ChildProcess | undefined;

  constructor(
    options: ChaosOptions,
    schedule: Schedule,
    committee: Committee,
    skipped: readonly string[],
  ) {
    this.#options = options;
    this.#schedule = schedule;
    this.#committee = committee;
    this.#skipped = skipped;
    this.#journal = join(options.folder, 'journal');
  }

  async run(): Promise<ChaosReport> {
    const { minutes, say, signal } = this.#options;
    const { members, byzantine } = this.#committee;
    if (byzantine !== undefined) say(`member ${byzantine} is Byzantine`);
    for (const member of members) member.start();
    await Promise.all(members.map((member) => member.up()));
    this.#startLoad();
    await this.#live([]);
    const beganMs = performance.now();
    await sleep(FIRST_CALM_MS);
    const untilMs = beganMs + minutes * 60_000;
    while (performance.now() < untilMs && !signal.aborted) {
      const episode = this.#schedule.next();
      if (episode === undefined) {
        await sleep(Math.min(1_000, untilMs - performance.now()));
        continue;
      }
      const isLive = await this.#episode(episode, performance.now() - beganMs);
      if (!isLive) break;
      await sleep(CALM_MS);
    }
    await this.#endLoad();
    const verdict = await this.#audit();
    const waves = (await this.#committee.honest[0]?.waveId()) ?? 0;
    for (const { index, exit } of await this.#committee.stop()) {
      if (index === byzantine || exit.code === 0) continue;
      const how = exit.signal ?? `code ${exit.code}`;
      this.#violations.push(`member ${index} was told to stop and ended with ${how}`);
    }
    const { seed, validators } = this.#options;
    return {
      ...{ seed, minutes, validators, byzantine: byzantine ?? null },
      ...{ skipped: this.#skipped, waves, episodes: this.#episodes },
      ...verdict,
      maxLivenessMs: Math.max(0, ...this.#episodes.map(({ livenessMs }) => livenessMs)),
      refused: Object.fromEntries(readJournal(this.#journal, []).refused),
      violations: [...this.#violations, ...verdict.violations],
    };
  }

  async close(): Promise<void> {
    this.#load?.kill('SIGKILL');
    await this.#committee.close();
  }

  async #episode(episode: Episode, atMs: number): Promise<boolean> {
    const { fault, members } = episode;
    const { say } = this.#options;
    const beganMs = performance.now();
    say(`${seconds(atMs)} ${described(episode)}`);
    await this.#begin(episode);
    await sleep(episode.durationMs);
    const endMs = performance.now();
    await this.#undo(episode);
    try {
      await Promise.all(this.#committee.members.map((member) => member.up()));
    } catch (error) {
      this.#violations.push(`after ${fault}: ${error instanceof Error ? error.message : error}`);
      return false;
    }
    const calmMs = performance.now();
    const wiped = fault === 'wipe' ? members : [];
    const livenessMs = await this.#live(wiped);
    const caughtUp = wiped.length === 0 ? {} : { caughtUpMs: await this.#caughtUp(wiped, calmMs) };
    this.#episodes.push({
      ...{ fault, members, atMs: Math.round(atMs) },
      durationMs: Math.round(endMs - beganMs),
      restartMs: Math.round(calmMs - endMs),
      livenessMs: Math.round(livenessMs),
      ...caughtUp,
    });
    const more = caughtUp.caughtUpMs === undefined ? '' : `, caught up ${caughtUp.caughtUpMs} ms`;
    say(
      `${seconds(atMs)}   calm: up in ${Math.round(calmMs - endMs)} ms, new waves everywhere in ` +
        `${Math.round(livenessMs)} ms${more}`,
    );
    if (livenessMs > LIVE_AT_MOST_MS) {
      this.#violations.push(
        `${Math.round(livenessMs)} ms from calm to new waves after ${fault} of ${members.join()}`,
      );
    }
    return livenessMs < DEAD_AFTER_MS;
  }

  async #begin(episode: Episode): Promise<void> {
    const committee = this.#committee;
    const members = episode.members.map((index) => committee.member(index));
    switch (episode.fault) {
      case 'kill':
        await Promise.all(members.map((member) => member.kill()));
        return;
      case 'wipe':
        for (const member of members) {
          await member.kill();
          this.#wipes.push({ member: member.index, atMs: Date.now() });
        }
        return;
      case 'stop':
        for (const member of members) member.signal('SIGSTOP');
        return;
      case 'cut':
        for (const link of episode.links) {
          if (episode.isReset) committee.reset(link);
          else committee.hold(link);
        }
        return;
      case 'slow':
        for (const link of episode.links) {
          committee.slow(link, episode.delayMs, episode.bytesPerSecond);
        }
        return;
      case 'disk':
        committee.fillDisk(episode.leaveBytes);
        return;
      case 'clock':
        for (const member of members) member.shiftClock(episode.shiftMs);
        return;
      default:
        episode satisfies never;
    }
  }

  async #undo(episode: Episode): Promise<void> {
    const committee = this.#committee;
    const members = episode.members.map((index) => committee.member(index));
    switch (episode.fault) {
      case 'kill':
        for (const member of members) member.start();
        return;
      case 'wipe':
        for (const member of members) {
          member.wipe();
          member.start();
        }
        return;
      case 'stop':
        for (const member of members) member.signal('SIGCONT');
        return;
      case 'cut':
      case 'slow':
        committee.heal();
        return;
      case 'disk':
        for (const member of members) {
          const exit = await member.ended(DISK_STOP_AT_MOST_MS);
          if (exit?.code !== DISK_EXIT_CODE) {
            const how =
              exit === undefined ? 'still runs' : `ended with ${exit.signal ?? exit.code}`;
            this.#violations.push(`member ${member.index} ${how} on a full disk`);
            await member.kill();
          }
        }
        committee.freeDisk();
        for (const member of members) member.start();
        return;
      case 'clock':
        for (const member of members) member.shiftClock(0);
        return;
      default:
        episode satisfies never;
    }
  }

  /** How long until every honest member, but for these, has a certified wave that none has now. */
  async #live(without: readonly number[]): Promise<number> {
    const beganMs = performance.now();
    const members = this.#committee.honest.filter(({ index }) => !without.includes(index));
    const heads = await Promise.all(members.map((member) => member.waveId()));
    const newest = Math.max(...heads.map((head) => head ?? 0));
    const left = new Set(members);
    while (left.size > 0 && performance.now() - beganMs < DEAD_AFTER_MS) {
      await Promise.all(
        [...left].map(async (member) => {
          if (((await member.certifiedWave()) ?? 0) > newest) left.delete(member);
        }),
      );
      if (left.size > 0) await sleep(POLL_MS);
    }
    return performance.now() - beganMs;
  }

  async #caughtUp(wiped: readonly number[], calmMs: number): Promise<number> {
    const { honest } = this.#committee;
    const others = honest.filter(({ index }) => !wiped.includes(index));
    while (performance.now() - calmMs < CAUGHT_UP_AT_MOST_MS) {
      const heads = await Promise.all(others.map((member) => member.waveId()));
      const target = Math.max(...heads.map((head) => head ?? 0));
      await sleep(POLL_MS * 4);
      const own = await Promise.all(wiped.map((index) => this.#committee.member(index).waveId()));
      if (own.every((head) => (head ?? 0) >= target)) {
        return Math.round(performance.now() - calmMs);
      }
    }
    this.#violations.push(
      `member ${wiped.join()} was wiped and has not caught up in ${CAUGHT_UP_AT_MOST_MS} ms`,
    );
    return CAUGHT_UP_AT_MOST_MS;
  }

  #startLoad(): void {
    const options: LoadOptions = {
      urls: this.#committee.honest.map(({ json }) => json.rpc_url),
      journal: this.#journal,
      perSecond: this.#options.tps,
      senders: SENDERS,
    };
    this.#load = spawn(process.execPath, [LOAD_CLIENT, JSON.stringify(options)], {
      stdio: ['pipe', 'inherit', 'inherit'],
      // Ctrl-C is this process's to hear: the client ends with its input.
      detached: true,
    });
    this.#load.stdin?.on('error', () => {});
  }

  async #endLoad(): Promise<void> {
    const load = this.#load;
    if (load === undefined) return;
    const how = load.signalCode ?? load.exitCode;
    if (how !== null) {
      this.#violations.push(`the load client ended with ${how} before its time`);
      return;
    }
    const ended = once(load, 'exit');
    load.stdin?.end();
    const late = sleep(LOAD_END_AT_MOST_MS, undefined, { ref: false }).then(() => undefined);
    if ((await Promise.race([ended, late])) === undefined) load.kill('SIGKILL');
  }

  async #audit(): Promise<Verdict> {
    const { honest } = this.#committee;
    this.#options.say('audit: every wave and every acknowledged transaction on every member');
    const heads = await Promise.all(honest.map((member) => member.waveId()));
    const upTo = Math.max(...heads.map((head) => head ?? 0));
    const untilMs = performance.now() + SAME_HEAD_AT_MOST_MS;
    for (const member of honest) {
      while (((await member.waveId()) ?? 0) < upTo && performance.now() < untilMs) {
        await sleep(POLL_MS);
      }
    }
    const present = [];
    for (const member of honest) {
      const head = await member.waveId();
      if (head !== undefined && head >= upTo) present.push(member);
      else this.#violations.push(`member ${member.index} is at wave ${head} and not at ${upTo}`);
    }
    const keys = localnetKeys(SENDERS);
    const books = [];
    for (const { index, client } of present) books.push(await readBook(index, client, upTo, keys));
    const told = readJournal(
      this.#journal,
      honest.map(({ index }) => index),
    );
    return judge(books, told, this.#wipes, FUNDED);
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1).padStart(6)} s`;

function described(episode: Episode): string {
  const { fault, members, durationMs } = episode;
  const whom = `${fault} of ${members.join(' and ')} for ${seconds(durationMs).trim()}`;
  switch (episode.fault) {
    case 'cut':
      return `${whom}, ${episode.links.length} links ${episode.isReset ? 'reset' : 'held'}`;
    case 'slow':
      return `${whom}, ${episode.delayMs} ms later and ${episode.bytesPerSecond} B/s`;
    case 'disk':
      return `${whom}, ${episode.leaveBytes} bytes are left`;
    case 'clock':
      return `${whom}, ${Math.round(episode.shiftMs / 1_000)} s`;
    default:
      return whom;
  }
}

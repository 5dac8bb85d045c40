/**
 * One writer at a time for a file: a lock file beside it, made with O_EXCL, that names its holder.
 * A lock whose process is gone from this machine, or that is older than any change takes, is taken
 * over; taking over is a rename, so that of two that try only one gets it.
 */
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isSystemError } from '../output/index.ts';

/** Longer than any change of a keystore, which holds no password work. */
const STALE_AFTER_MS = 30_000;
const WAIT_AT_MOST_MS = 10_000;
const RETRY_MS = 15;

let takeovers = 0;

/** Runs `work` while holding `<path>.lock`. @throws Failure `Locked` after ten seconds */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const token = `${process.pid} ${hostname()} ${process.hrtime.bigint()}\n`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await acquire(lock, token);
  try {
    return await work();
  } finally {
    // Another process may have taken the lock over while this one was stopped.
    if ((await contentOf(lock)) === token) await rm(lock, { force: true });
  }
}

async function acquire(lock: string, token: string): Promise<void> {
  const until = performance.now() + WAIT_AT_MOST_MS;
  for (;;) {
    if (await create(lock, token)) return;
    const holder = await contentOf(lock);
    if (holder !== undefined && (await isStale(lock, holder))) await takeAway(lock, holder);
    else if (performance.now() > until) {
      throw new Failure('resource', 'Locked', `${lock} is held by another process`, {
        details: { holder: holder?.trim() ?? 'unknown' },
        next: `wait for it to end; if there is none, remove ${lock}`,
      });
    } else await sleep(RETRY_MS);
  }
}

async function create(lock: string, token: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx', 0o600);
    await file.writeFile(token);
    await file.close();
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

async function isStale(lock: string, holder: string): Promise<boolean> {
  const [pid, host] = holder.trim().split(' ');
  if (host === hostname() && pid !== undefined && /^\d+$/.test(pid)) return !isAlive(Number(pid));
  // Another machine's lock, or one whose holder died between making and naming it.
  const made = await stat(lock).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > STALE_AFTER_MS;
}

async function takeAway(lock: string, judged: string): Promise<void> {
  const aside = `${lock}.${process.pid}.${takeovers++}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  // Between judging and renaming another may have replaced the stale lock by its own: give it back.
  if ((await contentOf(aside)) !== judged) await link(aside, lock).catch(() => undefined);
  await rm(aside, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isSystemError(error, 'ESRCH');
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * A disk that fills up or turns read-only, under a real devnet on a small file system of its own.
 * The node stops and says so, and once the disk is usable again it goes on with nothing lost.
 *
 * Mounting needs root and Linux; where it is not possible these tests are skipped by name.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditFolder, auditNode } from './audit.ts';
import { ChainProcess, freePort, LoadProcess, readJournal, until } from './chain-process.ts';
import { Dice } from './dice.ts';

const DISK_BYTES = 64 * 1024 * 1024;
const LOAD_MS = 700;

const home = mkdtempSync(join(tmpdir(), 'pyde-disk-'));
const disk = join(home, 'disk');
const folder = join(disk, 'state');
const journal = join(home, 'journal');

function run(command: string, ...argv: readonly string[]): string | undefined {
  try {
    execFileSync(command, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function canMount(): string | undefined {
  mkdirSync(disk, { recursive: true });
  const refused = run('mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk);
  if (refused === undefined) run('umount', disk);
  return refused;
}

const hindrance = canMount();
if (hindrance !== undefined) console.log(`disk faults are not tested here: ${hindrance}`);

let port = 0;
const dice = Dice.ofThisRun('disk faults');
const alive: ChainProcess[] = [];

function start(): ChainProcess {
  const chain = new ChainProcess(folder, port);
  alive.push(chain);
  return chain;
}

/** Runs a chain under load until its disk fails, as `spoil` makes it. */
async function untilItStops(spoil: () => void): Promise<{ readonly stderr: string }> {
  const chain = start();
  await chain.mustBeReady();
  const load = new LoadProcess(port, journal);
  try {
    await until('receipts', async () => load.told().receipts.size > 20);
    await sleep(dice.below(LOAD_MS));
    spoil();
    const { code, stderr } = await chain.ended();
    expect(code, stderr).toBe(2);
    expect(stderr).not.toMatch(/^\s+at /m);
    return { stderr };
  } finally {
    await load.stop();
    await chain.kill();
  }
}

/** With the disk as it should be. */
async function goesOn(): Promise<void> {
  const told = readJournal(journal);
  await auditFolder(folder, told, true);
  const chain = start();
  await chain.mustBeReady();
  await auditNode(chain, told, dice);
  expect(await chain.signal('SIGTERM')).toMatchObject({ code: 0 });
  await auditFolder(folder, told, false);
}

describe.skipIf(hindrance !== undefined)('a disk that fails', () => {
  beforeAll(async () => {
    port = await freePort();
  });
  afterAll(async () => {
    for (const chain of alive) await chain.kill();
    run('umount', '-l', disk);
    rmSync(home, { recursive: true, force: true });
  });

  /** A new chain on a new disk. */
  async function freshDisk(): Promise<void> {
    run('umount', disk);
    rmSync(journal, { force: true });
    expect(run('mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk)).toBeUndefined();
    mkdirSync(folder);
  }

  const ballast = join(disk, 'ballast');
  function fill(leaveBytes: number): void {
    const file = openSync(ballast, 'w');
    try {
      for (let piece = 1024 * 1024; piece >= 4096; ) {
        const { bavail, bsize } = statfsSync(disk);
        if (bavail * bsize < leaveBytes + piece) piece /= 16;
        else writeSync(file, new Uint8Array(piece));
      }
    } catch (error) {
      // The node was quicker with the last bytes.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(file);
    }
  }

  it.each([
    ['a little is left', 8 * 1024 * 1024],
    ['nothing is left', 0],
  ])('stops the node when it is full and %s, and costs nothing', async (_, leaveBytes) => {
    await freshDisk();
    const { stderr } = await untilItStops(() => fill(leaveBytes));
    expect(stderr).toMatch(
      /has \d+ bytes free, and \d+ are left alone; make room|No space left on device; free the disk/,
    );
    const again = start();
    expect(await again.ready()).toBe(false);
    const refused = await again.ended();
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/\[ERROR\] store\.full: .*make room, then start again/);
    rmSync(ballast);
    await goesOn();
  });

  it('refuses to start when it is read-only, and costs nothing', async () => {
    await freshDisk();
    await untilItStops(() => alive.at(-1)?.signal('SIGKILL')).catch(() => {});
    expect(run('mount', '-o', 'remount,ro', disk)).toBeUndefined();
    const chain = start();
    expect(await chain.ready()).toBe(false);
    const { code, stderr } = await chain.ended();
    expect(code).toBe(2);
    expect(stderr).toMatch(/\[ERROR\] store\.open: .*[Rr]ead-only file system.*make .* writable/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(run('mount', '-o', 'remount,rw', disk)).toBeUndefined();
    await goesOn();
  });

  it('stops the node when it turns read-only under it, and costs nothing', async () => {
    const image = join(home, 'ext4.img');
    const needed = [
      () => run('truncate', '-s', String(DISK_BYTES), image),
      () => run('mkfs.ext4', '-q', '-F', image),
      () => run('mount', '-o', 'loop,errors=remount-ro', image, disk),
    ];
    run('umount', disk);
    for (const step of needed) {
      const refused = step();
      if (refused === undefined) continue;
      console.log(`no file system that turns read-only by itself: ${refused}`);
      expect(existsSync('/dev/loop0'), 'loop devices are there, so this must work').toBe(false);
      return;
    }
    rmSync(journal, { force: true });
    mkdirSync(folder);
    // What ext4 does of itself when it meets a fault.
    const { stderr } = await untilItStops(() => {
      expect(run('mount', '-o', 'remount,abort', disk)).toBeUndefined();
    });
    expect(stderr).toMatch(/could not be written: .*; free the disk or make it writable/);
    expect(run('umount', disk)).toBeUndefined();
    expect(run('mount', '-o', 'loop', image, disk)).toBeUndefined();
    await goesOn();
  });
});

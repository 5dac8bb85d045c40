/**
 * `node.pid` in the folder of a node: which process runs it, for people and for `pyde localnet`. What
 * keeps two processes from one folder is the lock of the database; a file that names a process which
 * is gone, or is another program by now, says nothing.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PID_FILE = 'node.pid';

export function writePid(folder: string): void {
  writeFileSync(join(folder, PID_FILE), `${process.pid}\n`);
}

/** Leaves the file of another process alone. */
export function removePid(folder: string): void {
  if (readPid(folder) === process.pid) rmSync(join(folder, PID_FILE), { force: true });
}

/** The live process that runs the node of this folder; undefined when there is none. */
export function livePid(folder: string): number | undefined {
  const pid = readPid(folder);
  return pid !== undefined && isAlive(pid) && isNode(pid) ? pid : undefined;
}

function readPid(folder: string): number | undefined {
  try {
    const text = readFileSync(join(folder, PID_FILE), 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Numbers of processes are used again. Where the system does not tell, the file is believed. */
function isNode(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes('node') && words.some((word) => /pyde(\.js)?$/.test(word));
  } catch {
    return process.platform !== 'linux';
  }
}

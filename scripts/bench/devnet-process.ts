/** `otigen devnet` on disk in a process and a home folder of its own, for the benchmarks of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../launch.js';
import type { CollectedMemory, ThreadMemory } from './memory-probe.ts';

const POLL_MS = 2;
const ANSWER_AT_MOST_MS = 20_000;
const PAGE_BYTES = 4096;
/** A collection of all threads takes about 0.2 s under full load. */
const COLLECT_AT_MOST_MS = 10_000;
const FILE_LOOKS = 11;
const FILE_LOOK_EVERY_MS = 100;
/** With what the launcher gives a node: it would start the node again and lose the channel. */
const PROBE = [
  ...NODE_FLAGS['otigen devnet'],
  '--expose-gc',
  '--import',
  join(import.meta.dirname, 'memory-probe.ts'),
];

export interface DevnetProcess {
  readonly url: string;
  /** From the start of the process to its first answer. */
  readonly startMs: number;
  /** Collects the garbage of all threads of the node, then reads; for a node started `probed`. */
  memoryAfterCollection(): Promise<MemoryReading>;
  stop(): Promise<void>;
}

export interface MemoryReading {
  /** What is no page of a mapped file, right after the collection, in bytes. */
  readonly ownBytes: number;
  /**
   * Pages of mapped files, in bytes: the program and tables of LevelDB, which maps some 20 MB more
   * for the second that a merge takes. So the least of several looks.
   */
  readonly fileBytes: number;
  readonly threads: readonly ThreadMemory[];
}

/**
 * @param more further arguments of `otigen devnet`
 * @param probed starts the node with memory-probe.ts in each of its threads
 */
export async function startDevnetProcess(
  more: readonly string[] = [],
  { probed = false }: { readonly probed?: boolean } = {},
): Promise<DevnetProcess> {
  const home = mkdtempSync(join(tmpdir(), 'pyde-bench-'));
  const listen = `127.0.0.1:${await freePort()}`;
  const state = join(home, 'state');
  const started = performance.now();
  const command = ['otigen/bin/otigen.js', 'devnet', '--rpc-listen', listen, '--state', state];
  const node = spawn(process.execPath, [...(probed ? PROBE : []), ...command, ...more], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...(probed ? NODE_ENVIRONMENT : {}), ...process.env, OTIGEN_HOME: home },
    stdio: ['ignore', 'ignore', 'ignore', ...(probed ? (['ipc'] as const) : [])],
  });
  const stop = async () => {
    if (node.exitCode === null && node.signalCode === null) {
      node.kill('SIGTERM');
      await once(node, 'exit');
    }
    rmSync(home, { recursive: true, force: true });
  };
  const url = `http://${listen}`;
  while (!(await answers(url))) {
    if (performance.now() - started > ANSWER_AT_MOST_MS || node.exitCode !== null) {
      await stop();
      throw new Error(`the devnet did not answer in ${ANSWER_AT_MOST_MS} ms`);
    }
    await sleep(POLL_MS);
  }
  const memoryAfterCollection = async () => {
    const threads = await collected(node);
    const { ownBytes, fileBytes } = residentNow(node);
    const looks = [fileBytes];
    for (let look = 1; look < FILE_LOOKS; look++) {
      await sleep(FILE_LOOK_EVERY_MS);
      looks.push(residentNow(node).fileBytes);
    }
    return { ownBytes, fileBytes: Math.min(...looks), threads };
  };
  return { url, startMs: performance.now() - started, memoryAfterCollection, stop };
}

function residentNow({ pid }: ChildProcess): Pick<MemoryReading, 'ownBytes' | 'fileBytes'> {
  const [, resident, ofFiles] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
  if (resident === undefined || ofFiles === undefined) throw new Error(`no statm of ${pid}`);
  return { ownBytes: (resident - ofFiles) * PAGE_BYTES, fileBytes: ofFiles * PAGE_BYTES };
}

async function collected(node: ChildProcess): Promise<readonly ThreadMemory[]> {
  node.send('collect');
  const signal = AbortSignal.timeout(COLLECT_AT_MOST_MS);
  const [answer] = await once(node, 'message', { signal });
  return (answer as CollectedMemory).threads;
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'pyde_waveId', params: [] }),
  }).catch(() => undefined);
  if (answer?.ok !== true) return false;
  await answer.json();
  return true;
}

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

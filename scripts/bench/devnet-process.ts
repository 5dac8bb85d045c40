/** `otigen devnet` on disk in a process and a home folder of its own, for the benchmarks of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 2;
const ANSWER_AT_MOST_MS = 20_000;
const PAGE_BYTES = 4096;

export interface DevnetProcess {
  readonly url: string;
  /** From the start of the process to its first answer. */
  readonly startMs: number;
  /** Of the node's process, in bytes. */
  residentBytes(): number;
  stop(): Promise<void>;
}

/** @param more further arguments of `otigen devnet` */
export async function startDevnetProcess(more: readonly string[] = []): Promise<DevnetProcess> {
  const home = mkdtempSync(join(tmpdir(), 'pyde-bench-'));
  const listen = `127.0.0.1:${await freePort()}`;
  const state = join(home, 'state');
  const started = performance.now();
  const node = spawn(
    process.execPath,
    ['otigen/bin/otigen.js', 'devnet', '--rpc-listen', listen, '--state', state, ...more],
    {
      cwd: join(import.meta.dirname, '..', '..'),
      env: { ...process.env, OTIGEN_HOME: home },
      stdio: 'ignore',
    },
  );
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
  const residentBytes = () => {
    const pages = readFileSync(`/proc/${node.pid}/statm`, 'utf8').split(' ')[1];
    return Number(pages) * PAGE_BYTES;
  };
  return { url, startMs: performance.now() - started, residentBytes, stop };
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

/** From the start of the process to its first RPC answer, a fresh chain each time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../bench.ts';
import { freePort } from './free-port.ts';
import { median } from './rate.ts';

const RUNS = 9;
const POLL_MS = 2;

async function startOnce(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'pyde-bench-'));
  const port = await freePort();
  const started = performance.now();
  const node = spawn(
    process.execPath,
    [
      'otigen/bin/otigen.js',
      'devnet',
      '--rpc-listen',
      `127.0.0.1:${port}`,
      '--state',
      join(home, 'state'),
    ],
    {
      cwd: join(import.meta.dirname, '..', '..'),
      env: { ...process.env, HOME: home },
      stdio: 'ignore',
    },
  );
  try {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'pyde_waveId', params: [] });
    for (;;) {
      if (performance.now() - started > 20_000)
        throw new Error('the devnet did not answer in 20 s');
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      }).catch(() => undefined);
      if (answer?.ok === true) {
        await answer.json();
        return performance.now() - started;
      }
      await sleep(POLL_MS);
    }
  } finally {
    node.kill('SIGTERM');
    await once(node, 'exit');
    rmSync(home, { recursive: true, force: true });
  }
}

export async function run(): Promise<Row[]> {
  await startOnce(); // fills the compile cache, as any earlier start does
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push(await startOnce());
  return [
    {
      name: `devnet, process start to first answer (median of ${RUNS})`,
      value: median(times),
      unit: 'ms',
    },
    { name: 'devnet, slowest of those starts', value: Math.max(...times), unit: 'ms' },
  ];
}

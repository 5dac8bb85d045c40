/** What the process of a node is started with, told by the system and not by the process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NODE_ENVIRONMENT, NODE_FLAGS } from './launch.js';

const root = resolve(import.meta.dirname, '..');
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pyde-launch-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

const listed = (pid: number | undefined, file: 'cmdline' | 'environ'): string[] =>
  readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');

describe.skipIf(process.platform !== 'linux')('the process of a node', () => {
  it('becomes one with the bounds of its memory, but for what the user set', async () => {
    const { MALLOC_ARENA_MAX: _, ...others } = NODE_ENVIRONMENT;
    const args = ['otigen/bin/otigen.js', 'devnet', '--rpc-listen', '127.0.0.1:0'];
    const node = spawn(process.execPath, [...args, '--no-auto-import-wallets'], {
      cwd: root,
      env: { ...process.env, MALLOC_ARENA_MAX: '3', OTIGEN_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      // It says something only once it runs.
      await once(node.stdout, 'data');
      expect(listed(node.pid, 'cmdline')).toEqual(expect.arrayContaining([...NODE_FLAGS]));
      const variables = Object.entries({ ...others, MALLOC_ARENA_MAX: '3' });
      const expected = variables.map(([name, value]) => `${name}=${value}`);
      expect(listed(node.pid, 'environ')).toEqual(expect.arrayContaining(expected));
    } finally {
      node.kill('SIGTERM');
      if (node.exitCode === null && node.signalCode === null) await once(node, 'exit');
    }
  });
});

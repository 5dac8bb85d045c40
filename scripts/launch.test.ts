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

describe.skipIf(process.platform !== 'linux')('the process of a node', () => {
  /** Starts a devnet with `flags`; what the system says of its process once it runs. */
  async function started(flags: readonly string[], env: Readonly<Record<string, string>>) {
    const args = ['otigen/bin/otigen.js', 'devnet', '--rpc-listen', '127.0.0.1:0'];
    const node = spawn(process.execPath, [...flags, ...args, '--no-auto-import-wallets'], {
      cwd: root,
      env: { ...process.env, ...env, OTIGEN_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      // It says something only once it runs.
      await once(node.stdout, 'data');
      const listed = (file: string) => readFileSync(`/proc/${node.pid}/${file}`, 'utf8');
      return { flags: listed('cmdline').split('\0'), variables: listed('environ').split('\0') };
    } finally {
      node.kill('SIGTERM');
      if (node.exitCode === null && node.signalCode === null) await once(node, 'exit');
    }
  }
  const written = (variables: Readonly<Record<string, string>>): string[] =>
    Object.entries(variables).map(([name, value]) => `${name}=${value}`);

  it('becomes one with the bounds of its memory', async () => {
    const { flags, variables } = await started([], {});
    expect(flags).toEqual(expect.arrayContaining([...NODE_FLAGS['otigen devnet']]));
    expect(variables).toEqual(expect.arrayContaining(written(NODE_ENVIRONMENT)));
  });

  it('keeps what the user set', async () => {
    const own = { MALLOC_ARENA_MAX: '3' };
    const { flags, variables } = await started(['--max-semi-space-size=24'], own);
    expect(flags.filter((flag) => flag.startsWith('--max-semi-space-size'))).toEqual([
      '--max-semi-space-size=24',
    ]);
    const expected = written({ ...NODE_ENVIRONMENT, ...own });
    expect(variables).toEqual(expect.arrayContaining(expected));
  });
});

/**
 * The newcomer's path: README's own commands, in their order, in a fresh copy of the tree with
 * nothing installed and a home folder of its own. It needs the ports of a localnet for itself: RPC on
 * 9933 to 9936, and the same 1,000 to 3,000 higher.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const place = mkdtempSync(join(tmpdir(), 'pyde-newcomer-'));
const clone = join(place, 'pyde');
const home = join(place, 'home');

/** As a clone of what git tracks or would track: no node_modules, no built kernels, no state. */
function copyTree(): void {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
  });
  for (const file of listed.toString().split('\0').filter(Boolean)) {
    const from = join(root, file);
    if (statSync(from, { throwIfNoEntry: false })?.isFile() !== true) continue;
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(from, join(clone, file));
  }
}

/** The test's own npm and Node stay out of the newcomer's environment. */
const env: Record<string, string> = { HOME: home, PATH: systemPath(), TMPDIR: tmpdir() };
for (const name of ['npm_config_cache', 'npm_config_registry', 'NPM_CONFIG_USERCONFIG']) {
  const value = process.env[name];
  if (value !== undefined) env[name] = value;
}
env['NPM_CONFIG_USERCONFIG'] ??= join(process.env['HOME'] ?? '/root', '.npmrc');
env['npm_config_cache'] ??= join(process.env['HOME'] ?? '/root', '.npm');

function systemPath(): string {
  return (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-linux-'))
    .join(':');
}

const blocks = [
  ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g),
].map((match) => (match[1] ?? '').trim());

function run(command: string): { code: number | null; stdout: string; stderr: string } {
  const done = spawnSync('sh', ['-c', command], { cwd: clone, env, timeout: 120_000 });
  return { code: done.status, stdout: `${done.stdout}`, stderr: `${done.stderr}` };
}

function verifiedBalance(): { balance: string; wave_id: string } {
  const { code, stdout, stderr } = run('npx otigen balance alice --verify --json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

let chain: ChildProcess;
let printed = '';

async function start(): Promise<number> {
  printed = '';
  const started = performance.now();
  chain = spawn('sh', ['-c', `exec ${blocks[0] ?? 'false'}`], { cwd: clone, env, detached: true });
  for (const stream of [chain.stdout, chain.stderr]) {
    stream?.on('data', (part: Buffer) => {
      printed += part.toString();
    });
  }
  while (!printed.includes('devnet-9') || !printed.includes('Ctrl-C')) {
    if (chain.exitCode !== null) throw new Error(`npm start ended: ${printed}`);
    if (performance.now() - started > 240_000) throw new Error(`npm start hangs: ${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return performance.now() - started;
}

/** Ctrl-C: a terminal signals the whole foreground group. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  const ended = once(chain, 'exit');
  process.kill(signal === 'SIGINT' ? -(chain.pid ?? 0) : (chain.pid ?? 0), signal);
  await ended;
}

/** What each of the four validators says of the same wave. */
async function wavesOfAll(wave: string): Promise<unknown[]> {
  const ask = async (port: number): Promise<unknown> => {
    const body = JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1 },
      ...{ method: 'pyde_getWave', params: [Number(wave)] },
    });
    const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body });
    return ((await response.json()) as { result: unknown }).result;
  };
  return Promise.all([9933, 9934, 9935, 9936].map(ask));
}

/** Once stopped, nothing of it holds a port any more. */
async function expectNothingLeft(): Promise<void> {
  const answers = (port: number): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}`).then(
      () => true,
      () => false,
    );
  for (const port of [9933, 9934, 9935, 9936]) {
    // npm goes at once, the network a moment later.
    await expect.poll(() => answers(port), { timeout: 20_000 }).toBe(false);
  }
}

async function untilAccountsAreThere(): Promise<void> {
  for (let tries = 0; tries < 120; tries++) {
    if (run('npx otigen wallet show devnet-9').code === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`the devnet accounts were not imported: ${printed}`);
}

beforeAll(() => {
  mkdirSync(home);
  copyTree();
});
afterAll(async () => {
  if (chain?.exitCode === null && chain.signalCode === null) await stop('SIGINT');
  rmSync(place, { recursive: true, force: true });
});

describe('the README, on a fresh clone', () => {
  it('starts a chain with one command that installs and builds what is missing', async () => {
    expect(blocks[0]).toBe('npm start');
    await start();
    expect(printed).toContain('installing packages');
    for (const port of [9933, 9934, 9935, 9936]) {
      expect(printed).toContain(`http://127.0.0.1:${port}`);
    }
    expect(printed).toMatch(
      /devnet-0 +0xf07856fdf4796baa6d477ddfe926774d367b25c20e8c7d9d337b63034c9e0cfa/,
    );
    await untilAccountsAreThere();
  }, 300_000);

  it('creates, funds and registers a wallet, sends, and verifies the balance', () => {
    for (const block of blocks.slice(1)) {
      for (const command of block.split('\n')) {
        const done = run(command);
        expect({ command, ...done }).toMatchObject({ command, code: 0 });
        if (command.endsWith('--verify')) expect(done.stdout).toMatch(/verified/);
      }
    }
  }, 180_000);

  it('finds the same balance after a stop and a second start, which installs nothing', async () => {
    const before = verifiedBalance();
    const [first, ...others] = await wavesOfAll(before.wave_id);
    expect(first).not.toBeNull();
    for (const other of others) expect(other).toEqual(first);
    await stop('SIGINT');
    await expectNothingLeft();
    await start();
    expect(printed).not.toContain('installing packages');
    const after = verifiedBalance();
    expect(after.balance).toBe(before.balance);
    expect(BigInt(after.wave_id)).toBeGreaterThanOrEqual(BigInt(before.wave_id));
    await stop('SIGTERM');
    await expectNothingLeft();
  }, 120_000);
});

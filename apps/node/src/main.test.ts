import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@pyde/core/platform';
import { startDevnet } from '@pyde/platform-node/devnet';
import { afterAll, describe, expect, it } from 'vitest';

const LAUNCHER = join(import.meta.dirname, '..', 'bin', 'pyde.js');
const folder = mkdtempSync(join(tmpdir(), 'pyde-app-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const pyde = (...argv: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [LAUNCHER, ...argv], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });

describe('pyde', () => {
  it('shows a running node, and checks its database once it is stopped', async () => {
    const devnet = await startDevnet({
      rpcHost: '127.0.0.1',
      rpcPort: 0,
      chainId: 31337n,
      prefundCount: 2,
      prefundAmount: 1000n,
      tickMs: 10,
      stateDir: folder,
      logger: silentLogger,
    });
    const shown = await pyde('status', '--json', '--rpc-url', devnet.url);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    const status = JSON.parse(shown.stdout);
    expect(status).toMatchObject({ chainId: '31337', pendingTransactions: 0 });
    expect(Number(status.baseFee)).toBeGreaterThanOrEqual(1);
    expect(status.stateRoot.blake3).toMatch(/^0x[0-9a-f]{64}$/);
    const lines = (await pyde('status', '--rpc-url', devnet.url)).stdout;
    expect(lines).toMatch(/^chain +31337$/m);
    expect(await pyde('db', 'check', folder)).toMatchObject({ code: 2, stdout: '' });
    await devnet.stop();
    const checked = await pyde('db', 'check', folder);
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(checked.stdout).toMatch(/\nwhole\n$/);
    const current = join(folder, 'db', 'CURRENT');
    const named = readFileSync(current);
    rmSync(current);
    const lacking = await pyde('db', 'check', folder);
    expect(lacking).toMatchObject({ code: 1, stderr: '' });
    expect(lacking.stdout).toMatch(/^DAMAGED .*check\.file: .*\/db\/CURRENT: it is missing/m);
    writeFileSync(current, named);
    expect(await pyde('db', 'check', folder)).toMatchObject({ code: 0 });
  });

  it('says in a sentence what is wrong, and ends with 1 or 2', async () => {
    const none = await pyde('db', 'check', join(folder, 'nowhere'));
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/^pyde \[ERROR\] db\.missing: /);
    const unknown = await pyde('node', '--anything');
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toBe(
      "pyde [ERROR] pyde.arguments: unknown option '--anything'; see pyde node --help\n",
    );
    const walk = await pyde('walk');
    expect(walk).toMatchObject({ code: 1, stdout: '' });
    expect(walk.stderr).toMatch(/unknown command 'walk'; see pyde --help/);
    const nobody = await pyde('status', '--rpc-url', 'http://127.0.0.1:1');
    expect(nobody.code).toBe(2);
    expect(nobody.stderr).toMatch(
      /rpc\.unreachable: .*\n {2}next: {2}otigen devnet or pyde localnet/,
    );
  });

  it('does not trust what answers at the address', async () => {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"jsonrpc":"2.0","id":1,"result":"pyde"}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const answered = await pyde('status', '--rpc-url', `http://127.0.0.1:${port}`);
    server.close();
    expect(answered).toMatchObject({ code: 2, stdout: '' });
    expect(answered.stderr).toMatch(/^pyde \[ERROR\] rpc\.response: /);
    expect(answered.stderr).not.toMatch(/\n\s+at /);
  });
});

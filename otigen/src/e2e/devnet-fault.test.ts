/** `otigen devnet` on a folder that is damaged: it ends by itself, non-zero, and says what is wrong. */
import { join } from 'node:path';
import { isPydeError } from '@pyde/core/bytes';
import { TABLE } from '@pyde/core/state';
import { LevelStore } from '@pyde/platform-node';
import { RpcClient } from '@pyde/platform-node/client';
import { afterAll, describe, expect, it } from 'vitest';
import { Home } from '../testing.ts';
import { runDevnet } from './running-devnet.ts';

const home = new Home();
afterAll(() => home.remove());

/** Flips a bit in the last record of a table. */
async function damage(state: string, table: number): Promise<boolean> {
  const store = await LevelStore.open(join(state, 'db'));
  let damaged = false;
  for await (const [key, found] of store.range({ prefix: Uint8Array.of(table), reverse: true })) {
    const value = found.slice();
    value[0] = (value[0] ?? 0) ^ 1;
    await store.batch([{ kind: 'put', key, value }], { sync: true });
    damaged = true;
    break;
  }
  await store.close();
  return damaged;
}

describe('otigen devnet on a damaged folder', () => {
  it.each([
    ['is refused at the start', 'vertices'],
    ['ends when execution needs the record', 'state'],
  ] as const)('%s', async (_, table) => {
    const state = join(home.path, table);
    const devnet = await runDevnet(home, '--no-auto-import-wallets', '--state', state);
    const client = new RpcClient(devnet.url);
    await expect.poll(async () => Number(await client.call('pyde_waveId'))).toBeGreaterThan(2);
    expect((await devnet.stop()).code).toBe(0);
    expect(await damage(state, TABLE[table])).toBe(true);
    const started = performance.now();
    const argv = ['--no-auto-import-wallets', '--rpc-listen', '127.0.0.1:0', '--state', state];
    const { code, stderr } = await home.run('devnet', ...argv);
    expect(code).not.toBe(0);
    expect(performance.now() - started).toBeLessThan(8_000);
    const failures = stderr.split('\n').filter((line) => / \[ERROR\] [A-Za-z.]+: /.test(line));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain(`of table ${table} is damaged`);
  });

  it('leaves the store of a running one alone', async () => {
    const state = join(home.path, 'taken');
    const devnet = await runDevnet(home, '--no-auto-import-wallets', '--state', state);
    const error = await LevelStore.open(join(state, 'db')).catch((reason: unknown) => reason);
    expect(isPydeError(error, 'store.locked')).toBe(true);
    expect((await devnet.stop()).code).toBe(0);
  });
});

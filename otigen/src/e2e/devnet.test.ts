/** What `otigen devnet` promises besides running a chain. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RpcClient } from '@pyde/platform-node/client';
import { afterAll, describe, expect, it } from 'vitest';
import { Home } from '../testing.ts';
import { runDevnet } from './running-devnet.ts';

const home = new Home();
afterAll(() => home.remove());

const nodeOf = (url: string) => ['--rpc-url', url, '--chain-id', '31337', '--json'];

describe('otigen devnet', () => {
  it('leaves a keystore that it cannot read as it is, says so, and runs', async () => {
    mkdirSync(dirname(home.keystore), { recursive: true });
    writeFileSync(home.keystore, 'not json');
    const devnet = await runDevnet(home);
    const { code, stderr } = await devnet.stop();
    expect(code).toBe(0);
    expect(stderr).toMatch(/^otigen \[WARN\] the devnet accounts are not in the keystore: /);
    expect(readFileSync(home.keystore, 'utf8')).toBe('not json');
    writeFileSync(home.keystore, '{"version":1,"accounts":{"devnet-3":{"mine":true}}}');
  });

  it('adds its accounts beside those that are there, and none when told so', async () => {
    const before = readFileSync(home.keystore, 'utf8');
    const without = await runDevnet(home, '--no-auto-import-wallets');
    await without.stop();
    expect(readFileSync(home.keystore, 'utf8')).toBe(before);

    const devnet = await runDevnet(home);
    const { names } = await devnet.event('devnet_wallets_imported');
    expect(names).toHaveLength(9);
    expect(names).not.toContain('devnet-3');
    const { accounts } = JSON.parse(readFileSync(home.keystore, 'utf8'));
    expect(accounts['devnet-3']).toEqual({ mine: true });
    expect(devnet.ready).toMatchObject({ fresh: true, chain_id: 31337, state: null });
    expect((await devnet.stop()).code).toBe(0);
  });

  it('has an id by which clients tell nodes apart', async () => {
    const devnet = await runDevnet(home, '--no-auto-import-wallets');
    const info = await new RpcClient(devnet.url).call('pyde_getNodeInfo');
    expect(info).toMatchObject({
      peer_id: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      falcon_pubkey: expect.stringMatching(/^0x09[0-9a-f]{1792}$/),
      listen_addrs: [],
      protocol_version: 'pyde/1',
    });
    await devnet.stop();
  });

  it('starts from the state that another one dumped', async () => {
    const file = join(home.path, 'dump.bin');
    const first = await runDevnet(home, '--dump-state', file);
    await first.event('devnet_wallets_imported');
    const send = ['send', 'devnet-1', '7', '--from', 'devnet-0', '--password-stdin'];
    expect(await home.runWith('devnet', ...send, ...nodeOf(first.url))).toMatchObject({ code: 0 });
    expect((await first.stop()).code).toBe(0);

    const second = await runDevnet(home, '--load-state', file);
    const address = JSON.parse(readFileSync(home.keystore, 'utf8')).accounts['devnet-1'].address;
    const balance = await home.run('balance', address, '--verify', ...nodeOf(second.url));
    expect(balance.events()).toMatchObject([{ balance: (10n ** 16n + 7n).toString() }]);
    expect((await second.stop()).code).toBe(0);
  });

  it('refuses flags that contradict each other', async () => {
    const both = await home.run('devnet', '--load-state', 'x', '--prefund-count', '2');
    expect(both).toMatchObject({ code: 1 });
    const several = await home.run('devnet', '--validators', '4');
    expect(several).toMatchObject({ code: 1 });
    expect(several.stderr).toMatch(/several validators is not available yet/);
    const missing = await home.run('devnet', '--load-state', 'nothing-here');
    expect(missing).toMatchObject({ code: 2 });
  });
});

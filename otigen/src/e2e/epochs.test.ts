/** `balance --verify` against a real devnet that goes through epochs, and a node that lies about it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@pyde/core/bytes';
import { silentLogger } from '@pyde/core/platform';
import { encodeGenesis } from '@pyde/core/types';
import { RpcClient } from '@pyde/platform-node/client';
import { type DevnetHandle, startDevnet } from '@pyde/platform-node/devnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from '../testing.ts';
import { untilCertified } from './certified-epoch.ts';
import { type LyingNode, lyingNode } from './lying-node.ts';

const EPOCH_MS = 400;

const home = new Home();
const genesis = join(home.path, 'genesis.borsh');
const trust = join(home.path, '.pyde', 'trust', '31337.json');
let devnet: DevnetHandle;
let liar: LyingNode;
let address: string;

beforeAll(async () => {
  devnet = await startDevnet({
    rpcHost: '127.0.0.1',
    rpcPort: 0,
    chainId: 31_337n,
    prefundCount: 1,
    prefundAmount: 10n ** 16n,
    tickMs: 20,
    epochDurationMs: EPOCH_MS,
    logger: silentLogger,
  });
  writeFileSync(genesis, encodeGenesis(devnet.genesis));
  address = toHex(devnet.accounts[0]?.address ?? new Uint8Array(0));
  liar = await lyingNode(devnet.url);
});
afterAll(async () => {
  liar.close();
  await devnet.stop();
  home.remove();
});

const verify = (...more: readonly string[]) =>
  home.run(
    ...['balance', address, '--verify', '--rpc-url', liar.url],
    ...['--chain-id', '31337', '--json', ...more],
  );
/** The event of a check that held. */
async function verified(...more: readonly string[]): Promise<Record<string, unknown>> {
  const { code, events, stderr } = await verify(...more);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return events().at(-1) ?? {};
}
const untilEpoch = (epoch: number) => untilCertified(new RpcClient(devnet.url), epoch);

describe('balance --verify over epochs', () => {
  it('is led from genesis to the newest epoch, and goes on from there the next time', async () => {
    await untilEpoch(3);
    const first = await verified('--genesis', genesis);
    expect(first).toMatchObject({
      verified: true,
      balance: '10000000000000000',
      trusted_epoch: 0,
      committee_size: 1,
    });
    const reached = Number(first['epoch']);
    expect(reached).toBeGreaterThanOrEqual(3);
    await untilEpoch(reached + 2);
    const second = await verified();
    expect(Number(second['trusted_epoch'])).toBeGreaterThanOrEqual(reached);
    expect(Number(second['epoch'])).toBeGreaterThanOrEqual(reached + 2);
    // The genesis that was named before does not send it back to the beginning.
    const third = await verified('--genesis', genesis);
    expect(Number(third['trusted_epoch'])).toBeGreaterThanOrEqual(reached + 2);
  });

  it('ends with 1 whatever a node tells of the epochs between', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: answers of any shape are bent here
    type Bend = (result: any, closes: boolean) => unknown;
    const flip = (hex: string, at: number) =>
      hex.slice(0, at) + (hex[at] === '0' ? '1' : '0') + hex.slice(at + 1);
    const lies: readonly (readonly [string, string, Bend])[] = [
      ['epochs of waves', 'pyde_getWave', (r) => ({ ...r, epoch: '0x0' })],
      ['no waves', 'pyde_getWave', (r) => (r.wave_id === '0x0' ? r : null)],
      ['no closing certificate', 'pyde_getHardFinalityCert', (r, closes) => (closes ? null : r)],
      [
        'no signature',
        'pyde_getHardFinalityCert',
        (r, closes) => (closes ? { ...r, signatures: [] } : r),
      ],
      [
        'another signature',
        'pyde_getHardFinalityCert',
        (r, closes) => (closes ? { ...r, signatures: [[0, flip(r.signatures[0][1], 700)]] } : r),
      ],
      [
        'another record',
        'pyde_getHardFinalityCert',
        (r, closes) =>
          closes ? { ...r, commit: { ...r.commit, record: flip(r.commit.record, 400) } } : r,
      ],
    ];
    for (const [what, method, bend] of lies) {
      rmSync(trust);
      liar.tell((called, result) => {
        if (called !== method || result === null) return result;
        // biome-ignore lint/suspicious/noExplicitAny: answers of any shape are bent here
        const closes = (result as any).commit?.next_committee_hash != null;
        return bend(result, closes);
      });
      const { code, stdout, stderr } = await verify('--genesis', genesis);
      expect({ what, code }).toEqual({ what, code: 1 });
      expect(stdout, what).not.toMatch(/"verified":true/);
      expect(stderr, what).toMatch(/NotVerified: /);
    }
    liar.tell((_, result) => result);
  });

  it('refuses what was known to be right more than 21 days ago, unless told otherwise', async () => {
    await verified('--genesis', genesis);
    const file = JSON.parse(readFileSync(trust, 'utf8'));
    const [root] = file.roots;
    expect(root.head.epoch).toBeGreaterThan(2);
    const day = 24 * 60 * 60 * 1_000;
    const head = { ...root.head, as_of_ms: Date.now() - 22 * day };
    writeFileSync(trust, JSON.stringify({ ...file, roots: [{ ...root, head }] }));
    const refused = await verify();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/TrustTooOld: .*\n(.*\n)* +next: .*--trust-old-root/);
    await untilEpoch(root.head.epoch + 1);
    expect(await verified('--trust-old-root')).toMatchObject({ verified: true });
    // The way from there is verified, so that what it led to is new again.
    expect(await verified()).toMatchObject({ verified: true });
  });

  it('tells a node that is behind what was verified before', async () => {
    await verified('--genesis', genesis);
    const file = JSON.parse(readFileSync(trust, 'utf8'));
    const [root] = file.roots;
    const head = { ...root.head, epoch: root.head.epoch + 1_000 };
    writeFileSync(trust, JSON.stringify({ ...file, roots: [{ ...root, head }] }));
    const { code, stderr } = await verify();
    expect(code).toBe(1);
    expect(stderr).toMatch(/BehindTrust: the node is behind/);
    rmSync(trust);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@pyde/core/bytes';
import { writeGenesis } from '@pyde/core/node';
import { silentLogger } from '@pyde/core/platform';
import { type Genesis, genesisHash, toHash, toWaveId } from '@pyde/core/types';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RpcClient } from '../client/index.ts';
import { startDevnet } from '../devnet/devnet.ts';
import { devnetAccounts, devnetValidator } from '../devnet/devnet-keys.ts';
import { systemRandom } from '../runtime/system-clock.ts';
import { LevelStore } from '../store/level-store.ts';
import { markFor, signedBy } from './moved-key.ts';

const { publicKey } = devnetValidator(undefined);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pyde-moved-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a chain of one in the folder until it is above `above`. */
async function someWaves(above = 5): Promise<{ readonly genesis: Genesis; readonly wave: number }> {
  const devnet = await startDevnet({
    ...{ rpcHost: '127.0.0.1', rpcPort: 0, chainId: 31337n, tickMs: 10, stateDir: folder },
    ...{ prefundCount: 1, prefundAmount: 1n, logger: silentLogger },
  });
  const client = new RpcClient(devnet.url);
  let wave = 0;
  while (wave <= above) wave = Number(await client.call('pyde_waveId'));
  await devnet.stop();
  return { genesis: devnet.genesis, wave };
}

it('what a key signed is read from its node, and goes up with what it signs', async () => {
  const { genesis, wave } = await someWaves();
  const first = await signedBy(folder, publicKey, systemRandom);
  expect(first.chain).toEqual(genesisHash(genesis));
  expect(first.mark.round).toBeGreaterThanOrEqual(wave);
  expect(Number(first.mark.waveId)).toBeGreaterThanOrEqual(wave);
  await someWaves(first.mark.round + 5);
  const second = await signedBy(join(folder, 'db'), publicKey, systemRandom);
  expect(second.mark.round).toBeGreaterThan(first.mark.round);
  expect(toHex(second.id)).not.toBe(toHex(first.id));
  expect(markFor(genesis, second)).toEqual({ id: second.id, mark: second.mark });
  expect(markFor(genesis, undefined)).toBeUndefined();
  const other = { ...genesis, chainId: 7n };
  expect(() => markFor(other, second)).toThrow(/exported from a node of another chain/);
}, 60_000);

it('a folder without a chain, or of another validator, says nothing of a key', async () => {
  const nothing = signedBy(folder, publicKey, systemRandom);
  await expect(nothing).rejects.toMatchObject({ code: 'keys.no-chain' });
  const store = await LevelStore.open(join(folder, 'db'));
  await store.close();
  const empty = signedBy(folder, publicKey, systemRandom);
  await expect(empty).rejects.toMatchObject({ code: 'keys.no-chain' });
  await someWaves();
  const [stranger] = devnetAccounts(1);
  const unknown = signedBy(folder, stranger?.publicKey ?? publicKey, systemRandom);
  await expect(unknown).rejects.toMatchObject({ code: 'keys.no-validator' });
}, 60_000);

it('a key that came with a mark keeps it, whatever an older run in the folder signed', async () => {
  const { genesis } = await someWaves();
  const here = await signedBy(folder, publicKey, systemRandom);
  const mark = { ...here.mark, round: here.mark.round + 100, waveId: toWaveId(10_000n) };
  const moved = await signedBy(folder, publicKey, systemRandom, { ...here, mark });
  expect(moved.mark).toEqual(mark);
  const old = { ...here, mark: { ...mark, round: 1, waveId: toWaveId(1n) } };
  expect((await signedBy(folder, publicKey, systemRandom, old)).mark).toEqual(here.mark);
  const elsewhere = { ...here, chain: toHash(genesisHash({ ...genesis, chainId: 7n })) };
  const wrong = signedBy(folder, publicKey, systemRandom, elsewhere);
  await expect(wrong).rejects.toMatchObject({ code: 'keys.other-chain' });
}, 60_000);

it('a node that only followed does not pass for one on which the key signed nothing', async () => {
  const { genesis } = await someWaves();
  const followed = join(folder, 'followed');
  const store = await LevelStore.open(join(followed, 'db'));
  await writeGenesis(store, genesis);
  await store.close();
  const nothing = signedBy(followed, publicKey, systemRandom);
  await expect(nothing).rejects.toMatchObject({ code: 'keys.nothing-signed' });
}, 60_000);

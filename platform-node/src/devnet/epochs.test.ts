/** A devnet, which is a committee of one, goes through epochs by the same code. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '@pyde/core/bytes';
import { FALCON_SIGN_RANDOM_BYTES, falconSign } from '@pyde/core/crypto';
import { silentLogger } from '@pyde/core/platform';
import { encodeTx, transferTx, txHash } from '@pyde/core/tx';
import { toNonce, toQuanta } from '@pyde/core/types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../runtime/system-clock.ts';
import { type DevnetHandle, startDevnet } from './devnet.ts';
import { devnetAccounts } from './devnet-keys.ts';

const CHAIN_ID = 31_337n;
const EPOCH_MS = 400;
const [alice, bob] = devnetAccounts(2);
if (alice === undefined || bob === undefined) throw new Error('two accounts are constants');
const [sender, receiver] = [alice, bob];

let stateDir: string;
let devnet: DevnetHandle | undefined;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'pyde-epochs-'));
});
afterEach(async () => {
  await devnet?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  devnet = await startDevnet({
    rpcHost: '127.0.0.1',
    rpcPort: 0,
    chainId: CHAIN_ID,
    prefundCount: 2,
    prefundAmount: 10n ** 16n,
    tickMs: 20,
    epochDurationMs: EPOCH_MS,
    stateDir,
    logger: silentLogger,
  });
}

async function call(method: string, ...params: unknown[]): Promise<unknown> {
  const response = await fetch(devnet?.url ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const answer = (await response.json()) as { result?: unknown; error?: unknown };
  if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
  return answer.result;
}

interface WaveJson {
  readonly epoch: string;
  readonly wave_id: string;
  readonly prior_anchor_round: string;
  readonly next_committee_hash: string | null;
}

async function send(nonce: number): Promise<string> {
  const tx = transferTx({
    chainId: CHAIN_ID,
    from: sender.address,
    to: receiver.address,
    value: toQuanta(1_000n),
    nonce: toNonce(BigInt(nonce)),
  });
  const random = systemRandom.bytes(FALCON_SIGN_RANDOM_BYTES);
  const signature = falconSign(sender.secretKey, txHash(tx), random);
  return String(await call('pyde_sendRawTransaction', toHex(encodeTx({ ...tx, signature }))));
}

async function newest(): Promise<WaveJson> {
  const wave = await call('pyde_waveId');
  return (await call('pyde_getWave', wave)) as WaveJson;
}

async function untilEpoch(epoch: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (Number((await newest()).epoch) >= epoch) return;
    await sleep(20);
  }
  throw new Error(`epoch ${epoch} never came`);
}

describe('a devnet with short epochs', () => {
  it('goes through them, executes what is sent meanwhile, and goes on after a stop', async () => {
    await start();
    const hashes: string[] = [];
    for (let nonce = 0; nonce < 30; nonce++) {
      hashes.push(await send(nonce));
      await sleep(EPOCH_MS / 10);
    }
    await untilEpoch(2);
    await devnet?.stop();
    await start();
    const before = Number((await newest()).epoch);
    hashes.push(await send(30));
    await untilEpoch(before + 2);
    for (const hash of hashes) {
      expect(await call('pyde_getTransactionStatus', hash)).toMatchObject({
        status: 'executed',
        receipt_status: 'success',
      });
    }

    const head = await newest();
    let closings = 0;
    let prior: WaveJson | undefined;
    for (let wave = 0; wave <= Number(head.wave_id); wave++) {
      const record = (await call('pyde_getWave', wave)) as WaveJson;
      if (prior !== undefined && record.epoch !== prior.epoch) {
        expect(prior.next_committee_hash).not.toBeNull();
        expect(Number(record.epoch)).toBe(Number(prior.epoch) + 1);
        expect(Number(record.prior_anchor_round)).toBe(0);
        closings++;
      }
      prior = record;
    }
    expect(closings).toBeGreaterThanOrEqual(4);
    // Rounds are those of the newest wave's epoch.
    const rounds = (await call('pyde_getRounds', 1, 2)) as { round: string; anchor: boolean }[];
    expect(rounds.map(({ round, anchor }) => [Number(round), anchor])).toEqual([
      [1, true],
      [2, true],
    ]);
  }, 30_000);
});

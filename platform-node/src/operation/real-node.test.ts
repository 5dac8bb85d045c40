/** A real node of a committee of one, watched: what it exposes comes out where operators look. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FALCON_SIGN_RANDOM_BYTES, FalconSigner, falconSign } from '@pyde/core/crypto';
import { silentLogger } from '@pyde/core/platform';
import { encodeTx, transferTx, txHash } from '@pyde/core/tx';
import {
  type Genesis,
  toFalconPublicKey,
  toFalconSignature,
  toNonce,
  toQuanta,
} from '@pyde/core/types';
import { afterEach, expect, it } from 'vitest';
import { devnetAccounts, devnetValidator } from '../devnet/devnet-keys.ts';
import { NodeRuntime } from '../runtime/node-runtime.ts';
import { systemClock, systemRandom } from '../runtime/system-clock.ts';
import { RpcServer } from '../server/index.ts';
import { Operation } from './index.ts';

const CHAIN_ID = 31_337n;
const [alice] = devnetAccounts(1);
if (alice === undefined) throw new Error('an account is a constant');
const validator = devnetValidator(undefined);
const publicKey = toFalconPublicKey(validator.publicKey);

const genesis = (): Genesis => ({
  chainId: CHAIN_ID,
  timestampMs: BigInt(Date.now()),
  parameters: {
    startBaseFee: toQuanta(100n),
    gasTargetPerSecond: 200_000_000n,
    waveGasCeiling: 400_000_000n,
    burnPercent: 70,
    rewardPoolPercent: 20,
    minRoundDelayMs: 0,
    idleRoundMs: 40,
    gcRounds: 50,
    epochDurationMs: 10_800_000,
  },
  validators: [
    {
      address: validator.address,
      operator: validator.address,
      publicKey,
      stake: toQuanta(10_000n),
    },
  ],
  allocations: [
    {
      address: alice.address,
      balance: toQuanta(10n ** 16n),
      authKeys: { kind: 'single', key: toFalconPublicKey(alice.publicKey) },
    },
  ],
  names: [],
});

function transfer(nonce: number): Uint8Array {
  const tx = transferTx({
    chainId: CHAIN_ID,
    from: alice?.address ?? validator.address,
    to: validator.address,
    value: toQuanta(1n),
    nonce: toNonce(BigInt(nonce)),
  });
  const random = systemRandom.bytes(FALCON_SIGN_RANDOM_BYTES);
  const secretKey = alice?.secretKey ?? validator.secretKey;
  return encodeTx({ ...tx, signature: falconSign(secretKey, txHash(tx), random) });
}

const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function start(protocol?: { readonly upgrades: { version: number; epoch: number }[] }) {
  const folder = mkdtempSync(join(tmpdir(), 'pyde-watched-'));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));
  const logger = silentLogger;
  const operation = new Operation({ folder, clock: systemClock, logger });
  endings.push(() => operation.stop());
  const falcon = new FalconSigner(validator.secretKey, (n) => systemRandom.bytes(n));
  const start = genesis();
  const parameters = { ...start.parameters, epochDurationMs: protocol === undefined ? 1e7 : 300 };
  const node = await NodeRuntime.open({
    folder: join(folder, 'db'),
    newGenesis: () => ({ ...start, parameters }),
    signer: { publicKey, sign: (message) => toFalconSignature(falcon.sign(message)) },
    clock: systemClock,
    logger,
    verificationThreads: 1,
    watch: operation.watch,
    ...(protocol === undefined ? {} : { protocol }),
  });
  endings.push(() => node.stop());
  operation.attach(node);
  const { pages, rpc: watch } = operation;
  const server = new RpcServer({ backend: node, host: '127.0.0.1', port: 0, logger, pages, watch });
  const { port } = await server.start();
  endings.push(() => server.stop());
  await node.run();
  const url = `http://127.0.0.1:${port}`;
  const call = async (method: string): Promise<unknown> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] });
    return (await (await fetch(url, { method: 'POST', body })).json()) as unknown;
  };
  return { node, operation, url, call };
}

it('shows its stages, its RPC and its readiness', async () => {
  const { node, operation, url, call } = await start();
  for (let nonce = 0; nonce < 8; nonce++) await node.submit(transfer(nonce));
  await call('pyde_waveId');
  await call('pyde_nothing');
  await call(`pyde_${'x'.repeat(500)}`);
  const scraped = () => operation.registry.metrics();
  for (const stage of [
    'submit-to-admitted',
    'admitted-to-executed',
    'anchor-to-certified',
    'execution',
    'store-write',
    'signature-check',
  ]) {
    const some = new RegExp(`duration_seconds_count\\{stage="${stage}"\\} [1-9]`);
    await expect.poll(scraped, { timeout: 20_000 }).toMatch(some);
  }
  await expect.poll(scraped, { timeout: 20_000 }).toMatch(/^pyde_transactions_total 8$/m);
  const text = await scraped();
  expect(text).toContain('pyde_rpc_requests_total{method="pyde_waveId",code="ok"} 1');
  expect(text).toContain('pyde_rpc_requests_total{method="unknown",code="rpc.method"} 2');
  expect(text).toMatch(/pyde_execution_heap_bytes [1-9]/);
  expect(text).toMatch(/pyde_event_loop_delay_seconds\{quantile="0.99"\} \d/);
  await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(200);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('pyde_wave ');
});

it('halts before an epoch that its software does not know, and still answers reads', async () => {
  const { node, url, call } = await start({ upgrades: [{ version: 2, epoch: 1 }] });
  await expect.poll(() => node.standing().halted, { timeout: 20_000 }).toMatch(/version 2/);
  const health = await fetch(`${url}/health`);
  expect([health.status, await health.json()]).toEqual([
    503,
    { live: false, reason: expect.stringContaining('install the release') },
  ]);
  expect(await call('pyde_waveId')).toMatchObject({ result: expect.stringMatching(/^0x/) });
});

/**
 * Four validators and a full node, each a whole runtime with libp2p, store and threads of its own,
 * in this process.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAccount } from '@pyde/core/account';
import { toHex } from '@pyde/core/bytes';
import { FalconSigner, falconVerifyBatch } from '@pyde/core/crypto';
import { readReceiptOf, readWaveRecord } from '@pyde/core/execution';
import { silentLogger } from '@pyde/core/platform';
import { encodeTx, transferTx, txHash } from '@pyde/core/tx';
import {
  type Genesis,
  toAddress,
  toFalconPublicKey,
  toFalconSignature,
  toNonce,
  toQuanta,
} from '@pyde/core/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testKey } from '../../../core/src/crypto/testing.ts';
import { createNodeNetwork } from '../network/index.ts';
import { NodeRuntime } from './node-runtime.ts';
import { systemClock, systemRandom } from './system-clock.ts';

const VALIDATORS = 4;
const keys = Array.from({ length: VALIDATORS + 1 }, (_, i) => testKey(i));
const [sender, receiver] = [keys[VALIDATORS], keys[0]];
if (sender === undefined || receiver === undefined) throw new Error('five keys were asked for');

const genesis: Genesis = {
  chainId: 31337n,
  timestampMs: BigInt(Date.now()),
  parameters: {
    startBaseFee: toQuanta(100n),
    gasTargetPerSecond: 200_000_000n,
    waveGasCeiling: 400_000_000n,
    burnPercent: 70,
    rewardPoolPercent: 20,
    minRoundDelayMs: 20,
    idleRoundMs: 200,
    gcRounds: 500,
    epochDurationMs: 10_800_000,
  },
  validators: keys.slice(0, VALIDATORS).map(({ address, publicKey }) => ({
    address: toAddress(address),
    operator: toAddress(address),
    publicKey: toFalconPublicKey(publicKey),
    stake: toQuanta(10_000n),
  })),
  allocations: [
    {
      address: toAddress(sender.address),
      balance: toQuanta(10n ** 16n),
      authKeys: { kind: 'single', key: toFalconPublicKey(sender.publicKey) },
    },
  ],
  names: [],
};

const home = mkdtempSync(join(tmpdir(), 'pyde-committee-'));
const ports: number[] = [];
const nodes: (NodeRuntime | undefined)[] = [];

async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}

const addressOf = (i: number): string => `/ip4/127.0.0.1/tcp/${ports[i] ?? 0}`;

/** @param i the validator; the one after the last is a full node */
async function start(i: number): Promise<NodeRuntime> {
  const key = i < VALIDATORS ? keys[i] : undefined;
  const own = key && new FalconSigner(key.secretKey, (length) => systemRandom.bytes(length));
  const folder = join(home, String(i));
  const node = await NodeRuntime.open({
    folder: join(folder, 'db'),
    newGenesis: () => genesis,
    ...(key === undefined || own === undefined
      ? {}
      : {
          signer: {
            publicKey: toFalconPublicKey(key.publicKey),
            sign: (message: Uint8Array) => toFalconSignature(own.sign(message)),
          },
        }),
    clock: systemClock,
    logger: silentLogger,
    verificationThreads: 1,
    network: ({ genesis, signer }) =>
      createNodeNetwork({
        folder: join(folder, 'network'),
        genesis,
        ...(signer === undefined ? {} : { signer }),
        random: systemRandom,
        clock: systemClock,
        logger: silentLogger,
        verify: falconVerifyBatch,
        listen: [addressOf(i)],
        seeds: ports.map((_, j) => addressOf(j)).filter((_, j) => j !== i),
        dnsSeeds: [],
      }),
  });
  await node.run();
  nodes[i] = node;
  return node;
}

const running = (): NodeRuntime[] => nodes.filter((node) => node !== undefined);

async function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 3_000; tries++) {
    const answer = ask();
    if (answer !== undefined) return answer;
    await sleep(10);
  }
  throw new Error(`never: ${what}`);
}

let nonce = 0;
function transfer(): { readonly bytes: Uint8Array; readonly hash: ReturnType<typeof txHash> } {
  if (sender === undefined || receiver === undefined) throw new Error('unreachable');
  const tx = transferTx({
    chainId: 31337n,
    from: toAddress(sender.address),
    to: toAddress(receiver.address),
    value: toQuanta(7n),
    nonce: toNonce(BigInt(nonce++)),
  });
  const signer = new FalconSigner(sender.secretKey, (length) => systemRandom.bytes(length));
  const bytes = encodeTx({ ...tx, signature: signer.sign(txHash(tx)) });
  return { bytes, hash: txHash(tx) };
}

/** Everybody has executed it, and has the same state at its wave. */
async function executedByAll(hash: ReturnType<typeof txHash>): Promise<void> {
  const waves = await Promise.all(
    running().map((node) =>
      until(`${toHex(hash)} executes`, () => readReceiptOf(node.store, hash)?.waveId),
    ),
  );
  const roots = running().map((node, i) => readWaveRecord(node.store, waves[i] ?? 0n)?.stateRoot);
  for (const root of roots) expect(root).toEqual(roots[0]);
}

beforeAll(async () => {
  for (let i = 0; i <= VALIDATORS; i++) ports.push(await freePort());
  await Promise.all(Array.from({ length: VALIDATORS }, (_, i) => start(i)));
}, 60_000);

afterAll(async () => {
  await Promise.all(running().map((node) => node.stop()));
  rmSync(home, { recursive: true, force: true });
}, 60_000);

describe('four validators over libp2p', () => {
  it('execute what is submitted to any of them, with one state, and certify it', async () => {
    for (let i = 0; i < VALIDATORS; i++) {
      const { bytes, hash } = transfer();
      await nodes[i]?.submit(bytes);
      await executedByAll(hash);
    }
    const [first] = running();
    const head = first?.head().waveId ?? 0n;
    for (const node of running()) {
      await until('a certificate', () => ((node.certifiedHead() ?? 0n) >= head ? true : undefined));
    }
  }, 60_000);

  it('go on without one of them, which comes back and follows', async () => {
    const [first] = running();
    await nodes[3]?.stop();
    nodes[3] = undefined;
    for (let i = 0; i < 6; i++) {
      const { bytes, hash } = transfer();
      await first?.submit(bytes);
      await executedByAll(hash);
    }
    const back = await start(3);
    const { bytes, hash } = transfer();
    await back.submit(bytes);
    await executedByAll(hash);
  }, 60_000);

  it('are followed by a full node, through which transactions go in as well', async () => {
    const follower = await start(VALIDATORS);
    const { bytes, hash } = transfer();
    await follower.submit(bytes);
    await executedByAll(hash);
    const wave = readReceiptOf(follower.store, hash)?.waveId ?? 0n;
    await until('its certificate', () =>
      (follower.certifiedHead() ?? 0n) >= wave ? true : undefined,
    );
    if (receiver === undefined) throw new Error('unreachable');
    const { balance } = readAccount(follower.state, toAddress(receiver.address));
    expect(balance % 7n).toBe(0n);
    expect(balance).toBe(BigInt(nonce) * 7n);
  }, 60_000);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAccount } from '@pyde/core/account';
import { FALCON_SIGN_RANDOM_BYTES, FalconSigner, falconSign } from '@pyde/core/crypto';
import { readReceiptOf, readWaveRecord } from '@pyde/core/execution';
import { verifyCert } from '@pyde/core/finality';
import { silentLogger } from '@pyde/core/platform';
import { TABLE, Table } from '@pyde/core/state';
import { encodeTx, transferTx, txHash } from '@pyde/core/tx';
import {
  type Genesis,
  type HardFinalityCert,
  type TxHash,
  toEpoch,
  toFalconPublicKey,
  toFalconSignature,
  toNonce,
  toQuanta,
} from '@pyde/core/types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { devnetAccounts, devnetValidator } from '../devnet/devnet-keys.ts';
import type { NodeNetwork } from '../network/index.ts';
import { LevelStore } from '../store/level-store.ts';
import { NodeRuntime } from './node-runtime.ts';
import { systemClock, systemRandom } from './system-clock.ts';

const [alice, bob] = devnetAccounts(2);
if (alice === undefined || bob === undefined) throw new Error('two accounts are constants');
const validator = devnetValidator(undefined);
const committee = {
  epoch: toEpoch(0),
  members: [{ address: validator.address, publicKey: toFalconPublicKey(validator.publicKey) }],
};

const genesis: Genesis = {
  chainId: 31337n,
  // Now, so that no epoch ends while a test runs.
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
      publicKey: toFalconPublicKey(validator.publicKey),
      stake: toQuanta(10_000n),
    },
  ],
  allocations: [alice, bob].map(({ address, publicKey }) => ({
    address,
    balance: toQuanta(10n ** 16n),
    authKeys: { kind: 'single', key: toFalconPublicKey(publicKey) },
  })),
  names: [],
};

let folder: string;
let running: NodeRuntime[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pyde-runtime-'));
});
afterEach(async () => {
  await Promise.all(running.map((node) => node.stop()));
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

async function start(withGenesis = true): Promise<NodeRuntime> {
  const signer = new FalconSigner(validator.secretKey, (n) => systemRandom.bytes(n));
  const node = await NodeRuntime.open({
    folder,
    ...(withGenesis ? { newGenesis: () => genesis } : {}),
    signer: {
      publicKey: toFalconPublicKey(validator.publicKey),
      sign: (message) => toFalconSignature(signer.sign(message)),
    },
    clock: systemClock,
    logger: silentLogger,
    verificationThreads: 1,
  });
  await node.run();
  running.push(node);
  return node;
}

function transfer(nonce: number, value: bigint): { bytes: Uint8Array; hash: TxHash } {
  if (alice === undefined || bob === undefined) throw new Error('unreachable');
  const tx = transferTx({
    chainId: 31337n,
    from: alice.address,
    to: bob.address,
    value: toQuanta(value),
    nonce: toNonce(BigInt(nonce)),
  });
  const hash = txHash(tx);
  const random = systemRandom.bytes(FALCON_SIGN_RANDOM_BYTES);
  return { bytes: encodeTx({ ...tx, signature: falconSign(alice.secretKey, hash, random) }), hash };
}

async function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 2000; tries++) {
    const answer = ask();
    if (answer !== undefined) return answer;
    await sleep(5);
  }
  throw new Error(`never: ${what}`);
}

describe('NodeRuntime', () => {
  it('executes transfers, certifies their waves and goes on at the same root after a stop', async () => {
    let node = await start();
    const certs: HardFinalityCert[] = [];
    node.onFinality((cert) => certs.push(cert));
    const sent = Array.from({ length: 16 }, (_, nonce) => transfer(nonce, 1000n));
    const hashes = await Promise.all(sent.map(({ bytes }) => node.submit(bytes)));
    expect(hashes).toEqual(sent.map(({ hash }) => hash));
    const receipts = await until('16 receipts', () => {
      const all = sent.map(({ hash }) => readReceiptOf(node.store, hash));
      return all.includes(undefined) ? undefined : all;
    });
    for (const receipt of receipts) expect(receipt?.status).toBe('success');
    if (bob === undefined) throw new Error('unreachable');
    expect(readAccount(node.state, bob.address).balance).toBe(10n ** 16n + 16_000n);
    const waveId = receipts[15]?.waveId ?? 0n;
    const cert = await until('a certificate', () => certs.find((c) => c.record.waveId === waveId));
    verifyCert(cert, committee, { chainId: 31337n });
    expect(cert.record.txCount).toBeGreaterThan(0);
    const metrics = node.metrics();
    for (const heap of ['heap_bytes', 'external_bytes', 'execution_heap_bytes']) {
      expect(metrics[heap], heap).toBeGreaterThan(1024 * 1024);
    }
    expect(metrics.database_memory_bytes).toBe(node.store.memoryBytes);
    await node.stop();

    node = await start(false);
    expect(node.head().waveId).toBeGreaterThanOrEqual(waveId);
    expect(readAccount(node.state, bob.address).balance).toBe(10n ** 16n + 16_000n);
    const before = node.head().waveId;
    await until('waves go on', () => (node.head().waveId > before + 3n ? true : undefined));
    expect(readWaveRecord(node.store, waveId)?.stateRoot).toEqual(cert.record.stateRoot);
    await node.submit(transfer(16, 5n).bytes);
    await until('one more transfer', () =>
      readAccount(node.state, bob.address).balance === 10n ** 16n + 16_005n ? true : undefined,
    );
  });

  it('answers a submission with the rule it breaks, and stays up', async () => {
    const node = await start();
    const good = transfer(0, 1n);
    const wrongSignature = Uint8Array.from(good.bytes);
    wrongSignature[300] = (wrongSignature[300] ?? 0) ^ 1;
    await expect(node.submit(wrongSignature)).rejects.toMatchObject({ name: 'PydeError' });
    await expect(node.submit(good.bytes.subarray(0, 100))).rejects.toMatchObject({
      name: 'PydeError',
    });
    expect(await node.submit(good.bytes)).toEqual(good.hash);
    expect(await node.submit(good.bytes)).toEqual(good.hash);
  });

  it('closes threads and store also when its network fails to close', async () => {
    const warned: string[] = [];
    const broken: NodeNetwork = {
      peerId: '',
      listenAddrs: () => [],
      start: async () => {},
      stop: () => Promise.reject(new Error('a socket does not close')),
      send: () => {},
      broadcast: () => {},
      publish: () => {},
      ask: () => Promise.reject(new Error('there are no peers')),
      report: () => {},
      peers: () => [],
      metrics: () => ({}),
    };
    const node = await NodeRuntime.open({
      folder,
      newGenesis: () => genesis,
      clock: systemClock,
      logger: { ...silentLogger, warn: (message) => warned.push(message) },
      verificationThreads: 1,
      network: async () => broken,
    });
    await node.run();
    await node.stop();
    expect(warned).toEqual(['the network did not close as it should']);
    await (await start(false)).stop();
  });

  it('refuses a committee of several, whose messages it could not send', async () => {
    const [first] = genesis.validators;
    if (first === undefined || bob === undefined) throw new Error('unreachable');
    const second = { ...first, address: bob.address, publicKey: toFalconPublicKey(bob.publicKey) };
    const several = { ...genesis, validators: [first, second] };
    await expect(
      NodeRuntime.open({
        folder,
        newGenesis: () => several,
        clock: systemClock,
        logger: silentLogger,
        verificationThreads: 1,
      }),
    ).rejects.toMatchObject({ code: 'runtime.no-network' });
    await expect(start(false)).rejects.toMatchObject({ code: 'runtime.genesis-missing' });
  });

  it('refuses an empty folder without genesis, a folder in use, and a foreign chain', async () => {
    await expect(start(false)).rejects.toMatchObject({ code: 'runtime.genesis-missing' });
    const node = await start();
    await node.stop();
    await expect(
      NodeRuntime.open({
        folder,
        expectedGenesis: node.head().anchorHash.map((byte) => byte ^ 1) as never,
        clock: systemClock,
        logger: silentLogger,
        verificationThreads: 1,
      }),
    ).rejects.toMatchObject({ code: 'runtime.genesis-mismatch' });
  });

  it('refuses a chain of another version, naming the folder and the way out', async () => {
    await (await start()).stop();
    const store = await LevelStore.open(folder);
    const meta = new Table(store, TABLE.meta);
    for await (const [key, value] of meta.range()) {
      if (new TextDecoder().decode(key) !== 'execution/genesis') continue;
      await store.batch([meta.put(key, Uint8Array.of(1, ...value.subarray(1)))], { sync: true });
    }
    await store.close();
    const opening = start();
    await expect(opening).rejects.toMatchObject({ code: 'runtime.genesis-version' });
    await expect(opening).rejects.toThrow(folder);
    await expect(opening).rejects.toThrow(/delete the folder/);
  });
});

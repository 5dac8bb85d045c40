/**
 * A devnet of one chain, killed again and again under load, mostly with SIGKILL, at moments that
 * differ from run to run. After each death the folder itself is audited, then the node that goes on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromHex, isPydeError, toHex } from '@pyde/core/bytes';
import { FalconSigner } from '@pyde/core/crypto';
import { assertSupply, readHeadWave, readReceiptOf } from '@pyde/core/execution';
import { MemoryStore } from '@pyde/core/platform';
import { StateStore, stateKeyFromBytes, TABLE, Table } from '@pyde/core/state';
import { decodeTx, encodeTx, transferTx, txHash } from '@pyde/core/tx';
import { toNonce, toQuanta, toTxHash } from '@pyde/core/types';
import { afterAll, describe, expect, it } from 'vitest';
import { receiptJson } from '../../../core/src/rpc/record-json.ts';
import { RpcClient } from '../client/index.ts';
import { systemRandom } from '../runtime/system-clock.ts';
import { LevelStore } from '../store/level-store.ts';
import { type DevnetKey, devnetAccounts } from './devnet-keys.ts';

const KILLS = Number(process.env['PYDE_TEST_KILLS'] ?? 6);
const MOST_LOAD_MS = 800;
const OTIGEN = join(import.meta.dirname, '../../../otigen/bin/otigen.js');

const folder = mkdtempSync(join(tmpdir(), 'pyde-kill-'));
const accounts = devnetAccounts(5);
const receiver = accounts[0];
if (receiver === undefined) throw new Error('the accounts are constants');
let child: ChildProcess | undefined;
afterAll(async () => {
  if (child !== undefined) await kill(child);
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<{ readonly process: ChildProcess; readonly client: RpcClient }> {
  const argv = ['devnet', '--json', '--no-auto-import-wallets', '--rpc-listen', '127.0.0.1:0'];
  const started = spawn(process.execPath, [OTIGEN, ...argv, '--state', folder], {
    env: { ...process.env, OTIGEN_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = started;
  let out = '';
  let err = '';
  started.stderr.on('data', (part) => {
    err += part;
  });
  const url = await new Promise<string>((resolve, reject) => {
    started.stdout.on('data', (part) => {
      out += part;
      const ready = /"rpc_url":"([^"]+)"/.exec(out)?.[1];
      if (ready !== undefined) resolve(ready);
    });
    started.on('exit', () => reject(new Error(`the devnet ended: ${out}${err}`)));
  });
  return { process: started, client: new RpcClient(url) };
}

async function kill(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const exited = once(process, 'exit');
  process.kill('SIGKILL');
  await exited;
}

/** The orderly end, in the middle of work: soon, and without a fault. */
async function terminate(process: ChildProcess): Promise<void> {
  const exited = once(process, 'exit');
  const asked = performance.now();
  process.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(performance.now() - asked).toBeLessThan(5_000);
}

function transferOf(from: DevnetKey, signer: FalconSigner, to: DevnetKey, nonce: number): string {
  const tx = transferTx({
    chainId: 31337n,
    from: from.address,
    to: to.address,
    value: toQuanta(1n),
    nonce: toNonce(BigInt(nonce)),
  });
  return toHex(encodeTx({ ...tx, signature: signer.sign(txHash(tx)) }));
}

/** One account that sends and never sends again what was acknowledged. */
class Sender {
  /** Acknowledged, by hash; with the receipt once it was seen. */
  readonly acknowledged = new Map<string, unknown>();
  readonly #key: DevnetKey;
  readonly #signer: FalconSigner;
  #nonce = 0;
  #unanswered: string | undefined;

  constructor(key: DevnetKey) {
    this.#key = key;
    this.#signer = new FalconSigner(key.secretKey, (length) => systemRandom.bytes(length));
  }

  /** Sends until the node is gone. */
  async flood(client: RpcClient, to: DevnetKey): Promise<void> {
    try {
      for (;;) {
        this.#unanswered ??= transferOf(this.#key, this.#signer, to, this.#nonce);
        const hash = await this.#send(client, this.#unanswered);
        if (hash === undefined) {
          await this.look(client, false);
          await sleep(2);
          continue;
        }
        this.acknowledged.set(hash, undefined);
        this.#unanswered = undefined;
        this.#nonce++;
        if (this.#nonce % 5 === 0) await this.look(client, false);
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** Asks for the receipts that are still missing, or for all. */
  async look(client: RpcClient, all: boolean): Promise<number> {
    let missing = 0;
    for (const [hash, seen] of this.acknowledged) {
      if (seen !== undefined && !all) continue;
      const receipt = await client.call('pyde_getTransactionReceipt', [hash]);
      if (receipt === null && seen === undefined) missing++;
      if (seen !== undefined) expect(receipt, `the receipt of ${hash}`).toEqual(seen);
      else if (receipt !== null) this.acknowledged.set(hash, receipt);
    }
    return missing;
  }

  /** @returns undefined when the window of the account is full */
  async #send(client: RpcClient, raw: string): Promise<string | undefined> {
    try {
      return String(await client.call('pyde_sendRawTransaction', [raw]));
    } catch (error) {
      const code = isPydeError(error) ? error.details['code'] : undefined;
      if (code === 'account.nonce-far' || code === 'mempool.sender-full') return undefined;
      // It was taken in before the node died, and its answer was lost.
      if (code === 'account.nonce-used' || code === 'account.nonce-past') {
        return toHex(txHash(decodeTx(fromHex(raw, { maxBytes: 4096 }))));
      }
      throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  if (isPydeError(error, 'rpc.unreachable')) return true;
  return isPydeError(error) && error.details['code'] === 'node.stopping';
}

/** What lies in the folder of a dead node: one consistent wave, with all that clients were shown. */
async function auditFolder(senders: readonly Sender[]): Promise<void> {
  const store = await LevelStore.open(join(folder, 'db'));
  try {
    const head = readHeadWave(store);
    const state = StateStore.open(store);
    expect(head?.record.waveId).toBe(state.version);
    expect(head?.record.stateRoot).toEqual(state.root);
    const entries = [];
    for await (const [key, value] of new Table(store, TABLE.state).range()) {
      entries.push({ key: stateKeyFromBytes(key.slice()), value });
    }
    const rebuilt = StateStore.open(new MemoryStore()).prepare(0n, entries);
    expect(rebuilt.root, 'both roots follow from the flat table').toEqual(state.root);
    await assertSupply(store, state);
    for (const { acknowledged } of senders) {
      for (const [hash, receipt] of acknowledged) {
        if (receipt === undefined) continue;
        const kept = readReceiptOf(store, toTxHash(fromHex(hash, { exactBytes: 32 })));
        expect(kept === undefined ? null : receiptJson(kept)).toEqual(receipt);
      }
    }
  } finally {
    await store.close();
  }
}

/** Resolves with the next acknowledgement. */
async function answered(senders: readonly Sender[]): Promise<void> {
  const count = () => senders.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  const before = count();
  await until('an acknowledgement', () => Promise.resolve(count() > before));
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`never: ${what}`);
}

describe('a devnet that is killed', () => {
  it('keeps every receipt it showed, runs all it acknowledged, and goes on', async () => {
    const senders = accounts.slice(1).map((key) => new Sender(key));
    const restartsMs: number[] = [];
    let { process: running, client } = await start();
    for (let i = 0; i < KILLS; i++) {
      const flood = Promise.all(senders.map((sender) => sender.flood(client, receiver)));
      // One in three dies soon after its start, when it may still be catching up.
      if (i % 3 !== 2) await answered(senders);
      await sleep(Math.random() * MOST_LOAD_MS);
      await (i % 4 === 1 ? terminate(running) : kill(running));
      await flood;
      await auditFolder(senders);
      const started = performance.now();
      ({ process: running, client } = await start());
      restartsMs.push(performance.now() - started);
      for (const sender of senders) await sender.look(client, true);
    }
    for (const sender of senders) {
      await until('a receipt of all that was acknowledged', async () => {
        return (await sender.look(client, false)) === 0;
      });
    }
    const head = BigInt(String(await client.call('pyde_waveId')));
    await until('certificates go on', async () => {
      return (await client.call('pyde_getHardFinalityCert', [Number(head) + 1])) !== null;
    });
    const paid = senders.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
    expect(paid).toBeGreaterThan(10 * KILLS);
    const balance = BigInt(String(await client.call('pyde_getBalance', [toHex(receiver.address)])));
    expect(balance - 10n ** 16n).toBeGreaterThanOrEqual(BigInt(paid));
    expect(balance - 10n ** 16n).toBeLessThanOrEqual(BigInt(paid + senders.length));
    if (process.env['PYDE_TEST_KILLS']) console.log(paid, restartsMs.map(Math.round));
    await kill(running);
    await auditFolder(senders);
  }, 600_000);
});

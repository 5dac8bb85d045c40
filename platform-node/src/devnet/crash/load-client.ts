/**
 * A client in a process of its own, for the tests of this folder: `load-client.ts URL JOURNAL FIRST
 * COUNT` sends transfers from so many devnet accounts, one after another each, through every death
 * and return of the node, until SIGTERM. What it was told goes into the journal at once, a line of
 * JSON each: `{"hash"}` when a transaction was acknowledged, `{"hash","receipt"}` when its receipt was
 * seen.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromHex, isPydeError, toHex } from '@pyde/core/bytes';
import { FalconSigner } from '@pyde/core/crypto';
import { decodeTx, encodeTx, transferTx, txHash } from '@pyde/core/tx';
import { toNonce, toQuanta } from '@pyde/core/types';
import { RpcClient } from '../../client/index.ts';
import { systemRandom } from '../../runtime/system-clock.ts';
import { type DevnetKey, devnetAccounts } from '../devnet-keys.ts';

const [url = '', journalPath = '', first = '0', count = '1'] = process.argv.slice(2);
const client = new RpcClient(url);
const journal = openSync(journalPath, 'a');
const accounts = devnetAccounts(Number(first) + Number(count));
const receiver = accounts[0];
if (receiver === undefined) throw new Error('the accounts are constants');

/** Receipts that one sender waits for; the window of an account is 16. */
const MAX_WAITING = 12;
const AGAIN_MS = 5;

function note(entry: Readonly<Record<string, unknown>>): void {
  writeSync(journal, `${JSON.stringify(entry)}\n`);
}

async function flood(from: DevnetKey, to: DevnetKey): Promise<never> {
  const signer = new FalconSigner(from.secretKey, (length) => systemRandom.bytes(length));
  const waiting = new Set<string>();
  for (let nonce = 0; ; nonce++) {
    const raw = transferOf(from, signer, to, nonce);
    for (let hash: string | undefined; hash === undefined; ) {
      hash = await answered(() => send(raw));
      if (hash === undefined) await look(waiting);
      else {
        note({ hash });
        waiting.add(hash);
      }
    }
    if (nonce % 4 === 0 || waiting.size >= MAX_WAITING) await look(waiting);
  }
}

async function look(waiting: Set<string>): Promise<void> {
  for (const hash of waiting) {
    const receipt = await answered(() => client.call('pyde_getTransactionReceipt', [hash]));
    if (receipt === null || receipt === undefined) continue;
    note({ hash, receipt });
    waiting.delete(hash);
  }
}

/** Undefined while the node is away or has no room. */
async function answered<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    const answer = await ask();
    if (answer === undefined) await sleep(AGAIN_MS);
    return answer;
  } catch (error) {
    const code = isPydeError(error) ? String(error.details['code']) : undefined;
    const isAway = isPydeError(error, 'rpc.unreachable') || code?.startsWith('node.') === true;
    // A stopping disk refuses before the node has ended.
    if (!isAway && code?.startsWith('store.') !== true) throw error;
    await sleep(AGAIN_MS);
    return undefined;
  }
}

/** @returns undefined when the window of the account is full */
async function send(raw: string): Promise<string | undefined> {
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

await Promise.all(accounts.slice(Number(first)).map((from) => flood(from, receiver)));

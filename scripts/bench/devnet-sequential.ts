/**
 * One client process, one transfer after another, signed beforehand: sent, then asked for its
 * receipt until it is there, then the next.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '@pyde/core/bytes';
import { FALCON_SIGN_RANDOM_BYTES, falconSign } from '@pyde/core/crypto';
import { encodeTx, transferTx, txHash } from '@pyde/core/tx';
import { toNonce, toQuanta } from '@pyde/core/types';
import { systemRandom } from '@pyde/platform-node';
import { RpcClient } from '@pyde/platform-node/client';
import { devnetAccounts } from '@pyde/platform-node/devnet';
import type { Row } from '../bench.ts';
import { startDevnetProcess } from './devnet-process.ts';
import { median } from './rate.ts';

const TRANSFERS = 600;
const WARM_UP = 100;

export async function run(): Promise<Row[]> {
  const [sender, receiver] = devnetAccounts(2);
  if (sender === undefined || receiver === undefined) throw new Error('two accounts are constants');
  const transfers = Array.from({ length: TRANSFERS }, (_, i) => {
    const tx = transferTx({
      chainId: 31337n,
      from: sender.address,
      to: receiver.address,
      value: toQuanta(1n),
      nonce: toNonce(BigInt(i)),
    });
    const random = systemRandom.bytes(FALCON_SIGN_RANDOM_BYTES);
    const signature = falconSign(sender.secretKey, txHash(tx), random);
    return toHex(encodeTx({ ...tx, signature }));
  });
  const devnet = await startDevnetProcess();
  try {
    const client = new RpcClient(devnet.url);
    await sleep(4000); // the devnet imports its wallets after its first answer
    const latencies: number[] = [];
    let measuredFrom = 0;
    for (const [i, raw] of transfers.entries()) {
      if (i === WARM_UP) measuredFrom = performance.now();
      const started = performance.now();
      const hash = await client.call('pyde_sendRawTransaction', [raw]);
      for (;;) {
        const receipt = await client.call('pyde_getTransactionReceipt', [hash]);
        if (receipt !== null) break;
      }
      if (i >= WARM_UP) latencies.push(performance.now() - started);
    }
    const seconds = (performance.now() - measuredFrom) / 1000;
    return [
      {
        name: 'devnet on disk, sequential send → receipt',
        value: latencies.length / seconds,
        unit: 'tx/s',
      },
      { name: 'devnet, send → receipt, median', value: median(latencies), unit: 'ms' },
      { name: 'devnet, send → receipt, 99th percentile', value: nearTop(latencies), unit: 'ms' },
    ];
  } finally {
    await devnet.stop();
  }
}

function nearTop(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
}

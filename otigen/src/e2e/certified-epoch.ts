/** The epoch that a client of a node can be led to, for the tests of this folder. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RpcClient } from '@pyde/platform-node/client';

/** How far below the head its newest certificate is looked for. */
const NEAR_WAVES = 64;
const AT_MOST_MS = 90_000;

interface CertJson {
  readonly commit: { readonly epoch: string };
}

/** Waits until the node has a certificate of `epoch` or of a later one. */
export async function untilCertified(client: RpcClient, epoch: number): Promise<void> {
  const until = performance.now() + AT_MOST_MS;
  while (performance.now() < until) {
    if ((await certifiedEpoch(client)) >= epoch) return;
    await sleep(20);
  }
  throw new Error(`no certificate of epoch ${epoch} ever came`);
}

async function certifiedEpoch(client: RpcClient): Promise<number> {
  const head = Number(await client.call('pyde_waveId'));
  for (let wave = head; wave > 0 && wave > head - NEAR_WAVES; wave--) {
    const cert = (await client.call('pyde_getHardFinalityCert', [wave])) as CertJson | null;
    if (cert !== null) return Number(cert.commit.epoch);
  }
  return -1;
}

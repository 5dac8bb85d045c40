/** What `pyde status` shows, read from a node over RPC. */
import type { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';

const Quantity = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-f]+$/),
  v.transform((text) => BigInt(text)),
);
const Wave = v.object({
  wave_id: Quantity,
  timestamp: Quantity,
  state_root: v.object({ blake3: v.string(), poseidon2: v.string() }),
});

export interface Status {
  readonly chainId: string;
  readonly agent: string;
  readonly waveId: string;
  readonly waveAgeMs: number;
  readonly certifiedWaveId: string;
  readonly baseFee: string;
  readonly pendingTransactions: number;
  readonly stateRoot: { readonly blake3: string; readonly poseidon2: string };
}

export async function statusOf(client: RpcClient): Promise<Status> {
  const [chainId, waveId, baseFee, info, metrics] = await Promise.all([
    client.call('pyde_chainId', []),
    client.call('pyde_waveId', []),
    client.call('pyde_getBaseFee', []),
    client.call('pyde_getNodeInfo', []),
    client.call('pyde_getMetrics', []),
  ]);
  const head = v.parse(Quantity, waveId);
  const wave = v.parse(Wave, await client.call('pyde_getWave', [Number(head)]));
  const counts = v.parse(
    v.object({ certified_wave_id: v.number(), transactions_pending: v.number() }),
    metrics,
  );
  return {
    chainId: v.parse(Quantity, chainId).toString(),
    agent: v.parse(v.object({ agent_version: v.string() }), info).agent_version,
    waveId: head.toString(),
    waveAgeMs: Date.now() - Number(wave.timestamp),
    certifiedWaveId: counts.certified_wave_id.toString(),
    baseFee: v.parse(Quantity, baseFee).toString(),
    pendingTransactions: counts.transactions_pending,
    stateRoot: wave.state_root,
  };
}

export function statusLines(status: Status): string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['chain', status.chainId],
    ['node', status.agent],
    ['wave', `${status.waveId} (${status.waveAgeMs} ms ago)`],
    ['certified', status.certifiedWaveId],
    ['base fee', `${status.baseFee} quanta a unit of gas`],
    ['pending', `${status.pendingTransactions} transactions`],
    ['blake3 root', status.stateRoot.blake3],
    ['poseidon2 root', status.stateRoot.poseidon2],
  ];
  return rows.map(([name, value]) => `${name.padEnd(15)} ${value}`);
}

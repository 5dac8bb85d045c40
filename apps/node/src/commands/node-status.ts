/** What `pyde status` shows, read from a node over RPC. */
import { isPydeError } from '@pyde/core/bytes';
import type { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';
import { printable } from '../output/index.ts';

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
  /** `following`, or how it comes back to the others; null when the node does not say. */
  readonly phase: string | null;
  readonly epoch: number | null;
  /** Null when the node is not on this machine. */
  readonly peers: number | null;
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
    v.object({
      certified_wave_id: v.number(),
      transactions_pending: v.number(),
      epoch: v.optional(v.number()),
    }),
    metrics,
  );
  const { agent_version, phase } = v.parse(
    v.object({ agent_version: v.string(), phase: v.optional(v.string()) }),
    info,
  );
  return {
    chainId: v.parse(Quantity, chainId).toString(),
    agent: agent_version,
    phase: phase ?? null,
    epoch: counts.epoch ?? null,
    peers: await peerCount(client),
    waveId: head.toString(),
    waveAgeMs: Date.now() - Number(wave.timestamp),
    certifiedWaveId: counts.certified_wave_id.toString(),
    baseFee: v.parse(Quantity, baseFee).toString(),
    pendingTransactions: counts.transactions_pending,
    stateRoot: wave.state_root,
  };
}

/** Null when the node is on another machine, which is told nothing of peers. */
async function peerCount(client: RpcClient): Promise<number | null> {
  try {
    return v.parse(v.array(v.unknown()), await client.call('pyde_getPeers', [])).length;
  } catch (error) {
    if (isPydeError(error, 'rpc.refused')) return null;
    throw error;
  }
}

export function statusLines(status: Status): string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['chain', status.chainId],
    ['node', printable(status.agent)],
    ['phase', printable(status.phase ?? 'not told')],
    ['epoch', `${status.epoch ?? 'not told'}`],
    ['peers', `${status.peers ?? 'told on its own machine alone'}`],
    ['wave', `${status.waveId} (${status.waveAgeMs} ms ago)`],
    ['certified', status.certifiedWaveId],
    ['base fee', `${status.baseFee} quanta a unit of gas`],
    ['pending', `${status.pendingTransactions} transactions`],
    ['blake3 root', status.stateRoot.blake3],
    ['poseidon2 root', status.stateRoot.poseidon2],
  ];
  return rows.map(([name, value]) => `${name.padEnd(15)} ${value}`);
}

/**
 * When a network has come to rest after its faults: every honest node is at one height, and every
 * transaction that a client sent has run or was dropped with a reason (design/consensus.md, "An
 * admitted transaction is never stranded").
 */
import type { Clients } from './load.ts';
import type { SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

/** Waves that a node may be behind while more are made. */
const MAX_WAVES_BEHIND = 4;

/** Clients ask the nodes that acknowledged what became of it. */
export function noteDropped(nodes: readonly SimNode[], clients: Clients): void {
  for (const tx of clients.unsettledTransactions()) {
    if (tx.state !== 'acknowledged') continue;
    const machine = nodes[tx.node]?.open?.machine;
    if (machine?.statusOf(tx.hash)?.state === 'dropped') clients.wasDropped(tx);
  }
}

/** Why the network is not at rest yet; `height` is that of the furthest node. */
export function unrestOf(
  nodes: readonly SimNode[],
  clients: Clients,
  height: number,
): Violation | undefined {
  for (const node of nodes) {
    if (!node.honest) continue;
    const own = node.open?.machine.head.record.waveId;
    if (own !== undefined && Number(own) + MAX_WAVES_BEHIND >= height) continue;
    const message = `is at wave ${own ?? 'none'} where others are at ${height}`;
    return new Violation('progress', node.index, message);
  }
  if (clients.unsettled === 0) return undefined;
  const [tx] = clients.unsettledTransactions();
  return new Violation(
    'stranded',
    tx?.node,
    `${clients.unsettled} transactions neither ran nor were dropped, the first ` +
      `${tx?.name} of account ${tx?.account}, nonce ${tx?.nonce}, ${tx?.state} by node ${tx?.node}`,
  );
}

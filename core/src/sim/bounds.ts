/**
 * Every queue of a node is bounded (design: tigerbeetle's rule); this reads their sizes after steps
 * and says which one outgrew its bound.
 */
import { MAX_INBOX, type SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

/** By what the machines call it. The numbers are those of the files that keep the bounds. */
const BOUNDS: Readonly<Record<string, number>> = {
  'waves waiting for execution': 512 + 8,
  'requests in check': 16_384,
  'transactions in the pool': 32_768,
  'bytes in the pool': 64 * 1024 * 1024,
  'events waiting': MAX_INBOX,
  'batches in memory': 65_536,
};
/** Vertices waiting for ancestors, for each member of the committee. */
const BUFFERED_PER_MEMBER = 64;

/** @throws Violation */
export function checkBounds(node: SimNode, members: number): void {
  const open = node.open;
  if (open === undefined) return;
  const { machine, epochs } = open;
  const status = epochs.consensus.status;
  require(node, 'waves waiting for execution', machine.waitingWaves);
  require(node, 'requests in check', machine.requestsInCheck);
  require(node, 'transactions in the pool', machine.poolSize);
  require(node, 'bytes in the pool', machine.poolBytes);
  require(node, 'events waiting', node.inboxSize);
  require(node, 'batches in memory', status.batchesInMemory);
  const buffered = BUFFERED_PER_MEMBER * members;
  if (status.bufferedVertices > buffered) {
    throw outgrown(node, 'vertices waiting for ancestors', status.bufferedVertices, buffered);
  }
}

function require(node: SimNode, what: string, size: number): void {
  const bound = BOUNDS[what] ?? 0;
  if (size > bound) throw outgrown(node, what, size, bound);
}

const outgrown = (node: SimNode, what: string, size: number, bound: number): Violation =>
  new Violation('bound', node.index, `${what}: ${size}, where at most ${bound} are allowed`);

/**
 * Every queue of a node is bounded; this is told their sizes after steps and says which one outgrew
 * its bound. The numbers are those of the files that keep the bounds.
 */
import { MAX_INBOX, type SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

/** How much of everything a node holds. */
export interface NodeSizes {
  readonly waitingWaves: number;
  readonly requestsInCheck: number;
  readonly poolTransactions: number;
  readonly poolBytes: number;
  readonly waitingEvents: number;
  readonly batchesInMemory: number;
  readonly bufferedVertices: number;
}

const BOUNDS: readonly (readonly [of: keyof NodeSizes, bound: number])[] = [
  ['waitingWaves', 512 + 8],
  ['requestsInCheck', 16_384],
  ['poolTransactions', 32_768],
  ['poolBytes', 64 * 1024 * 1024],
  ['waitingEvents', MAX_INBOX],
  ['batchesInMemory', 65_536],
];
/** For each member of the committee. */
const BUFFERED_PER_MEMBER = 64;

/** @returns undefined for a node that is down */
export function sizesOf(node: SimNode): NodeSizes | undefined {
  const open = node.open;
  if (open === undefined) return undefined;
  const { machine, epochs } = open;
  const { batchesInMemory, bufferedVertices } = epochs.consensus.status;
  return {
    waitingWaves: machine.waitingWaves,
    requestsInCheck: machine.requestsInCheck,
    poolTransactions: machine.poolSize,
    poolBytes: machine.poolBytes,
    waitingEvents: node.inboxSize,
    batchesInMemory,
    bufferedVertices,
  };
}

/** @throws Violation */
export function checkBounds(node: number, sizes: NodeSizes, members: number): void {
  for (const [of, bound] of BOUNDS) requireBelow(node, of, sizes[of], bound);
  requireBelow(node, 'bufferedVertices', sizes.bufferedVertices, BUFFERED_PER_MEMBER * members);
}

function requireBelow(node: number, of: keyof NodeSizes, size: number, bound: number): void {
  if (size <= bound) return;
  throw new Violation('bound', node, `${of}: ${size}, where at most ${bound} are allowed`);
}

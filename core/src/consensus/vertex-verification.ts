/**
 * When a vertex is valid (design/consensus.md, "Vertex"): a function of its bytes and the epoch's
 * committee alone, so that all members agree on it. Bounds of lists and the size were checked by
 * the decoder. Whether the vertex can be accepted yet is another question.
 */
import { type Committee, quorum } from '../finality/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import { MAX_BATCH_BYTES, type Vertex, type VertexHash } from '../types/index.ts';
import { consensusError } from './error.ts';

/** How far down a weak parent may lie. */
export const MAX_WEAK_PARENT_DEPTH = 50;

export interface VertexRules {
  readonly chainId: bigint;
  readonly committee: Committee;
  readonly verify: VerifySignatures;
}

/**
 * @param name `vertexHash(vertex)`
 * @throws PydeError with a `consensus.*` code, one for each rule; the signature is checked last
 */
export function verifyVertex(
  vertex: Vertex,
  name: VertexHash,
  { chainId, committee, verify }: VertexRules,
): void {
  const size = committee.members.length;
  if (vertex.chainId !== chainId) {
    throw consensusError('consensus.chain-id', `vertex of chain ${vertex.chainId}, not ${chainId}`);
  }
  if (vertex.epoch !== committee.epoch) {
    throw consensusError(
      'consensus.epoch',
      `vertex of epoch ${vertex.epoch}, not ${committee.epoch}`,
    );
  }
  const publicKey = committee.members[vertex.author]?.publicKey;
  if (publicKey === undefined) {
    throw consensusError(
      'consensus.author',
      `no member ${vertex.author} in a committee of ${size}`,
    );
  }
  if (vertex.round < 1) {
    throw consensusError('consensus.round', 'round 0 is fixed; vertices start at round 1');
  }
  verifyParents(vertex, size);
  verifyWeakParents(vertex, size);
  const batchBytes = vertex.batches.reduce((sum, { bytes }) => sum + bytes, 0);
  if (batchBytes > MAX_BATCH_BYTES) {
    throw consensusError(
      'consensus.batch-bytes',
      `the batches of one vertex have ${batchBytes} bytes; at most ${MAX_BATCH_BYTES} fit`,
    );
  }
  const [valid] = verify([{ publicKey, message: name, signature: vertex.signature }]);
  if (valid !== true) {
    throw consensusError(
      'consensus.signature',
      `the signature is not that of member ${vertex.author} over this vertex`,
      { author: vertex.author, round: vertex.round },
    );
  }
}

function verifyParents({ parents }: Vertex, size: number): void {
  let previous = -1;
  for (const { author } of parents) {
    if (author >= size) {
      throw consensusError('consensus.parent-author', `no member ${author}, named by a parent`);
    }
    if (author <= previous) {
      throw consensusError(
        'consensus.parent-order',
        `parents go by author, one each; ${author} comes after ${previous}`,
      );
    }
    previous = author;
  }
  if (parents.length < quorum(size)) {
    throw consensusError(
      'consensus.parent-quorum',
      `${parents.length} parents where ${quorum(size)} authors are needed`,
    );
  }
}

function verifyWeakParents({ round, weakParents }: Vertex, size: number): void {
  const authors = new Set<number>();
  for (const weak of weakParents) {
    if (weak.author >= size || authors.has(weak.author)) {
      throw consensusError(
        'consensus.weak-parent-author',
        `weak parents name members, each once; ${weak.author} is unknown or named again`,
      );
    }
    authors.add(weak.author);
    if (weak.round > round - 2 || weak.round < Math.max(1, round - MAX_WEAK_PARENT_DEPTH)) {
      throw consensusError(
        'consensus.weak-parent-round',
        `weak parent of round ${weak.round}; round ${round} allows ` +
          `${Math.max(1, round - MAX_WEAK_PARENT_DEPTH)} to ${round - 2}`,
      );
    }
  }
}

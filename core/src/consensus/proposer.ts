/**
 * Making a member's own vertex (design/consensus.md, "Production"): which parents, whether the rule
 * for waiting holds, and the timestamp. The rule speaks of the parents that would be taken, not of
 * the vertices held: else one equivocating voter could stop every commit.
 */
import type { Committee, Signer } from '../finality/index.ts';
import {
  type Attestation,
  type BatchRef,
  type MemberIndex,
  type Round,
  type UnsignedVertex,
  type Vertex,
  type VertexHash,
  vertexHash,
  type WeakParentRef,
} from '../types/index.ts';
import { skipsSlot } from './base-committer.ts';
import type { Dag, DagVertex } from './dag.ts';

/** A member silent for so many rounds is not waited for. */
const SILENT_ROUNDS = 11;

/**
 * What a vertex of `round` would take as parents: of every author of the round before the first
 * accepted vertex. A member accepts no second vertex of its own, so its own is among them.
 */
export function parentsFor(dag: Dag, round: number): DagVertex[] {
  return dag.round(round - 1)?.firstVertices() ?? [];
}

/**
 * Clause (a): the anchor of round − 1 is held (or its author is silent), and `parents` show q votes
 * for one vertex of slot round − 2, or skip that slot.
 */
export function leadersAreSettled(
  dag: Dag,
  quorum: number,
  round: number,
  parents: readonly DagVertex[],
): boolean {
  return holdsAnchor(dag, round - 1) && votesAreSettled(dag, quorum, round - 2, parents);
}

function holdsAnchor(dag: Dag, round: number): boolean {
  if (round < 1 || dag.slot(round).length > 0) return true;
  const anchor = dag.anchorOf(round);
  for (let below = 0; below < SILENT_ROUNDS; below++) {
    if (dag.of(round - below, anchor).length > 0) return false;
  }
  return true;
}

function votesAreSettled(
  dag: Dag,
  quorum: number,
  round: number,
  parents: readonly DagVertex[],
): boolean {
  if (round < 1) return true;
  const slot = dag.slot(round);
  const votes = (candidate: DagVertex): number =>
    parents.filter(({ vote }) => vote === candidate).length;
  if (slot.some((candidate) => votes(candidate) >= quorum)) return true;
  return skipsSlot(
    slot,
    quorum,
    parents.map((parent) => [parent]),
  );
}

export interface Proposal {
  readonly chainId: bigint;
  readonly committee: Committee;
  readonly author: MemberIndex;
  readonly round: Round;
  readonly parents: readonly DagVertex[];
  readonly weakParents: readonly WeakParentRef[];
  readonly batches: readonly BatchRef[];
  readonly attestations: readonly Attestation[];
  /** The local clock. */
  readonly unixMs: bigint;
}

/** The signed vertex of a proposal. */
export function makeVertex(
  proposal: Proposal,
  signer: Signer,
): { readonly vertex: Vertex; readonly name: VertexHash } {
  const { chainId, committee, author, round, parents } = proposal;
  const { weakParents, batches, attestations } = proposal;
  const parentsMs = lowerMedian(parents.map(({ timestampMs }) => timestampMs));
  const unsigned: UnsignedVertex = {
    chainId,
    epoch: committee.epoch,
    round,
    author,
    timestampMs: proposal.unixMs > parentsMs ? proposal.unixMs : parentsMs,
    parents: parents.map((parent) => ({ author: parent.author, name: parent.name })),
    weakParents,
    batches,
    attestations,
  };
  const name = vertexHash(unsigned);
  return { vertex: { ...unsigned, signature: signer.sign(name) }, name };
}

/** The middle value, of u64; of an even number the lower of the two middle ones. */
export function lowerMedian(values: readonly bigint[]): bigint {
  const sorted = BigUint64Array.from(values).sort();
  return sorted[(sorted.length - 1) >> 1] ?? 0n;
}

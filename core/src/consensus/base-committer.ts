/**
 * The commit rule (design/consensus.md, "Anchors and the commit rule"): what is known of each slot.
 *
 * Slots are judged from the newest round to the oldest, because the indirect rule of a slot asks
 * for verdicts on later ones. Every count is of distinct authors. Walks keep their own stack.
 */
import type { Dag, DagVertex } from './dag.ts';

export type SlotVerdict =
  | { readonly kind: 'commit'; readonly anchor: DagVertex; readonly direct: boolean }
  | { readonly kind: 'skip'; readonly direct: boolean }
  | { readonly kind: 'undecided' };

const UNDECIDED: SlotVerdict = { kind: 'undecided' };

/** The verdict on every slot from round `from` (≥ 1) to the newest round of the DAG, in order. */
export function judgeSlots(dag: Dag, quorum: number, from: number): SlotVerdict[] {
  const verdicts: SlotVerdict[] = [];
  const verdictOn = (round: number): SlotVerdict | undefined => verdicts[dag.highestRound - round];
  for (let round = dag.highestRound; round >= from; round--) {
    verdicts.push(judgeDirectly(dag, quorum, round) ?? judgeIndirectly(dag, round, verdictOn));
  }
  return verdicts.reverse();
}

/**
 * Would these vertices of one round, one an author, skip the slot of the round before? The test
 * of the direct skip, which a producer also puts to the parents that it would take.
 */
export function skipsSlot(
  slot: readonly DagVertex[],
  quorum: number,
  byAuthor: Iterable<readonly DagVertex[]>,
): boolean {
  const authors = [...byAuthor];
  if (authors.length < quorum) return false;
  return slot.every((candidate) => {
    const against = authors.filter((vertices) => vertices.some(({ vote }) => vote !== candidate));
    return against.length >= quorum;
  });
}

function judgeDirectly(dag: Dag, quorum: number, round: number): SlotVerdict | undefined {
  const slot = dag.slot(round);
  for (const anchor of slot) {
    if (anchor.certificates >= quorum) return { kind: 'commit', anchor, direct: true };
  }
  const voters = dag.authors(round + 1);
  if (voters < quorum) return undefined;
  // Every author above either votes for a vertex with all of its own, or counts against it.
  const isSkipped = slot.every(({ votes }) => voters - votes >= quorum);
  return isSkipped ? { kind: 'skip', direct: true } : undefined;
}

/** By the first slot at round + 3 or above that is not skipped. */
function judgeIndirectly(
  dag: Dag,
  round: number,
  verdictOn: (round: number) => SlotVerdict | undefined,
): SlotVerdict {
  let above = round + 3;
  while (verdictOn(above)?.kind === 'skip') above++;
  const verdict = verdictOn(above);
  if (verdict?.kind !== 'commit') return UNDECIDED;
  const anchor = certifiedBelow(verdict.anchor, dag.slot(round), round + 2);
  return anchor === undefined
    ? { kind: 'skip', direct: false }
    : { kind: 'commit', anchor, direct: false };
}

/** The slot's vertex of which the ancestry of `from` holds a certificate, of round `at`. */
function certifiedBelow(
  from: DagVertex,
  slot: readonly DagVertex[],
  at: number,
): DagVertex | undefined {
  const seen = new Set<DagVertex>([from]);
  const stack: DagVertex[] = [from];
  for (let vertex = stack.pop(); vertex !== undefined; vertex = stack.pop()) {
    if (vertex.round === at) {
      if (vertex.certifies !== undefined && slot.includes(vertex.certifies))
        return vertex.certifies;
      continue;
    }
    for (const parent of vertex.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      stack.push(parent);
    }
  }
  return undefined;
}

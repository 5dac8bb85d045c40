/**
 * From a committed anchor to its wave's vertices (design/consensus.md, "Waves"): the anchor's
 * ancestry through parents and weak parents, not emitted before, strictly above the GC round,
 * sorted by round, author and name.
 */
import { compareBytes } from '../bytes/index.ts';
import type { Dag, DagVertex } from './dag.ts';

/**
 * `max(0, previous anchor round − gc_rounds)`: a function of what was committed, never of how far
 * this member has come, so that every member cuts at the same place.
 */
export const gcRoundAfter = (anchorRound: number, gcRounds: number): number =>
  Math.max(0, anchorRound - gcRounds);

/** The vertices of the wave in their order; they count as emitted from now on. */
export function takeWaveVertices(dag: Dag, anchor: DagVertex, gcRound: number): DagVertex[] {
  const taken: DagVertex[] = [];
  const stack: DagVertex[] = [anchor];
  for (let vertex = stack.pop(); vertex !== undefined; vertex = stack.pop()) {
    if (vertex.emitted || vertex.round <= gcRound) continue;
    dag.markEmitted(vertex);
    taken.push(vertex);
    for (const parent of vertex.waitingParents) if (!parent.emitted) stack.push(parent);
    for (const parent of vertex.weakParents) if (!parent.emitted) stack.push(parent);
  }
  return taken.sort(
    (a, b) => a.round - b.round || a.author - b.author || compareBytes(a.name, b.name),
  );
}

/**
 * Marks the whole ancestry of `anchors` as emitted. The anchors committed at the last round R and
 * at R − 1 have every vertex above the GC round that any wave carried: an anchor committed at R − 2
 * or below has q votes, one of which is in the ancestry of every vertex of round R.
 */
export function markAncestryEmitted(dag: Dag, anchors: readonly DagVertex[]): void {
  const seen = new Set<DagVertex>(anchors);
  const stack = [...anchors];
  for (let vertex = stack.pop(); vertex !== undefined; vertex = stack.pop()) {
    dag.markEmitted(vertex);
    for (const parent of [...vertex.parents, ...vertex.weakParents]) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      stack.push(parent);
    }
  }
}

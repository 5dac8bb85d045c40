/**
 * Agreement of the commit rule over random DAGs: whatever part of a DAG two members hold, the
 * anchors that they emit are one sequence, one a prefix of the other. Up to f members equivocate,
 * stay silent or choose their parents as they like.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeSlots } from './base-committer.ts';
import { TextDag } from './testing/dag-text.ts';

interface PlannedVertex {
  readonly label: string;
  readonly author: number;
  readonly parents: readonly string[];
}

/** Random draws; fast-check shrinks the seed's stream of numbers, not the DAG. */
type Draw = (below: number) => number;

function shuffled<T>(values: readonly T[], draw: Draw): T[] {
  const left = [...values];
  return values.flatMap(() => left.splice(draw(left.length), 1));
}

/** Rounds of vertices; the last f seats are faulty. */
function planDag(size: number, rounds: number, draw: Draw): PlannedVertex[][] {
  const faulty = Math.floor((size - 1) / 3);
  const quorum = size - faulty;
  const letter = (seat: number): string => String.fromCharCode(65 + seat);
  let below: PlannedVertex[] = Array.from({ length: size }, (_, author) => ({
    ...{ label: letter(author), author, parents: [] },
  }));
  const plan: PlannedVertex[][] = [];
  for (let round = 1; round <= rounds; round++) {
    const made: PlannedVertex[] = [];
    const parentsFor = (own: string | undefined): string[] | undefined => {
      const taken = new Map<number, string>();
      if (own !== undefined) taken.set(own.charCodeAt(0) - 65, own);
      const wanted = quorum + draw(size - quorum + 1);
      for (const { author, label } of shuffled(below, draw)) {
        if (taken.size >= wanted) break;
        if (!taken.has(author)) taken.set(author, label);
      }
      return taken.size >= quorum ? [...taken.values()].sort() : undefined;
    };
    for (let author = 0; author < size; author++) {
      const isFaulty = author >= size - faulty;
      const own = below.find((vertex) => vertex.author === author)?.label;
      const count = isFaulty ? draw(3) : 1;
      for (let copy = 0; copy < count; copy++) {
        const parents = parentsFor(isFaulty ? undefined : own);
        if (parents === undefined) continue;
        made.push({ label: `${letter(author)}${copy === 1 ? "'" : ''}`, author, parents });
      }
    }
    plan.push(made);
    below = made;
  }
  return plan;
}

/** The vertices of some tips' ancestry, as the text of a DAG. */
function viewOf(size: number, plan: readonly PlannedVertex[][], draw: Draw): TextDag {
  const top = draw(plan.length);
  const lines: string[] = [];
  let wanted = new Set<string>();
  for (let at = plan.length - 1; at >= 0; at--) {
    const round = plan[at] ?? [];
    const kept = round.filter(
      ({ label }) => wanted.has(label) || (at <= top + 1 && at >= top - 1 && draw(3) > 0),
    );
    wanted = new Set(kept.flatMap(({ parents }) => parents));
    lines.unshift(
      shuffled(kept, draw)
        .map(({ label, parents }) => `${label}(${parents.join('')})`)
        .join(' '),
    );
  }
  while (lines.at(-1) === '') lines.pop();
  return new TextDag(size, lines);
}

/** The anchors that a member with this view emits: up to the first undecided slot. */
function emitted(text: TextDag): string[] {
  const anchors: string[] = [];
  for (const verdict of judgeSlots(text.dag, text.quorum, 1)) {
    if (verdict.kind === 'undecided') break;
    if (verdict.kind === 'commit') anchors.push(text.label(verdict.anchor));
  }
  return anchors;
}

describe.each([
  [4, 10, 400],
  [7, 10, 150],
])('members of a committee of %i', (size, rounds, runs) => {
  it('emit one sequence of anchors, whatever part of the DAG each of them holds', () => {
    let most = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (seed) => {
        let state = seed | 1;
        const draw: Draw = (below) => {
          // xorshift32: the plan must be a function of the seed.
          state ^= state << 13;
          state ^= state >>> 17;
          state ^= state << 5;
          return (state >>> 0) % Math.max(1, below);
        };
        const plan = planDag(size, rounds, draw);
        const views = Array.from({ length: 4 }, () => viewOf(size, plan, draw));
        const sequences = views.map(emitted).sort((a, b) => b.length - a.length);
        const [longest = []] = sequences;
        most = Math.max(most, longest.length);
        for (const sequence of sequences) {
          const drawings = views.map((view) => view.draw()).join('\n\n');
          expect(sequence, drawings).toEqual(longest.slice(0, sequence.length));
        }
      }),
      { numRuns: runs },
    );
    // A rule that never commits would agree with itself.
    expect(most).toBeGreaterThan(3);
  });
});

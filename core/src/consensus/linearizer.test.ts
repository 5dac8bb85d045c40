import { describe, expect, it } from 'vitest';
import { compareBytes } from '../bytes/index.ts';
import { gcRoundAfter, markAncestryEmitted, takeWaveVertices } from './linearizer.ts';
import { TextDag } from './testing/dag-text.ts';
import { nameOf } from './testing.ts';

const FULL = 'A B C D';
const labels = (text: TextDag, anchor: string, gcRound = 0): string[] =>
  takeWaveVertices(text.dag, text.at(anchor), gcRound).map((vertex) => text.label(vertex));

describe('the GC round', () => {
  it('lies gc_rounds below the previous anchor and never below 0', () => {
    expect([0, 59, 60, 61, 1_000].map((round) => gcRoundAfter(round, 60))).toEqual([
      0, 0, 0, 1, 940,
    ]);
  });
});

describe('the vertices of a wave', () => {
  it('are the ancestry of the anchor, by round, then author, without round 0', () => {
    const text = new TextDag(4, [FULL, FULL, 'A B(ABC) C D']);
    expect(labels(text, 'B3')).toEqual(['A1', 'B1', 'C1', 'D1', 'A2', 'B2', 'C2', 'B3']);
  });

  it('are in no second wave', () => {
    const text = new TextDag(4, [FULL, 'A B(ABC) C D', FULL]);
    expect(labels(text, 'B2')).toEqual(['A1', 'B1', 'C1', 'B2']);
    expect(labels(text, 'C3')).toEqual(['D1', 'A2', 'C2', 'D2', 'C3']);
    expect(labels(text, 'C3')).toEqual([]);
  });

  it('of one author and round go by name', () => {
    const order = ['A1', "A'1"].sort((a, b) => compareBytes(nameOf(a), nameOf(b)));
    // Whichever of the two the anchor leads to first.
    for (const second of ["A(ABC) B(A'BC)", "A(A'BC) B(ABC)"]) {
      const text = new TextDag(4, ["A A' B C", `${second} C(BC)`, 'A(ABC)']);
      expect(labels(text, 'A3').slice(0, 2)).toEqual(order);
    }
  });

  it('end strictly above the GC round', () => {
    const text = new TextDag(4, [FULL, FULL, FULL]);
    expect(labels(text, 'A3', 1)).toEqual(['A2', 'B2', 'C2', 'D2', 'A3']);
  });

  it('include what only a weak parent leads to', () => {
    const text = new TextDag(4, [FULL, 'A(ABC) B(ABC) C(ABC)', 'A', 'A(A)']);
    const anchor = text.at('A4');
    anchor.weakParents = [text.at('D1')];
    expect(labels(text, 'A4')).toContain('D1');
  });

  it('of a deep DAG need no deep stack', () => {
    const text = new TextDag(
      1,
      Array.from({ length: 20_000 }, () => 'A(A)'),
    );
    expect(takeWaveVertices(text.dag, text.at('A20000'), 0).length).toBe(20_000);
  });
});

describe('what waves carried before a restart', () => {
  it('is the ancestry of the anchors of the last round and of the one before', () => {
    // C3's ancestry lacks B2, which was committed as well.
    const text = new TextDag(4, [FULL, 'A B C D', 'A B C(ACD) D', FULL]);
    markAncestryEmitted(text.dag, [text.at('C3'), text.at('B2')]);
    expect(text.at('B2').emitted).toBe(true);
    expect(labels(text, 'D4')).toEqual(['A3', 'B3', 'D3', 'D4']);
  });
});

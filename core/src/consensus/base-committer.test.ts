/** Anchors in these DAGs of four members: A1, B2, C3, D4, A5, B6 …; the quorum is 3. */
import { describe, expect, it } from 'vitest';
import { judgeSlots } from './base-committer.ts';
import { TextDag } from './testing.ts';

/** Verdicts from round 1 on, like `commit A1 direct`. */
function judge(dag: TextDag, from = 1): string[] {
  return judgeSlots(dag.dag, dag.quorum, from).map((verdict) => {
    if (verdict.kind === 'undecided') return 'undecided';
    const rule = verdict.direct ? 'direct' : 'indirect';
    return verdict.kind === 'skip' ? `skip ${rule}` : `commit ${dag.label(verdict.anchor)} ${rule}`;
  });
}

const FULL = 'A B C D';

describe('direct commit', () => {
  it('takes certificates of q authors two rounds up', () => {
    expect(judge(new TextDag(4, [FULL, FULL, 'A B C']))).toEqual([
      'commit A1 direct',
      'undecided',
      'undecided',
    ]);
  });

  it('does not happen with certificates of q - 1 authors', () => {
    expect(judge(new TextDag(4, [FULL, FULL, 'A B']))[0]).toBe('undecided');
  });

  it('counts a second vertex of an author only once', () => {
    expect(judge(new TextDag(4, [FULL, FULL, "A B B'"]))[0]).toBe('undecided');
  });

  it('needs q votes among the parents of each certificate', () => {
    // A3 and B3 hold three votes, C3 only the two of A2 and B2: D2 does not vote.
    const rounds = [FULL, 'A B C D(BCD)', 'A(ABC) B(ABC) C(ABD)'];
    expect(judge(new TextDag(4, rounds))[0]).toBe('undecided');
    expect(judge(new TextDag(4, [...rounds.slice(0, 2), 'A(ABC) B(ABC) C(ABC)']))[0]).toBe(
      'commit A1 direct',
    );
  });

  it('of an equivocating anchor takes the vertex with q certificates', () => {
    const rounds = ["A A' B C D", "A B(A'BC) C(A'BD) D(A'CD)", 'A(BCD) B(BCD) C(BCD)'];
    expect(judge(new TextDag(4, rounds))[0]).toBe("commit A'1 direct");
  });

  it('of a committee of one takes its own next two vertices', () => {
    expect(judge(new TextDag(1, ['A', 'A', 'A', 'A']))).toEqual([
      'commit A1 direct',
      'commit A2 direct',
      'undecided',
      'undecided',
    ]);
  });
});

describe('direct skip', () => {
  it('takes q authors that do not vote for the vertex of the slot', () => {
    expect(judge(new TextDag(4, [FULL, 'A(ABC) B(BCD) C(BCD) D(BCD)']))[0]).toBe('skip direct');
  });

  it('takes q authors when the slot is empty', () => {
    expect(judge(new TextDag(4, ['B C D', 'A(BCD) B(BCD) C(BCD)']))[0]).toBe('skip direct');
    expect(judge(new TextDag(4, ['B C D', 'B(BCD) C(BCD)']))[0]).toBe('undecided');
  });

  it('does not count two vertices of one author as two', () => {
    const rounds = [FULL, "A(ABC) B(BCD) C(BCD) C'(BCD)"];
    expect(judge(new TextDag(4, rounds))[0]).toBe('undecided');
  });

  it('of an equivocating anchor asks for q against each of its vertices', () => {
    // Two vote for A1, two for A'1: both have only two authors against them.
    const split = ["A A' B C D", "A(ABC) B(ABC) C(A'BC) D(A'CD)"];
    expect(judge(new TextDag(4, split))[0]).toBe('undecided');
    const against = ["A A' B C D", "A(ABC) B(BCD) C(A'BC) D(BCD)"];
    expect(judge(new TextDag(4, against))[0]).toBe('skip direct');
  });

  it('counts an author that voted both ways as against', () => {
    // D equivocates: first for A1, then against. With B and C that makes three against.
    const rounds = [FULL, "A(ABC) B(BCD) C(BCD) D(ABC) D'(BCD)"];
    expect(judge(new TextDag(4, rounds))[0]).toBe('skip direct');
  });
});

describe('the indirect rule', () => {
  // Round 3: A3 alone certifies A1, since B3, C3 and D3 see at most two of its three votes.
  const weak = [FULL, 'A B C D(BCD)', 'A(ABC) B(BCD) C(BCD) D(BCD)'];

  it('commits when the next committed anchor has a certificate in its ancestry', () => {
    const dag = new TextDag(4, [...weak, FULL, FULL, FULL]);
    expect(judge(dag).slice(0, 4)).toEqual([
      'commit A1 indirect',
      'commit B2 direct',
      'commit C3 direct',
      'commit D4 direct',
    ]);
  });

  it('skips when the next committed anchor has none in its ancestry', () => {
    // Nobody takes A3, the only certificate for A1, as a parent.
    const dag = new TextDag(4, [
      ...weak,
      'B(BCD) C(BCD) D(BCD)',
      'A(BCD) B(BCD) C(BCD) D(BCD)',
      FULL,
    ]);
    expect(judge(dag).slice(0, 4)).toEqual([
      'skip indirect',
      'commit B2 direct',
      'commit C3 direct',
      'commit D4 direct',
    ]);
  });

  it('waits while the slot three rounds up is undecided', () => {
    expect(judge(new TextDag(4, [...weak, FULL, FULL]))[0]).toBe('undecided');
  });

  it('passes over skipped slots to the first one that is not', () => {
    // D4 is missing, so slot 4 is skipped and A5 decides slot 1.
    const dag = new TextDag(4, [...weak, 'A B C', FULL, FULL, FULL]);
    const verdicts = judge(dag);
    expect(verdicts[3]).toBe('skip direct');
    expect(verdicts[4]).toBe('commit A5 direct');
    expect(verdicts[0]).toBe('commit A1 indirect');
  });

  it('decides a chain of undecided slots once a later anchor is committed', () => {
    // Rounds 1 to 3 are all weak; D4 is committed directly and settles slot 1 alone.
    const undecided = [FULL, 'A B C D(BCD)', 'A(ABC) B(BCD) C(BCD) D(ACD)', FULL, FULL];
    expect(judge(new TextDag(4, undecided))[0]).toBe('undecided');
    expect(judge(new TextDag(4, [...undecided, 'A B C']))[0]).toBe('commit A1 indirect');
  });

  it('skips an anchor that two authors vote for and two do not, once a later one is committed', () => {
    const none = [FULL, 'A B(ABC) C(BCD) D(BCD)', 'A(ACD) B(BCD) C(BCD) D(BCD)'];
    const verdicts = judge(new TextDag(4, [...none, FULL, FULL, FULL]));
    expect(verdicts[0]).toBe('skip indirect');
  });
});

describe('order of judgement', () => {
  it('starts where it is told to', () => {
    const dag = new TextDag(4, [FULL, FULL, FULL, FULL, FULL]);
    expect(judge(dag, 3)).toEqual(['commit C3 direct', 'undecided', 'undecided']);
    expect(judge(dag, 6)).toEqual([]);
  });

  it('gives every prefix of a DAG verdicts that a longer one only extends', () => {
    const rounds = [
      ...Array.from({ length: 3 }, () => FULL),
      'A(ABC) B(ABD) C(BCD) D(ACD)',
      FULL,
      'A B C',
      FULL,
      FULL,
    ];
    let before: string[] = [];
    for (let length = 1; length <= rounds.length; length++) {
      const now = judge(new TextDag(4, rounds.slice(0, length)));
      before.forEach((verdict, i) => {
        if (verdict !== 'undecided')
          expect(now[i]?.split(' ').slice(0, 2)).toEqual(verdict.split(' ').slice(0, 2));
      });
      before = now;
    }
    expect(before[0]).toBe('commit A1 direct');
  });
});

/** Anchors in these DAGs of four members: A1, B2, C3, D4, A5, B6 …; the quorum is 3. */
import { describe, expect, it } from 'vitest';
import { judgeSlots } from './base-committer.ts';
import { parseDag, requireVerdicts, TextDag } from './testing/dag-text.ts';

const FULL = 'A B C D';

/** A case: its name, and a DAG with what the rule must say. */
type Case = readonly [name: string, dag: string];

const DIRECT_COMMIT: readonly Case[] = [
  [
    'takes certificates of q authors two rounds up',
    `1: A B C D | commit A direct
     2: A B C D | undecided
     3: A B C   | undecided`,
  ],
  [
    'does not happen with certificates of q - 1 authors',
    `1: A B C D | undecided
     2: A B C D
     3: A B`,
  ],
  [
    'counts a second vertex of an author only once',
    `1: A B C D | undecided
     2: A B C D
     3: A B B'`,
  ],
  [
    'counts an author whose second vertex alone is a certificate',
    `1: A B C D        | commit A direct
     2: A B C D(BCD)
     3: A(ABC) B(BCD) B'(ABC) C(ABC)`,
  ],
  [
    'needs q votes among the parents of each certificate',
    `1: A B C D        | undecided
     2: A B C D(BCD)                # A3 and B3 hold three votes, C3 two
     3: A(ABC) B(ABC) C(ABD)`,
  ],
  [
    'is there with votes of just q members, whoever is silent',
    `1: A B C D        | commit A direct
     2: A B C D(BCD)
     3: A(ABC) B(ABC) C(ABC)`,
  ],
  [
    'of an equivocating anchor takes the vertex with q certificates',
    `1: A A' B C D     | commit A' direct
     2: A B(A'BC) C(A'BD) D(A'CD)
     3: A(BCD) B(BCD) C(BCD)`,
  ],
  [
    'does not add up the votes for two vertices of an equivocating anchor',
    `1: A A' B C D     | undecided
     2: A(ABC) B(ABC) C(A'BC) D(A'CD)
     3: A B C D`,
  ],
  [
    'does not take a vote through a weak parent',
    `1: A B C D        | undecided
     2: A(ABC) B(ABC) C(BCD) D(BCD)
     3: A(ABC~A1) B(ABC) C(BCD) D(BCD)
     4: A(ABC~A1) B(ABC~A1) C(ABC~A1)`,
  ],
];

const DIRECT_SKIP: readonly Case[] = [
  [
    'takes q authors that do not vote for the vertex of the slot',
    `1: A B C D | skip direct
     2: A(ABC) B(BCD) C(BCD) D(BCD)`,
  ],
  [
    'takes q authors when the slot is empty',
    `1: B C D | skip direct
     2: A(BCD) B(BCD) C(BCD)`,
  ],
  [
    'does not happen with q - 1 authors when the slot is empty',
    `1: B C D | undecided
     2: B(BCD) C(BCD)`,
  ],
  [
    'does not count two vertices of one author as two',
    `1: A B C D | undecided
     2: A(ABC) B(BCD) C(BCD) C'(BCD)`,
  ],
  [
    'of an equivocating anchor asks for q against each of its vertices',
    `1: A A' B C D | undecided     # two vote for A1, two for A'1
     2: A(ABC) B(ABC) C(A'BC) D(A'CD)`,
  ],
  [
    'of an equivocating anchor holds with q against both',
    `1: A A' B C D | skip direct
     2: A(ABC) B(BCD) C(A'BC) D(BCD)`,
  ],
  [
    'counts an author that voted both ways as against',
    `1: A B C D | skip direct      # D first votes for A1, then against it
     2: A(ABC) B(BCD) C(BCD) D(ABC) D'(BCD)`,
  ],
  [
    'does not depend on the round above having more than q authors',
    `1: A B C D | skip direct
     2: B(BCD) C(BCD) D(BCD)`,
  ],
];

/** Round 3: A3 alone certifies A1, since B3, C3 and D3 see at most two of its three votes. */
const WEAK = `1: A B C D
              2: A B C D(BCD)
              3: A(ABC) B(BCD) C(BCD) D(BCD)`;

const INDIRECT: readonly Case[] = [
  [
    'commits when the next committed anchor has a certificate in its ancestry',
    `1: A B C D        | commit A indirect
     2: A B C D(BCD)   | commit B direct
     3: A(ABC) B(BCD) C(BCD) D(BCD) | commit C direct
     4: A B C D        | commit D direct
     5: A B C D        | undecided
     6: A B C D        | undecided`,
  ],
  [
    'skips when the next committed anchor has none in its ancestry',
    `1: A B C D        | skip indirect   # nobody takes A3, the only certificate of A1
     2: A B C D(BCD)   | commit B direct
     3: A(ABC) B(BCD) C(BCD) D(BCD) | commit C direct
     4: B(BCD) C(BCD) D(BCD)        | commit D direct
     5: A(BCD) B(BCD) C(BCD) D(BCD)
     6: A B C D`,
  ],
  [
    'does not look through weak parents',
    `1: A B C D                      | skip indirect   # A5 decides; A3 is a weak parent of it alone
     2: A B C D(BCD)
     3: A(ABC) B(BCD) C(BCD) D(BCD)
     4: A(BCD) B(BCD) C(BCD)        | skip direct
     5: A(ABC~A3) B(ABC~A3) C(ABC~A3) D(ABC~A3) | commit A direct
     6: A B C D
     7: A B C D`,
  ],
  [
    'does not pass over an undecided slot to a committed one',
    `1: A B C D                      | undecided       # D4 decides it, and D4 is not decided
     2: A B C D(BCD)
     3: A(ABC) B(BCD) C(BCD) D(BCD)
     4: A B C D                     | undecided
     5: A(ABD) B(ABD) C(ABC) D(ABC) | commit A direct
     6: A B C D
     7: A B C D`,
  ],
  [
    'waits while the slot three rounds up is undecided',
    `1: A B C D        | undecided
     2: A B C D(BCD)
     3: A(ABC) B(BCD) C(BCD) D(BCD)
     4: A B C D        | undecided
     5: A B C D`,
  ],
  [
    'passes over skipped slots to the first one that is not',
    `1: A B C D        | commit A indirect
     2: A B C D(BCD)
     3: A(ABC) B(BCD) C(BCD) D(BCD)
     4: A B C          | skip direct     # D4 is missing, so A5 decides slot 1
     5: A B C D        | commit A direct
     6: A B C D
     7: A B C D`,
  ],
  [
    'asks the first slot from three rounds up, not a committed one before it',
    `1: A B C D        | undecided       # B2 and C3 are committed, and decide nothing of slot 1
     2: A B C D(BCD)   | commit B direct
     3: A(ABC) B(BCD) C(BCD) D(BCD) | commit C direct
     4: A B C D        | undecided
     5: A B C D`,
  ],
  [
    'settles a chain of undecided slots once a later anchor is committed',
    `1: A B C D        | commit A indirect
     2: A B C D(BCD)
     3: A(ABC) B(BCD) C(BCD) D(ACD)
     4: A B C D        | commit D direct
     5: A B C D
     6: A B C`,
  ],
  [
    'skips an anchor that two authors vote for and two do not, once a later one is committed',
    `1: A B C D        | skip indirect
     2: A B(ABC) C(BCD) D(BCD)
     3: A(ACD) B(BCD) C(BCD) D(BCD)
     4: A B C D        | commit D direct
     5: A B C D
     6: A B C D`,
  ],
  [
    'skips an anchor whose votes an equivocator split',
    `1: A A' B C D     | skip indirect
     2: A(ABC) B(ABC) C(A'BC) D(A'CD)
     3: A B C D
     4: A B C D        | commit D direct
     5: A B C D
     6: A B C D`,
  ],
  [
    'commits the certified one of an equivocating anchor',
    `1: A A' B C D     | commit A' indirect
     2: A(A'BC) B(A'BC) C(A'BC) D(ACD)
     3: A(ABC) B(ABD) C(ACD) D(BCD)    # A3 alone certifies A'1
     4: A B C D        | commit D direct
     5: A B C D
     6: A B C D`,
  ],
  [
    'holds a vote of an equivocating voter where the certificate took it as a parent',
    `1: A B C D        | commit A indirect
     2: A(ABC) B(ABC) C(BCD) D(BCD) D'(ABD)   # D votes against, then for A1
     3: A(ABD') B(ACD) C(BCD) D(BCD)          # A3 alone certifies A1, by D's second vertex
     4: A B C D        | commit D direct
     5: A B C D
     6: A B C D`,
  ],
];

const LONG_RUNS: readonly Case[] = [
  [
    'skips the slots of a silent member and commits the others',
    `1: B C D | skip direct
     2: B C D | commit B direct
     3: B C D | commit C direct
     4: B C D | commit D direct
     5: B C D | skip direct
     6: B C D | commit B direct
     7: B C D | undecided
     8: B C D | undecided`,
  ],
  [
    'decides a slot below a long run of skipped ones by the first that is not',
    `1: A B C D                          | commit A indirect
     2: A B C D(BCD)                     | skip direct    # nobody takes B2
     3: A(ABC) B(ACD) C(ACD) D(ACD)      | skip direct
     4: A(ABD) B(ABD) C(ABD) D(ABD)      | skip direct
     5: A(ABC) B(ABC) C(ABC) D(ABC)      | skip direct
     6: A(BCD) B(BCD) C(BCD) D(BCD)      | commit B direct
     7: A B C D
     8: A B C D`,
  ],
];

function check(cases: readonly Case[]): void {
  it.each(cases)('%s', (_, dag) => {
    requireVerdicts(4, dag);
  });
}

describe('direct commit', () => {
  check(DIRECT_COMMIT);

  it('of a committee of one takes its own next two vertices', () => {
    requireVerdicts(
      1,
      `1: A | commit A direct
       2: A | commit A direct
       3: A | undecided
       4: A | undecided`,
    );
  });

  it('of seven members needs five, not four', () => {
    const dag = (certificates: string): string =>
      `1: A B C D E F G\n2: A B C D E F(BCDEF) G(BCDEG)\n3: ${certificates}`;
    const four = parseDag(7, dag('A(ABCDE) B(ABCDE) C(ABCDE) D(ABCDE) E(ABCFG)'));
    expect(four.text.verdicts()[0]).toBe('undecided');
    const five = parseDag(7, dag('A(ABCDE) B(ABCDE) C(ABCDE) D(ABCDE) E(ABCDEF)'));
    expect(five.text.verdicts()[0]).toBe('commit A1 direct');
  });
});

describe('direct skip', () => {
  check(DIRECT_SKIP);

  it('of seven members needs five against, not four', () => {
    const dag = (voters: string): TextDag => new TextDag(7, ['A B C D E F G', voters]);
    const four = dag('A B C(ABC) D(BCDEF) E(BCDEF) F(BCDEF) G(BCDEF)');
    expect(four.verdicts()[0]).toBe('undecided');
    const five = dag('A B C(BCDEF) D(BCDEF) E(BCDEF) F(BCDEF) G(BCDEF)');
    expect(five.verdicts()[0]).toBe('skip direct');
  });
});

describe('the indirect rule', () => {
  check(INDIRECT);
});

describe('long runs', () => {
  check(LONG_RUNS);
});

describe('order of judgement', () => {
  it('starts where it is told to', () => {
    const text = new TextDag(4, [FULL, FULL, FULL, FULL, FULL]);
    expect(text.verdicts(3)).toEqual(['commit C3 direct', 'undecided', 'undecided']);
    expect(judgeSlots(text.dag, text.quorum, 6)).toEqual([]);
  });

  it('gives every prefix of a DAG verdicts that a longer one only extends', () => {
    const { text, wanted } = parseDag(4, `${WEAK}\n4: A B C\n5: A B C D\n6: A B C D\n7: A B C D`);
    expect(wanted.length).toBe(7);
    const lines = text.draw().split('\n').length - 1;
    expect(lines).toBe(7);
    const rounds = [FULL, 'A B C D(BCD)', 'A(ABC) B(BCD) C(BCD) D(BCD)', 'A B C', FULL, FULL, FULL];
    let before: string[] = [];
    for (let length = 1; length <= rounds.length; length++) {
      const now = new TextDag(4, rounds.slice(0, length)).verdicts();
      before.forEach((verdict, i) => {
        if (verdict === 'undecided') return;
        expect(now[i]?.split(' ').slice(0, -1)).toEqual(verdict.split(' ').slice(0, -1));
      });
      before = now;
    }
    expect(before[0]).toBe('commit A1 indirect');
  });
});

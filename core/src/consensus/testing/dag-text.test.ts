import { describe, expect, it } from 'vitest';
import { parseDag, requireVerdicts } from './dag-text.ts';

describe('a DAG as text', () => {
  it('has the parents, weak parents and second vertices that it names', () => {
    const { text, wanted } = parseDag(
      4,
      `# a comment, and an empty line

       1: A B C D      | skip
       2: A(BCD) B(ACD)   # another
       3: C(AB~D1 C1) C'(BA)`,
    );
    expect(wanted).toEqual(['skip', undefined, undefined]);
    const labels = (label: string, which: 'parents' | 'weakParents'): string[] =>
      text.at(label)[which].map((vertex) => text.label(vertex));
    expect(labels('A1', 'parents')).toEqual(['A0', 'B0', 'C0', 'D0']);
    expect(labels('A2', 'parents')).toEqual(['B1', 'C1', 'D1']);
    expect(labels('C3', 'weakParents')).toEqual(['D1', 'C1']);
    expect(labels("C'3", 'parents')).toEqual(['A2', 'B2']);
  });

  it('is drawn with its verdicts when one of them is wrong', () => {
    const dag = `1: A B C D | commit A direct
                 2: A B C D(BCD)
                 3: A(ABC) B(ABC) C(ABC)`;
    expect(requireVerdicts(4, dag).size).toBe(4);
    const wrong = dag.replace('commit A direct', 'skip');
    expect(() => requireVerdicts(4, wrong)).toThrow(
      /slot 1 is commit A1 direct, and should be skip/,
    );
    expect(() => requireVerdicts(4, wrong)).toThrow(/2 .*A2\(ABCD\) vA1.*\*B2.*D2\(BCD\)/);
    expect(() => requireVerdicts(4, wrong)).toThrow(/3 .*A3\(ABC\) vB2 cA1/);
    expect(() => requireVerdicts(4, dag.replace('commit A', 'commit B'))).toThrow('slot 1');
    expect(() => requireVerdicts(4, dag.replace('direct', 'indirect'))).toThrow('slot 1');
  });

  it('is refused when a round is missing', () => {
    expect(() => parseDag(4, '1: A\n3: A')).toThrow('round 2');
  });
});

import { describe, expect, it } from 'vitest';
import { toMemberIndex } from '../types/index.ts';
import { TextDag } from './testing/dag-text.ts';
import { nameOf } from './testing.ts';
import { Tips } from './weak-parents.ts';

const A = toMemberIndex(0);
const namesAt = (text: TextDag, round: number, gcRound = 0, self = A): Uint8Array[] =>
  new Tips(text.dag, text.size).weakParents(round, gcRound, self).map(({ name }) => name);

describe('weak parents', () => {
  // D is slow: nobody takes its vertices of rounds 1 and 2.
  const slow = ['A B C D', 'A(ABC) B(ABC) C(ABC) D(ABCD)', 'A(ABC) B(ABC) C(ABC)', 'A B C'];

  it('are the newest tips that nobody refers to, two rounds down or more', () => {
    const text = new TextDag(4, slow);
    expect(namesAt(text, 5)).toEqual([nameOf('D2')]);
    expect(namesAt(text, 4)).toEqual([nameOf('D2')]);
    expect(namesAt(text, 3)).toEqual([]);
  });

  it('lie above the GC round and at most fifty rounds down', () => {
    const text = new TextDag(4, slow);
    expect(namesAt(text, 5, 2)).toEqual([]);
    expect(namesAt(text, 52)).toContainEqual(nameOf('D2'));
    expect(namesAt(text, 53)).not.toContainEqual(nameOf('D2'));
  });

  it('are in no wave yet, and are named once', () => {
    const text = new TextDag(4, slow);
    const tips = new Tips(text.dag, 4);
    text.dag.markEmitted(text.at('D2'));
    expect(tips.weakParents(5, 0, A)).toEqual([]);
  });

  it('are never those of their author, which others may miss', () => {
    const text = new TextDag(4, slow);
    expect(namesAt(text, 5, 0, toMemberIndex(3))).toEqual([]);
  });

  it('are never a second vertex of an author and round', () => {
    const text = new TextDag(4, ["A B C D D'", 'A(ABC) B(ABC) C(ABC)', 'A B C']);
    expect(namesAt(text, 4)).toEqual([nameOf('D1')]);
    // Also where the first one is a parent already.
    const referred = new TextDag(4, ["A B C D D'", 'A(ABCD) B(ABC) C(ABC)', 'A B C']);
    expect(namesAt(referred, 4)).toEqual([]);
  });

  it('are eight at most, authors in turn by round', () => {
    const authors = 'ABCDEFGHIJKLMNOP'.split('');
    const some = authors.slice(0, 3).join('');
    const first = authors.join(' ');
    const text = new TextDag(16, [first, `A(${some})`, 'A(A)', 'A(A)']);
    const at = (round: number): number[] =>
      new Tips(text.dag, 16).weakParents(round, 0, A).map(({ author }) => author);
    expect(at(3).length).toBe(8);
    expect(at(3)).toEqual([13, 14, 15, 3, 4, 5, 6, 7]);
    expect(at(10)).toEqual([6, 7, 8, 9, 10, 11, 12, 13]);
  });
});

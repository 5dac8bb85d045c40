import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blake3 } from '../crypto/index.ts';
import { maxFaulty, quorum } from '../finality/index.ts';
import { toEpoch, toMemberIndex, toRound, toVertexHash } from '../types/index.ts';
import {
  type AnsweredVertex,
  type CheckedAnswer,
  FIRST_ASK_AGAIN_MS,
  LAST_ASK_AGAIN_MS,
  Recovery,
  type RecoveryOptions,
} from './recovery.ts';

const nameOf = (author: number, round: number, twin = 0) =>
  toVertexHash(blake3(Uint8Array.of(author, round & 255, round >> 8, twin)));
const vertex = (author: number, round: number, twin = 0): AnsweredVertex => ({
  author: toMemberIndex(author),
  round: toRound(round),
  name: nameOf(author, round, twin),
});
const all = (): boolean => true;
const none = (): boolean => false;

function recovery(options: Partial<Omit<RecoveryOptions, 'own'>> & { own?: number }): Recovery {
  const { own, ...rest } = options;
  return new Recovery({
    size: 4,
    self: toMemberIndex(0),
    epoch: toEpoch(0),
    standing: 'whole',
    isUnderWay: false,
    floor: undefined,
    own: own === undefined ? undefined : vertex(rest.self ?? 0, own),
    ...rest,
  });
}

const answer = (from: number, round: number, rest: Partial<CheckedAnswer> = {}): CheckedAnswer => ({
  epoch: toEpoch(0),
  standing: 'whole',
  otherStore: false,
  own: round === 0 ? undefined : vertex(from, round),
  yours: undefined,
  ...rest,
});

/** Takes answers of members 1, 2 … and says where the member goes on. */
function resumedBy(
  subject: Recovery,
  answers: readonly (CheckedAnswer | undefined)[],
  isAccepted: (vertex: AnsweredVertex) => boolean = all,
): number | undefined {
  answers.forEach((one, i) => {
    if (one !== undefined) subject.take(toMemberIndex(i + 1), one, isAccepted);
  });
  subject.settle(isAccepted);
  return subject.resumeRound;
}

describe('a member with a whole store', () => {
  it('goes on at its next round once q - 1 others answered', () => {
    const subject = recovery({ own: 7 });
    expect(resumedBy(subject, [answer(1, 9)])).toBeUndefined();
    expect(resumedBy(subject, [undefined, answer(2, 3)])).toBe(8);
    expect(subject.standing).toBe('whole');
  });

  it('of seven waits for four others, that of a lost one as well: f + 1 are three', () => {
    for (const standing of ['whole', 'lost', 'new'] as const) {
      const own = standing === 'new' ? {} : { own: 7 };
      const subject = recovery({ size: 7, standing, ...own });
      const answers = [1, 2, 3].map((from) => answer(from, 9));
      expect(resumedBy(subject, answers), standing).toBeUndefined();
      expect(resumedBy(subject, [...answers, answer(4, 9)]), standing).toBeDefined();
    }
  });

  it('waits for no vertex of an answer to be accepted', () => {
    expect(resumedBy(recovery({ own: 7 }), [answer(1, 900), answer(2, 901)], none)).toBe(8);
  });

  it('is not helped by answers of members that lost their store', () => {
    const lost = { standing: 'lost' } as const;
    const subject = recovery({ own: 7 });
    expect(resumedBy(subject, [answer(1, 9, lost), answer(2, 9, lost)])).toBeUndefined();
    expect(resumedBy(subject, [answer(1, 9), answer(2, 9, lost)])).toBeUndefined();
    expect(resumedBy(subject, [undefined, undefined, answer(3, 9)])).toBe(8);
  });

  it('counts each other member once, itself never, and no stranger', () => {
    const subject = recovery({ own: 7 });
    for (let i = 0; i < 3; i++) subject.take(toMemberIndex(1), answer(1, 9), all);
    subject.take(toMemberIndex(0), answer(0, 9), all);
    subject.take(toMemberIndex(4), answer(4, 9), all);
    subject.settle(all);
    expect(subject.resumeRound).toBeUndefined();
  });

  it('that is shown a newer vertex of its own is stale, by whomever and however late', () => {
    const stale = { yours: vertex(0, 8) };
    const early = recovery({ own: 7 });
    expect(resumedBy(early, [answer(1, 9, stale), answer(2, 9)])).toBe(11);
    expect(early.standing).toBe('lost');
    const late = recovery({ own: 7 });
    expect(resumedBy(late, [answer(1, 9), answer(2, 9)])).toBe(8);
    expect(resumedBy(late, [undefined, undefined, answer(3, 9, stale)])).toBe(11);
    const byLostMember = recovery({ own: 7 });
    const one = answer(1, 9, { ...stale, standing: 'lost' });
    expect(resumedBy(byLostMember, [one, answer(2, 9), answer(3, 9)])).toBe(11);
  });

  it('takes another vertex of its newest round for newer, and its older ones for its own', () => {
    const twin = recovery({ own: 7 });
    expect(resumedBy(twin, [answer(1, 9, { yours: vertex(0, 7, 1) })])).toBeUndefined();
    expect(twin.standing).toBe('lost');
    const older = recovery({ own: 7 });
    const copies = [vertex(0, 7), vertex(0, 6)];
    expect(
      resumedBy(
        older,
        [1, 2].map((i) => answer(i, 9, { yours: copies[i - 1] })),
      ),
    ).toBe(8);
  });
});

describe('a member that lost its store', () => {
  const lost = { standing: 'lost' } as const;

  it('goes on at R + 2 when q - 1 answered vertices are accepted', () => {
    const subject = recovery(lost);
    expect(resumedBy(subject, [answer(1, 9), answer(2, 12)], none)).toBeUndefined();
    expect(resumedBy(subject, [], ({ round }) => round <= 9)).toBeUndefined();
    expect(resumedBy(subject, [], all)).toBe(14);
  });

  it('replaces an answer that cannot be accepted by another member’s', () => {
    const subject = recovery(lost);
    const honest = ({ round }: AnsweredVertex): boolean => round < 1_000;
    expect(resumedBy(subject, [answer(1, 1_000_000), answer(2, 12)], honest)).toBeUndefined();
    expect(resumedBy(subject, [undefined, undefined, answer(3, 11)], honest)).toBe(14);
  });

  it('takes a newer answer of a member whose first cannot be accepted', () => {
    const subject = recovery(lost);
    const honest = ({ round }: AnsweredVertex): boolean => round < 1_000;
    expect(resumedBy(subject, [answer(1, 1_000_000), answer(2, 12)], honest)).toBeUndefined();
    expect(resumedBy(subject, [answer(1, 30)], honest)).toBe(32);
  });

  it('counts its own vertices that others show and it accepted', () => {
    const copy = { yours: vertex(0, 20) };
    expect(resumedBy(recovery(lost), [answer(1, 9, copy), answer(2, 9)])).toBe(22);
    const unseen = ({ author }: AnsweredVertex): boolean => author !== 0;
    expect(resumedBy(recovery(lost), [answer(1, 9, copy), answer(2, 9)], unseen)).toBe(11);
  });

  it('is not helped by members that are new or lost theirs', () => {
    const subject = recovery(lost);
    const others = [answer(1, 9, { standing: 'new' }), answer(2, 9, lost), answer(3, 9)];
    expect(resumedBy(subject, others)).toBeUndefined();
  });

  it('never goes back below what a stale store holds', () => {
    expect(resumedBy(recovery({ ...lost, own: 40 }), [answer(1, 9), answer(2, 12)])).toBe(41);
  });

  it('stays lost until its first vertex, and is whole from then on', () => {
    const subject = recovery(lost);
    expect(resumedBy(subject, [answer(1, 9), answer(2, 12)])).toBe(14);
    expect(subject.standing).toBe('lost');
    expect(() => subject.produced({ round: toRound(13), name: nameOf(0, 13) })).toThrow();
    subject.produced({ round: toRound(14), name: nameOf(0, 14) });
    expect(subject.standing).toBe('whole');
    subject.ownVertexSeen(vertex(0, 11));
    subject.ownVertexSeen(vertex(0, 14));
    expect(subject.resumeRound).toBe(15);
    subject.ownVertexSeen(vertex(0, 15));
    expect(subject.resumeRound).toBeUndefined();
  });
});

describe('epochs', () => {
  const inEpoch = (epoch: number) => ({ epoch: toEpoch(epoch) });

  it('answers of a later one do not count, however whole the store', () => {
    for (const standing of ['whole', 'lost', 'new'] as const) {
      const subject = recovery({ standing });
      const later = [1, 2, 3].map((i) => answer(i, 0, inEpoch(1)));
      expect(resumedBy(subject, later), standing).toBeUndefined();
    }
  });

  it('one that begins while the member makes vertices needs no answers', () => {
    expect(recovery({ ...inEpoch(1), isUnderWay: true }).resumeRound).toBe(1);
  });

  it('members still in an earlier one have made nothing in this one', () => {
    const subject = recovery({ standing: 'lost', ...inEpoch(1) });
    const answers = [answer(1, 0, inEpoch(0)), answer(2, 5, inEpoch(1))];
    expect(resumedBy(subject, answers)).toBe(7);
  });
});

describe('a store without a vertex', () => {
  const fresh = { standing: 'new' } as const;

  it('of a chain that starts is whole when q - 1 others know no other of it', () => {
    const subject = recovery(fresh);
    expect(resumedBy(subject, [answer(1, 0, fresh)])).toBeUndefined();
    expect(resumedBy(subject, [undefined, answer(2, 1)])).toBe(1);
    expect(subject.standing).toBe('whole');
  });

  it('that was wiped is lost when f + 1 others know another, or one shows a vertex', () => {
    const other = { otherStore: true };
    const known = recovery(fresh);
    expect(resumedBy(known, [answer(1, 9, other), answer(2, 9), answer(3, 9, other)])).toBe(11);
    expect(known.standing).toBe('lost');
    const shown = recovery(fresh);
    expect(resumedBy(shown, [answer(1, 9, { yours: vertex(0, 8) }), answer(2, 9)])).toBe(11);
  });

  it('is not called lost by f members that lie, and not whole by them either', () => {
    const other = { otherStore: true };
    const subject = recovery(fresh);
    expect(resumedBy(subject, [answer(1, 0, other), answer(2, 0, fresh)])).toBeUndefined();
    expect(subject.standing).toBe('new');
    expect(resumedBy(subject, [undefined, undefined, answer(3, 0, fresh)])).toBe(1);
  });

  it('all of them: every member of a chain that starts goes on at round 1, f being silent', () => {
    for (const size of [2, 3, 4, 7, 10, 31]) {
      const silent = maxFaulty(size);
      for (let self = silent; self < size; self++) {
        const subject = recovery({ size, self: toMemberIndex(self), ...fresh });
        for (let from = silent; from < size; from++) {
          subject.take(toMemberIndex(from), answer(from, 0, fresh), none);
        }
        subject.settle(none);
        expect(subject.resumeRound, `member ${self} of ${size}`).toBe(1);
      }
    }
  });
});

describe('a committee of one', () => {
  it('asks nobody and goes on at once, whatever its store is worth', () => {
    const size = 1;
    expect(recovery({ size, standing: 'new' }).resumeRound).toBe(1);
    expect(recovery({ size, own: 7 }).resumeRound).toBe(8);
    expect(recovery({ size, own: 7, standing: 'lost' }).resumeRound).toBe(8);
    expect(recovery({ size, own: 7 }).takeDue(0, all)).toEqual([]);
  });
});

describe('asking', () => {
  it('goes to all others at once, then to those that do not count, ever more slowly', () => {
    const subject = recovery({ own: 7 });
    expect(subject.takeDue(0, all)).toEqual([1, 2, 3]);
    expect(subject.takeDue(FIRST_ASK_AGAIN_MS - 1, all)).toEqual([]);
    subject.take(toMemberIndex(1), answer(1, 3), all);
    subject.take(toMemberIndex(2), answer(2, 3, { standing: 'lost' }), all);
    expect(subject.takeDue(FIRST_ASK_AGAIN_MS, all)).toEqual([2, 3]);
    expect(subject.nextAskMs).toBe(3 * FIRST_ASK_AGAIN_MS);
    let nowMs = 0;
    for (let i = 0; i < 20; i++) {
      nowMs = subject.nextAskMs ?? 0;
      expect(subject.takeDue(nowMs, all)).toEqual([2, 3]);
    }
    expect(subject.nextAskMs).toBe(nowMs + LAST_ASK_AGAIN_MS);
    expect(subject.shallAsk(toMemberIndex(3), all)).toBe(true);
    expect(subject.shallAsk(toMemberIndex(1), all)).toBe(false);
  });

  it('ends with the resumption', () => {
    const subject = recovery({ own: 7 });
    resumedBy(subject, [answer(1, 3), answer(2, 3)]);
    expect(subject.nextAskMs).toBeUndefined();
    expect(subject.takeDue(10_000, all)).toEqual([]);
    expect(subject.shallAsk(toMemberIndex(3), all)).toBe(false);
  });
});

/**
 * A history, then an attack on the memory of one member. Rounds are made by the rule that round r
 * needs q authors of r − 1; who made what is drawn at random, so that any member may be ahead of what
 * others have. Member 0 is wiped; f − 1 others answer whatever they like, and the rest truly.
 */
describe('amnesia', () => {
  const sizes = fc.constantFrom(4, 7, 10, 13);
  const history = sizes.chain((size) =>
    fc.record({
      size: fc.constant(size),
      steps: fc.array(fc.nat(size - 1), { minLength: 1, maxLength: size * 12 }),
      liars: fc.shuffledSubarray(
        Array.from({ length: size - 1 }, (_, i) => i + 1),
        { minLength: maxFaulty(size) - 1, maxLength: maxFaulty(size) - 1 },
      ),
      order: fc.shuffledSubarray(
        Array.from({ length: size - 1 }, (_, i) => i + 1),
        { minLength: size - 1 },
      ),
      lies: fc.array(
        fc.record({
          round: fc.nat(20),
          standing: fc.constantFrom('new' as const, 'whole' as const, 'lost' as const),
          otherStore: fc.boolean(),
        }),
        { minLength: size, maxLength: size },
      ),
    }),
  );

  /** Newest round of each member after so many attempts of members to make their next one. */
  function play(size: number, steps: readonly number[]): number[] {
    const newest = Array.from({ length: size }, () => 0);
    for (const member of steps) {
      const own = newest[member] ?? 0;
      if (newest.filter((round) => round >= own).length >= quorum(size)) newest[member] = own + 1;
    }
    return newest;
  }

  it('never lets a wiped member make a vertex in a round where it made one before', () => {
    let resumed = 0;
    fc.assert(
      fc.property(history, ({ size, steps, liars, order, lies }) => {
        const newest = play(size, steps);
        const made = newest[0] ?? 0;
        const subject = recovery({ size, standing: 'lost' });
        for (const from of order) {
          const lie = liars.includes(from) ? lies[from] : undefined;
          const one =
            lie === undefined
              ? answer(from, newest[from] ?? 0)
              : answer(from, lie.round, { standing: lie.standing });
          subject.take(toMemberIndex(from), one, all);
          subject.settle(all);
          if (subject.resumeRound !== undefined) break;
        }
        if (subject.resumeRound === undefined) return true;
        resumed++;
        return subject.resumeRound > made;
      }),
      { numRuns: 3_000 },
    );
    expect(resumed).toBeGreaterThan(2_000);
  });

  it('would at R + 1, or with an answer less: here both are just enough', () => {
    // Member 0 made round 2 on vertices of 0, 1 and 2; 3 is behind, 1 lies.
    const newest = [2, 1, 1, 0];
    const subject = recovery({ size: 4, standing: 'lost' });
    subject.take(toMemberIndex(3), answer(3, newest[3] ?? 0), all);
    subject.settle(all);
    expect(subject.resumeRound).toBeUndefined();
    subject.take(toMemberIndex(2), answer(2, newest[2] ?? 0), all);
    subject.settle(all);
    expect(subject.resumeRound).toBe(3);
  });

  it('a wiped member that was known by q - 1 others is never taken for a new one', () => {
    fc.assert(
      fc.property(history, ({ size, liars, order, lies }) => {
        // Known by the first q − 1 others of some order; liars among the rest say what they like.
        const knownBy = [...order].reverse().slice(0, quorum(size) - 1);
        const subject = recovery({ size, standing: 'new' });
        for (const from of order) {
          const lie = liars.includes(from) ? lies[from] : undefined;
          const one = answer(from, 0, {
            standing: 'whole',
            otherStore: lie?.otherStore ?? knownBy.includes(from),
          });
          subject.take(toMemberIndex(from), one, all);
          subject.settle(all);
        }
        return subject.standing === 'lost' || subject.resumeRound === undefined;
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not keep members with whole stores from going on together after a restart of all', () => {
    fc.assert(
      fc.property(history, ({ size, steps }) => {
        const newest = play(size, steps);
        const wiped = maxFaulty(size);
        return newest.every((own, self) => {
          const isWiped = self < wiped;
          const subject = recovery({
            size,
            self: toMemberIndex(self),
            standing: isWiped ? 'lost' : 'whole',
            ...(own > 0 && !isWiped ? { own } : {}),
          });
          newest.forEach((round, from) => {
            const yours = own > 0 ? vertex(self, own) : undefined;
            const standing = from < wiped ? 'lost' : 'whole';
            subject.take(toMemberIndex(from), answer(from, round, { yours, standing }), all);
          });
          subject.settle(all);
          const at = subject.resumeRound;
          return at !== undefined && (isWiped ? at > own : at === own + 1);
        });
      }),
      { numRuns: 500 },
    );
  });
});

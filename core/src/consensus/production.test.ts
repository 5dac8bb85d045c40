/**
 * When a member makes its next vertex, rule by rule (design/consensus.md, "Production"). The member is
 * A of four, the quorum is 3; anchors are A1, B2, C3, D4, A5 …
 */
import { describe, expect, it } from 'vitest';
import { toMemberIndex, type WaveCommitRecord } from '../types/index.ts';
import { BatchStore } from './batch-store.ts';
import { CommitLog, MAX_UNDECIDED_ROUNDS } from './commit-log.ts';
import { OwnAttestations } from './own-attestations.ts';
import { Producer } from './producer.ts';
import { leadersAreSettled, parentsFor } from './proposer.ts';
import { TextDag } from './testing/dag-text.ts';
import { CHAIN_ID, GENESIS_MS, GENESIS_RECORD, PARAMETERS } from './testing.ts';
import { WaveBuilder } from './wave-builder.ts';

const A = toMemberIndex(0);
const FULL = 'A B C D';
const NOW = 100_000;
const { minRoundDelayMs, idleRoundMs } = PARAMETERS;
const LEAST_TIMEOUT_MS = 250;

/** A member that made its last vertex at `NOW`, and work for the next. */
class Subject {
  readonly text: TextDag;
  readonly log: CommitLog;
  readonly producer: Producer;

  constructor(lines: readonly string[], { ownRound = lines.length, size = 4, gcRounds = 60 } = {}) {
    this.text = new TextDag(size, lines);
    const { dag, quorum } = this.text;
    const head: WaveCommitRecord = GENESIS_RECORD;
    const span = { startMs: GENESIS_MS, durationMs: PARAMETERS.epochDurationMs };
    const waves = new WaveBuilder({ chainId: CHAIN_ID, epoch: head.epoch, gcRounds, span }, head);
    this.log = new CommitLog(dag, new BatchStore(), waves, quorum, A);
    this.log.decide();
    const options = { size, quorum, parameters: PARAMETERS, ownRound, self: A };
    this.producer = new Producer(options, dag, this.log, new OwnAttestations(), NOW);
    this.producer.workPending = true;
  }

  add(...lines: readonly string[]): void {
    for (const line of lines) this.text.add(this.text.dag.highestRound + 1, line);
    this.log.grew();
    this.log.decide();
  }

  /** How long after its last vertex the next one is due. */
  get waitMs(): number | undefined {
    const atMs = this.producer.nextVertexMs(NOW);
    return atMs === undefined ? undefined : atMs - NOW;
  }

  parents(round: number): string[] {
    return this.producer.parents(round).map((vertex) => this.text.label(vertex));
  }
}

/** Rounds from `first` on in which two members vote for the anchor before and two do not. */
const undecided = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => {
    const round = first + i;
    const others = [...'ABCD'].filter((_, seat) => seat !== (round - 2) % 4).join('');
    return round === 1 ? FULL : `A B C(${others}) D(${others})`;
  });

describe('round r is made', () => {
  it('when vertices of q authors of r − 1 are held, and not before', () => {
    expect(new Subject(['A B']).waitMs).toBeUndefined();
    expect(new Subject(['A B C']).waitMs).toBe(minRoundDelayMs);
  });

  it('after the minimum round delay, which a committee of one does not have', () => {
    expect(new Subject([FULL]).waitMs).toBe(minRoundDelayMs);
    expect(new Subject(['A'], { size: 1 }).waitMs).toBe(0);
  });

  it('without more, once the anchor of r − 1 is held and the parents settle slot r − 2', () => {
    expect(new Subject([FULL, 'A B C D(BCD)']).waitMs).toBe(minRoundDelayMs);
    expect(new Subject([FULL, 'A(BCD) B(BCD) C(BCD) D']).waitMs).toBe(minRoundDelayMs);
  });

  it('else at the leader timeout, without the anchor or without the votes', () => {
    expect(new Subject([FULL, 'A C D']).waitMs).toBe(LEAST_TIMEOUT_MS);
    expect(new Subject([FULL, 'A B C(BCD) D(BCD)']).waitMs).toBe(LEAST_TIMEOUT_MS);
  });

  it('as soon as another parent settles what was not settled', () => {
    const subject = new Subject([FULL, 'A C D']);
    expect(subject.waitMs).toBe(LEAST_TIMEOUT_MS);
    subject.text.add(2, 'B');
    expect(subject.waitMs).toBe(minRoundDelayMs);
  });

  it('at once by a member that is behind, whatever the delay and the leaders', () => {
    // The others made round 2 without the anchor B.
    const subject = new Subject(['A B C D', 'A C D', 'C D', 'C(CD) D(CD)'], { ownRound: 1 });
    subject.text.add(2, 'B');
    expect(subject.producer.nextVertexMs(NOW)).toBe(NOW);
    const notBehind = new Subject(['A B C D', 'C D'], { ownRound: 1 });
    expect(notBehind.waitMs).toBe(minRoundDelayMs);
  });

  it('for every r: no round inside the GC window is jumped over', () => {
    const lines = [FULL, ...Array<string>(20).fill('B C D')];
    expect(new Subject(lines, { ownRound: 1 }).producer.nextRound).toBe(2);
  });

  it('at gcRound + 1 when the next would be at or below it, without own parent', () => {
    const lines = [FULL, ...Array<string>(30).fill('B C D')];
    const subject = new Subject(lines, { ownRound: 1, gcRounds: 10 });
    expect(subject.log.gcRound).toBeGreaterThan(10);
    const next = subject.log.gcRound + 1;
    expect(subject.producer.nextRound).toBe(next);
    expect(subject.parents(next)).toEqual(['B', 'C', 'D'].map((of) => `${of}${next - 1}`));
  });
});

describe('the anchor clause', () => {
  /** A, the anchor of round 13, is there up to round `last`; the vertex to be made is of round 14. */
  const without = (last: number): TextDag =>
    new TextDag(
      4,
      Array.from({ length: 13 }, (_, i) => (i + 1 <= last ? FULL : 'B C D')),
    );
  const isSettled = ({ dag, quorum }: TextDag): boolean =>
    leadersAreSettled(dag, quorum, 14, parentsFor(dag, 14));

  it('is waived for a member of which no vertex of rounds r − 11 … r − 1 was accepted', () => {
    expect(isSettled(without(14 - 12))).toBe(true);
    expect(isSettled(without(14 - 11))).toBe(false);
    expect(isSettled(without(14 - 2))).toBe(false);
    expect(isSettled(without(14 - 1))).toBe(true);
  });

  it('is waived also when that member came back above r − 1', () => {
    const text = without(2);
    text.add(14, 'B C D');
    text.add(15, 'A(BCD) B C D');
    expect(isSettled(text)).toBe(true);
  });

  it('is not waived any more once a vertex of those rounds is accepted', () => {
    const text = without(2);
    text.add(3, 'A');
    expect(isSettled(text)).toBe(false);
  });

  it('is the only one that is waived: the votes are still waited for', () => {
    // F, the anchor of round 13, is silent; four of the parents vote for E12 and two do not.
    const silent = Array<string>(12).fill('A B C D E G');
    const text = new TextDag(7, [...silent, 'A B C D(ABCDG) E G(ABCDG)']);
    expect([text.dag.anchorOf(12), text.dag.anchorOf(13)]).toEqual([4, 5]);
    expect(isSettled(text)).toBe(false);
    expect(isSettled(new TextDag(7, [...silent, 'A B C D E G(ABCDG)']))).toBe(true);
  });
});

describe('the leader timeout', () => {
  it('is four median rounds, at least 250 ms', () => {
    const subject = new Subject(Array<string>(6).fill(FULL), { ownRound: 3 });
    expect(subject.producer.leaderTimeoutMs).toBe(LEAST_TIMEOUT_MS);
    for (let i = 1; i <= 3; i++) subject.producer.produced(3 + i, true, NOW + 100 * i);
    expect(subject.producer.leaderTimeoutMs).toBe(400);
  });

  it('doubles for each consecutive slot ≤ r − 3 not decided directly, up to 4 s', () => {
    const timeouts = [1, 2, 3, 4, 5, 6, 7, 8, 20].map(
      (rounds) => new Subject(undecided(1, rounds)).producer.leaderTimeoutMs,
    );
    expect(timeouts).toEqual([250, 250, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000]);
  });

  it('is reset by a direct decision, whatever became of older slots', () => {
    const subject = new Subject([...undecided(1, 8), FULL]);
    expect(subject.producer.leaderTimeoutMs).toBe(4_000);
    subject.add(FULL);
    expect(subject.log.lastDirectSlot).toBe(8);
    subject.producer.produced(10, true, NOW);
    expect(subject.producer.leaderTimeoutMs).toBe(LEAST_TIMEOUT_MS);
  });
});

describe('rounds are paced', () => {
  it('by idle_round_ms while no work is pending, and new work wakes them at once', () => {
    const subject = new Subject([FULL]);
    subject.producer.workPending = false;
    expect(subject.waitMs).toBe(idleRoundMs);
    subject.producer.workPending = true;
    expect(subject.waitMs).toBe(minRoundDelayMs);
  });

  it('by the leader timeout, and carry no batches, with more than 30 undecided rounds', () => {
    // The newest round settles the wait for leaders.
    const upTo = (rounds: number): Subject => new Subject([...undecided(1, rounds - 1), FULL]);
    expect(upTo(MAX_UNDECIDED_ROUNDS).log.isCongested).toBe(false);
    expect(upTo(MAX_UNDECIDED_ROUNDS).waitMs).toBe(minRoundDelayMs);
    expect(upTo(MAX_UNDECIDED_ROUNDS + 1).log.isCongested).toBe(true);
    expect(upTo(MAX_UNDECIDED_ROUNDS + 1).waitMs).toBe(4_000);
  });
});

describe('a member whose vertices came into no wave', () => {
  const unheard = (count: number): string[] => [
    FULL,
    ...Array<string>(count).fill('A B(BCD) C(BCD) D(BCD)'),
  ];

  it('leaves its own parent out once they fell below the GC round, and then takes it again', () => {
    const subject = new Subject(unheard(8), { gcRounds: 10 });
    expect(subject.parents(10)).toEqual(['A9', 'B9', 'C9', 'D9']);
    subject.add(...Array<string>(11).fill('A B(BCD) C(BCD) D(BCD)'));
    const next = subject.text.dag.highestRound + 1;
    expect(subject.log.lostRound).toBeGreaterThan(0);
    expect(subject.parents(next)).toEqual(['B20', 'C20', 'D20']);
    subject.producer.produced(next, false, NOW);
    subject.add('A(BCD) B(BCD) C(BCD) D(BCD)');
    expect(subject.parents(next + 1)).toEqual(['A21', 'B21', 'C21', 'D21']);
    // Heard from now on: what is older still falls out, and changes nothing.
    subject.add(...Array<string>(12).fill(FULL));
    expect(subject.log.lostRound).toBeLessThan(next);
    expect(subject.parents(34)).toHaveLength(4);
    // Not heard again: once more.
    subject.add(...Array<string>(30).fill('A B(BCD) C(BCD) D(BCD)'));
    expect(subject.parents(64)).toEqual(['B63', 'C63', 'D63']);
  });

  it('keeps it when the others alone are no quorum', () => {
    const subject = new Subject(unheard(19), { gcRounds: 10 });
    subject.add('A B(BCD) C(BCD)');
    expect(subject.log.lostRound).toBeGreaterThan(0);
    expect(subject.parents(22)).toEqual(['A21', 'B21', 'C21']);
  });
});

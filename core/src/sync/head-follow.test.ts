/** From certificate to certificate, over answers that are true, short, late or false. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readHeadWave, readWaveRecord } from '../execution/index.ts';
import type { TestChain } from '../execution/testing.ts';
import { type WaveCommitRecord, waveDigest } from '../types/index.ts';
import { type CertifiedWave, FIRST_TIMEOUT_MS, HeadFollow } from './head-follow.ts';
import { PeerRanking } from './peer-ranking.ts';
import { QuestionPace } from './question-pace.ts';
import { answerWaves } from './serve-waves.ts';
import { certifiedChain, transfer } from './testing.ts';
import { decodeWantWaves, decodeWaves, encodeWaves, type Waves } from './wave-messages.ts';

const WAVES = 14n;
let chain: TestChain;
beforeAll(async () => {
  chain = await certifiedChain(Number(WAVES));
});

function recordOf(wave: bigint): WaveCommitRecord {
  const record = wave === 0n ? undefined : readWaveRecord(chain.store, wave);
  const found = record ?? (wave === 0n ? readWaveRecord(chain.store, 0n) : undefined);
  if (found === undefined) throw new Error(`the chain has no wave ${wave}`);
  return found;
}

const certified = (wave: bigint): CertifiedWave => ({
  waveId: wave,
  digest: waveDigest(recordOf(wave)),
});

/** A node at wave 0 with peers 1, 2, 3, and what it asks and hands out. */
class Subject {
  nowMs = 0;
  readonly ranking = new PeerRanking([1, 2, 3]);
  readonly follow = new HeadFollow({
    ranking: this.ranking,
    pace: new QuestionPace(),
    head: recordOf(0n),
  });
  readonly asked: { readonly peer: number; readonly wave: bigint }[] = [];
  readonly handedOut: bigint[] = [];
  isTooFar = false;

  take(effects: ReturnType<HeadFollow['advance']>): this {
    for (const effect of effects) {
      if (effect.kind === 'ask') {
        this.asked.push({ peer: effect.peer, wave: decodeWantWaves(effect.question).wave });
      } else if (effect.kind === 'execute') {
        this.handedOut.push(...effect.waves.map(({ record }) => record.waveId));
      } else this.isTooFar = true;
    }
    return this;
  }

  heard(wave: bigint): this {
    return this.take(this.follow.heard(certified(wave), this.nowMs));
  }

  /** The peer that was asked last answers; of waves up to `last`, and changed by `twist`. */
  answer(last: bigint, twist: (waves: Waves) => Waves = (waves) => waves): this {
    const asked = this.asked.at(-1);
    if (asked === undefined) throw new Error('somebody was asked');
    const { peer, wave } = asked;
    const bytes = answerWaves(chain.store, { mode: 'transactions', wave, index: 0 });
    const waves = decodeWaves(bytes);
    const parts = waves.parts.filter(({ record }) => record.waveId <= last);
    const said = encodeWaves(twist({ ...waves, parts }));
    return this.take(this.follow.answer(peer, said, this.nowMs));
  }

  executed(upTo: bigint): this {
    const first = this.handedOut.find((wave) => wave > this.#executed) ?? upTo + 1n;
    for (let wave = first; wave <= upTo; wave++) {
      this.take(this.follow.executed(recordOf(wave), this.nowMs));
      this.#executed = wave;
    }
    return this;
  }
  #executed = 0n;
}

const upTo = (wave: bigint): bigint[] =>
  Array.from({ length: Number(wave) }, (_, i) => BigInt(i + 1));

describe('a certificate that is heard', () => {
  it('is asked for at once, and its waves go out with the answer: one round trip', () => {
    const subject = new Subject().heard(1n);
    expect(subject.asked).toEqual([{ peer: 1, wave: 1n }]);
    subject.answer(1n);
    expect(subject.handedOut).toEqual([1n]);
    subject.heard(2n);
    expect(subject.asked.at(-1)).toEqual({ peer: 1, wave: 2n });
  });

  it('covers the waves before it that had none', () => {
    const subject = new Subject().heard(5n).answer(5n);
    expect(subject.handedOut).toEqual(upTo(5n));
    expect(subject.asked).toHaveLength(1);
  });

  it('is not waited with until those before are executed', () => {
    const subject = new Subject().heard(3n).answer(3n).heard(4n);
    expect(subject.asked.at(-1)).toEqual({ peer: 1, wave: 4n });
    subject.answer(4n);
    expect(subject.handedOut).toEqual(upTo(4n));
  });

  it('costs no question when its wave came with an answer before', () => {
    const subject = new Subject().heard(2n).answer(9n);
    expect(subject.handedOut).toEqual(upTo(2n));
    subject.heard(7n);
    expect(subject.handedOut).toEqual(upTo(7n));
    expect(subject.asked).toHaveLength(1);
  });

  it('of a wave that is known already is passed over', () => {
    const subject = new Subject().heard(3n).answer(3n).executed(3n).heard(2n).heard(3n);
    expect(subject.asked).toHaveLength(1);
  });
});

describe('nothing goes out', () => {
  const changed = (waves: Waves): Waves => ({
    ...waves,
    parts: waves.parts.map((part) => ({ ...part, record: { ...part.record, gasUsed: 7n } })),
  });

  it('that no certificate covers', () => {
    const subject = new Subject().heard(3n).answer(9n);
    expect(subject.handedOut).toEqual(upTo(3n));
    expect(subject.follow.heldBytes).toBeGreaterThan(0);
  });

  it('that comes with another record, and another peer is asked', () => {
    const subject = new Subject().heard(1n).answer(1n, changed);
    expect(subject.handedOut).toEqual([]);
    expect(subject.asked.map(({ peer }) => peer)).toEqual([1, 2]);
    expect(subject.ranking.takeOffences()).toEqual([{ peer: 1, offence: 'wrong-answer' }]);
    expect(subject.answer(1n).handedOut).toEqual([1n]);
  });

  it('of which a record in between does not name the one before', () => {
    const subject = new Subject().heard(6n).answer(6n, (waves) => ({
      ...waves,
      parts: waves.parts.map((part, i) =>
        i === 2 ? { ...part, record: { ...part.record, gasUsed: 7n } } : part,
      ),
    }));
    expect(subject.handedOut).toEqual([]);
    expect(subject.ranking.takeOffences()).toEqual([{ peer: 1, offence: 'wrong-answer' }]);
  });

  it('beyond a certificate that the record ahead turns out not to be', () => {
    const subject = new Subject().heard(2n).answer(9n, (waves) => {
      const parts = waves.parts.slice(0, 3);
      const [one, two, three] = parts;
      if (one === undefined || two === undefined || three === undefined) throw new Error('three');
      return {
        ...waves,
        parts: [one, two, { ...three, record: { ...three.record, gasUsed: 1n } }],
      };
    });
    expect(subject.handedOut).toEqual(upTo(2n));
    subject.heard(3n);
    expect(subject.handedOut).toEqual(upTo(2n));
    expect(subject.ranking.takeOffences()).toEqual([{ peer: 1, offence: 'wrong-answer' }]);
    expect(subject.answer(3n).handedOut).toEqual(upTo(3n));
  });

  it('with transactions left out, or added', () => {
    const leftOut = (waves: Waves): Waves => ({
      ...waves,
      parts: waves.parts.map((part) => ({ ...part, transactions: part.transactions.slice(1) })),
    });
    const added = (waves: Waves): Waves => ({
      ...waves,
      parts: waves.parts.map((part) => ({
        ...part,
        transactions: [...part.transactions, transfer(99)],
      })),
    });
    for (const twist of [leftOut, added]) {
      const subject = new Subject().heard(3n).answer(3n, twist);
      expect(subject.handedOut).toEqual([]);
      expect(subject.ranking.takeOffences()).toHaveLength(1);
    }
  });

  it('of an answer to another question, or that is none', () => {
    const twists: ((waves: Waves) => Waves)[] = [
      (waves) => ({ ...waves, wave: 2n }),
      (waves) => ({ ...waves, mode: 'records' }),
      (waves) => ({ ...waves, index: 1 }),
    ];
    for (const twist of twists) {
      const subject = new Subject().heard(3n).answer(3n, twist);
      expect(subject.handedOut).toEqual([]);
    }
    const subject = new Subject().heard(3n);
    subject.take(subject.follow.answer(1, new Uint8Array(9), 0));
    expect(subject.ranking.takeOffences()).toHaveLength(1);
    // Whoever was not asked may say what it likes.
    subject.take(subject.follow.answer(3, new Uint8Array(9), 0));
    expect(subject.ranking.takeOffences()).toHaveLength(0);
  });
});

describe('a peer', () => {
  it('that has not come to the wave is asked again soon, and is not blamed', () => {
    const subject = new Subject().heard(4n).answer(2n);
    expect(subject.asked.map(({ peer }) => peer)).toEqual([1, 2]);
    subject.answer(2n).answer(2n);
    expect(subject.asked.map(({ peer }) => peer)).toEqual([1, 2, 3]);
    const { timerMs } = subject.follow;
    if (timerMs === undefined) throw new Error('it asks again by itself');
    subject.nowMs = timerMs;
    subject.take(subject.follow.advance(timerMs)).answer(4n);
    expect(subject.handedOut).toEqual(upTo(4n));
    expect(subject.ranking.takeOffences()).toEqual([]);
  });

  it('that does not answer in time is passed over for the next', () => {
    const subject = new Subject().heard(1n);
    expect(subject.follow.timerMs).toBe(FIRST_TIMEOUT_MS);
    subject.nowMs = FIRST_TIMEOUT_MS;
    subject.take(subject.follow.advance(subject.nowMs));
    expect(subject.asked.map(({ peer }) => peer)).toEqual([1, 2]);
    expect(subject.ranking.takeOffences()).toEqual([{ peer: 1, offence: 'no-answer' }]);
    // The next has longer, for it may be the way that is slow.
    expect(subject.follow.timerMs).toBe(3 * FIRST_TIMEOUT_MS);
  });

  it('over a way that is slow is given the time that it needs', () => {
    const subject = new Subject().heard(1n);
    subject.nowMs = FIRST_TIMEOUT_MS;
    subject.take(subject.follow.advance(subject.nowMs));
    subject.nowMs += 1_500;
    subject.answer(1n).heard(2n);
    expect(subject.handedOut).toEqual([1n]);
    expect(subject.follow.timerMs).toBe(subject.nowMs + 6_000);
  });

  it('that is gone, or refuses, makes room for the next at once', () => {
    const subject = new Subject().heard(1n);
    subject.ranking.remove(1);
    subject.take(subject.follow.gone(1, 0));
    expect(subject.asked.map(({ peer }) => peer)).toEqual([1, 2]);
    subject.take(subject.follow.answer(2, undefined, 0));
    expect(subject.asked.map(({ peer }) => peer)).toEqual([1, 2, 3]);
    expect(subject.ranking.takeOffences()).toEqual([]);
  });

  it('whose transactions made another record is blamed, and the waves are asked for anew', () => {
    const subject = new Subject().heard(6n).answer(6n).executed(2n);
    subject.take(subject.follow.refused(0));
    expect(subject.ranking.takeOffences()).toEqual([{ peer: 1, offence: 'wrong-answer' }]);
    expect(subject.asked.at(-1)).toEqual({ peer: 2, wave: 3n });
    subject.handedOut.length = 0;
    subject.answer(3n);
    expect(subject.handedOut).toEqual([3n]);
  });

  it('is not asked more often than it allows, whatever is heard', () => {
    const subject = new Subject();
    subject.ranking.remove(2);
    subject.ranking.remove(3);
    for (let wave = 1n; wave <= WAVES; wave++) {
      subject.heard(wave);
      if (subject.asked.length < 6) subject.answer(wave);
    }
    expect(subject.asked.length).toBeLessThanOrEqual(6);
    const { timerMs } = subject.follow;
    expect(timerMs).toBeGreaterThan(0);
  });
});

describe('what one answer does not hold', () => {
  it('is left to the way by records', () => {
    // As large as answers get, and ending before the certificate's wave.
    const large = new Uint8Array(1_100_000);
    const subject = new Subject().heard(3n).answer(3n, (waves) => ({
      ...waves,
      parts: waves.parts.map((part) =>
        part.record.waveId === 3n
          ? { ...part, record: { ...part.record, txCount: 3 }, transactions: [large, large] }
          : part,
      ),
    }));
    expect(subject.handedOut).toEqual([]);
    expect(subject.isTooFar).toBe(true);
  });
});

it('stands on a chain whose head is its last wave', () => {
  expect(readHeadWave(chain.store)?.record.waveId).toBe(WAVES);
});

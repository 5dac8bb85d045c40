/** Certificates by gossip: judged once a wave, published by one member of the committee as a rule. */
import { describe, expect, it } from 'vitest';
import { encodeCert } from '../finality/index.ts';
import { certifiedChain, certOf, committee, fourMembers } from '../sync/testing.ts';
import {
  type HardFinalityCert,
  toEpoch,
  toFalconSignature,
  toHash,
  toWaveId,
  type WaveCommitRecord,
} from '../types/index.ts';
import { FinalityRelay, MAX_CERT_BYTES } from './finality-relay.ts';
import type { NodeEffect } from './node-events.ts';

const { head: base } = await certifiedChain(1);
const recordOf = (wave: bigint): WaveCommitRecord => ({ ...base.record, waveId: toWaveId(wave) });
const cert = (wave: bigint, signers?: number[]): HardFinalityCert =>
  certOf(recordOf(wave), signers);

const committeeOf = (epoch: number) => (epoch === 0 ? committee : undefined);
const kinds = (effects: readonly NodeEffect[]): string[] => effects.map(({ kind }) => kind);

class Subject {
  readonly relay = new FinalityRelay(fourMembers.chainId);
  #ticket = 0;

  /** The verdict at once, or the request of the check. */
  judge(bytes: Uint8Array): string | number {
    const { effects } = this.relay.judge(this.#ticket++, bytes, committeeOf, 0);
    const [effect] = effects;
    if (effect?.kind === 'gossip-verdict') return effect.verdict;
    if (effect?.kind === 'verify') return effect.request;
    throw new Error(`an answer of one effect, not ${kinds(effects)}`);
  }

  verified(request: string | number, valid: boolean | undefined): string {
    const { effects, heard } = this.relay.verified(Number(request), valid);
    const [effect] = effects;
    if (effect?.kind !== 'gossip-verdict') throw new Error('a verdict');
    expect(heard !== undefined).toBe(effect.verdict === 'accept');
    return effect.verdict;
  }
}

describe('a certificate that is heard', () => {
  it('is accepted when a quorum signed it, and only the first of its wave is', () => {
    const subject = new Subject();
    const request = subject.judge(encodeCert(cert(7n)));
    expect(typeof request).toBe('number');
    expect(subject.verified(request, true)).toBe('accept');
    // By other signers: no news.
    expect(subject.judge(encodeCert(cert(7n, [0, 1, 2])))).toBe('ignore');
  });

  it('is checked beside a false one that came first', () => {
    const subject = new Subject();
    const bad = subject.judge(encodeCert(cert(7n)));
    const good = subject.judge(encodeCert(cert(7n, [0, 1, 2])));
    expect(subject.verified(bad, false)).toBe('reject');
    expect(subject.verified(good, true)).toBe('accept');
  });

  it('is rejected for what no committee makes right', () => {
    const subject = new Subject();
    const bytes = encodeCert(cert(7n));
    expect(subject.judge(new Uint8Array(MAX_CERT_BYTES + 1))).toBe('reject');
    expect(subject.judge(bytes.subarray(1))).toBe('reject');
    const { record, signers, signatures } = cert(7n);
    const short = { record, signers: Uint8Array.of(0b11), signatures: signatures.slice(0, 2) };
    expect(subject.judge(encodeCert(short))).toBe('reject');
    const strange = { ...record, chainId: 1n };
    expect(subject.judge(encodeCert({ record: strange, signers, signatures }))).toBe('reject');
    expect(subject.relay.inCheck).toBe(0);
  });

  it('of an epoch that nobody here knows is passed over, and told', () => {
    const { relay } = new Subject();
    const later = { ...cert(7n), record: { ...recordOf(7n), epoch: toEpoch(3) } };
    const judged = relay.judge(1, encodeCert(later), committeeOf, 0);
    expect(judged).toMatchObject({ isLater: true, effects: [{ verdict: 'ignore' }] });
    expect(relay.judge(2, encodeCert(later), committeeOf, 4).isLater).toBe(false);
  });

  it('is passed over when it cannot be checked, and looked at when it comes again', () => {
    const subject = new Subject();
    const request = subject.judge(encodeCert(cert(7n)));
    expect(subject.verified(request, undefined)).toBe('ignore');
    expect(typeof subject.judge(encodeCert(cert(7n)))).toBe('number');
  });

  it('is one of so many in check, of one wave and of all', () => {
    const subject = new Subject();
    const other = (i: number): Uint8Array => {
      const { record, signers, signatures } = cert(7n);
      const [first, ...rest] = signatures;
      if (first === undefined) throw new Error('signed');
      const changed = toFalconSignature(first.map((b, at) => (at === 50 ? b ^ (i + 1) : b)));
      return encodeCert({ record, signers, signatures: [changed, ...rest] });
    };
    const verdicts = Array.from({ length: 8 }, (_, i) => subject.judge(other(i)));
    expect(verdicts.filter((verdict) => verdict === 'ignore')).toHaveLength(4);
    for (let wave = 8n; wave < 200n; wave++) subject.judge(encodeCert(cert(wave)));
    expect(subject.relay.inCheck).toBe(64);
  });

  it('of a wave long past is passed over', () => {
    const subject = new Subject();
    expect(subject.verified(subject.judge(encodeCert(cert(5_000n))), true)).toBe('accept');
    expect(subject.judge(encodeCert(cert(3_000n)))).toBe('ignore');
    expect(typeof subject.judge(encodeCert(cert(4_500n)))).toBe('number');
  });
});

describe('a certificate that a member made', () => {
  it('is published at once by the first two ranks, which go round with the waves', () => {
    for (const wave of [4n, 5n, 6n, 7n]) {
      const atOnce = [0, 1, 2, 3].filter((seat) => {
        const relay = new FinalityRelay(fourMembers.chainId);
        return relay.certified(cert(wave), seat, 4, 0).length > 0;
      });
      const ranks = atOnce.map((seat) => (Number(wave) + seat) % 4).sort();
      expect(ranks).toEqual([0, 1]);
    }
  });

  it('is published by rank k after k × 100 ms, if nobody else did', () => {
    const { relay } = new Subject();
    expect(relay.certified(cert(4n), 3, 4, 1_000)).toEqual([]);
    expect(relay.dueMs).toBe(1_300);
    expect(relay.due(1_299)).toEqual([]);
    expect(kinds(relay.due(1_300))).toEqual(['publish']);
    expect(relay.dueMs).toBeUndefined();
  });

  it('is kept back when a valid one of the wave, or of a later one, was heard', () => {
    for (const heard of [4n, 6n]) {
      const subject = new Subject();
      subject.relay.certified(cert(4n), 3, 4, 0);
      subject.verified(subject.judge(encodeCert(cert(heard))), true);
      expect(subject.relay.due(10_000)).toEqual([]);
    }
  });

  it('is not kept back by one that does not hold', () => {
    const subject = new Subject();
    subject.relay.certified(cert(4n), 3, 4, 0);
    subject.verified(subject.judge(encodeCert(cert(4n, [0, 1, 2]))), false);
    expect(subject.relay.due(10_000)).toHaveLength(1);
  });

  it('that ends an epoch is published whatever came later', () => {
    const subject = new Subject();
    const hash = toHash(new Uint8Array(32).fill(1));
    const closing = certOf({ ...recordOf(4n), nextBeacon: hash, nextCommitteeHash: hash });
    subject.relay.certified(closing, 3, 4, 0);
    subject.verified(subject.judge(encodeCert(cert(6n))), true);
    expect(subject.relay.due(10_000)).toHaveLength(1);
  });

  it('waits among so many, of which the oldest go', () => {
    const { relay } = new Subject();
    const ranksThatWait = (wave: bigint): boolean => (wave + 3n) % 128n >= 2n;
    for (let wave = 1n; wave < 600n; wave++) {
      if (ranksThatWait(wave)) relay.certified(cert(wave), 3, 128, 0);
    }
    expect(relay.waiting).toBe(256);
  });
});

import { describe, expect, it } from 'vitest';
import { batchHash, encodeBatch, toEpoch, toRound, toWaveId } from '../types/index.ts';
import { BatchStore } from './batch-store.ts';
import type { DagVertex } from './dag.ts';
import { TextDag } from './testing/dag-text.ts';
import { CHAIN_ID, GENESIS_MS, GENESIS_RECORD, nameOf, testTransaction } from './testing.ts';
import { WaveBuilder } from './wave-builder.ts';

const options = {
  chainId: CHAIN_ID,
  epoch: toEpoch(0),
  gcRounds: 10,
  span: { startMs: GENESIS_MS, durationMs: 1_000 },
};

const rounds = ({ dag }: TextDag): number[] =>
  Array.from({ length: dag.highestRound }, (_, i) => i + 1);

describe('waves', () => {
  it('are numbered without gaps and remember the anchor before, skipped slots or not', () => {
    const text = new TextDag(
      4,
      Array.from({ length: 9 }, () => 'A B C D'),
    );
    const builder = new WaveBuilder(options, GENESIS_RECORD);
    const waves = ['A1', 'B2', 'A5', 'A9'].map((anchor) =>
      builder.build(text.dag, new BatchStore(), text.at(anchor)),
    );
    expect(waves.map((w) => [w.waveId, w.priorAnchorRound, w.anchorRound])).toEqual([
      [1n, 0, 1],
      [2n, 1, 2],
      [3n, 2, 5],
      [4n, 5, 9],
    ]);
    expect(waves[2]?.anchorHash).toEqual(nameOf('A5'));
  });

  it("are stamped with the lower median of the anchor's parents, at least 1 ms after the last", () => {
    const stamps: Record<string, bigint> = {
      A1: 40n,
      B1: 10n,
      C1: 30n,
      D1: 20n,
      A4: 1n,
      B4: 1n,
      C4: 1n,
      D4: 1n,
    };
    const text = new TextDag(
      4,
      Array.from({ length: 5 }, () => 'A B C D'),
      (label) => {
        return GENESIS_MS + (stamps[label] ?? 0n);
      },
    );
    const builder = new WaveBuilder(options, GENESIS_RECORD);
    const stamp = (anchor: string): [bigint, bigint] => {
      const wave = builder.build(text.dag, new BatchStore(), text.at(anchor));
      return [wave.timestampMs - GENESIS_MS, wave.priorTimestampMs - GENESIS_MS];
    };
    expect(stamp('A1')).toEqual([1n, 0n]);
    expect(stamp('B2')).toEqual([20n, 1n]);
    expect(stamp('A5')).toEqual([21n, 20n]);
  });

  it('move the GC round with committed anchors alone', () => {
    const text = new TextDag(
      1,
      Array.from({ length: 30 }, () => 'A'),
    );
    const builder = new WaveBuilder(options, GENESIS_RECORD);
    expect(builder.gcRound).toBe(0);
    builder.build(text.dag, new BatchStore(), text.at('A25'));
    expect(builder.gcRound).toBe(15);
  });

  it('reach down to gc_rounds below the anchor before, however high this one or the DAG is', () => {
    const text = new TextDag(
      1,
      Array.from({ length: 60 }, () => 'A'),
    );
    const builder = new WaveBuilder(options, GENESIS_RECORD);
    const take = (anchor: string): number[] => {
      const before = rounds(text).filter((round) => text.at(`A${round}`).emitted);
      builder.build(text.dag, new BatchStore(), text.at(anchor));
      const after = rounds(text).filter((round) => text.at(`A${round}`).emitted);
      return after.filter((round) => !before.includes(round));
    };
    expect(take('A20')).toEqual(Array.from({ length: 20 }, (_, i) => 1 + i));
    expect(take('A50')).toEqual(Array.from({ length: 30 }, (_, i) => 21 + i));
    // The GC round is 40 by now, and nothing at or below it is taken.
    for (const round of [38, 39, 40, 41, 42]) text.at(`A${round}`).emitted = false;
    text.at('A51').weakParents = [text.at('A41'), text.at('A42')];
    text.at('A41').cut();
    text.at('A41').otherParents = [text.at('A40')];
    expect(take('A51')).toEqual([41, 42, 51]);
  });

  it('of the tail of an epoch carry no transactions, the last one before it does', () => {
    const text = new TextDag(
      1,
      Array.from({ length: 4 }, () => 'A'),
    );
    const batches = new BatchStore();
    /** The next vertex of the chain, with a batch. */
    const insert = (round: number, parent: string | DagVertex): DagVertex => {
      const bytes = encodeBatch({ transactions: [testTransaction(round)] });
      const hash = batchHash(bytes);
      const { author, name } = typeof parent === 'string' ? text.at(parent) : parent;
      const vertex = text.dag.insert(
        {
          chainId: CHAIN_ID,
          epoch: toEpoch(0),
          round: toRound(round),
          author,
          timestampMs: GENESIS_MS + 1_000n,
          parents: [{ author, name }],
          weakParents: [],
          batches: [{ hash, bytes: bytes.length, count: 1 }],
          attestations: [],
        },
        nameOf(`with a batch ${round}`),
      );
      batches.put(hash, bytes);
      batches.refer(hash, true);
      return vertex;
    };
    const builder = new WaveBuilder(options, { ...GENESIS_RECORD, timestampMs: GENESIS_MS });
    const fifth = insert(5, 'A4');
    const sixth = insert(6, fifth);
    const seventh = insert(7, sixth);
    const last = builder.build(text.dag, batches, sixth);
    expect([last.phase, last.transactions]).toEqual([
      'last',
      [testTransaction(5), testTransaction(6)],
    ]);
    const tail = builder.build(text.dag, batches, seventh);
    expect([tail.phase, tail.transactions]).toEqual(['closing', []]);
    expect(batches.inMemory).toBe(0);
  });

  it('end the epoch: the last one orders transactions, later ones none, the closing one is it', () => {
    const text = new TextDag(
      1,
      Array.from({ length: 12 }, () => 'A'),
      (label) => GENESIS_MS + 250n * BigInt(label.slice(1)),
    );
    const builder = new WaveBuilder(options, GENESIS_RECORD);
    const standing = () => [builder.isEnding, builder.isClosed];
    const build = (anchor: string) =>
      builder.build(text.dag, new BatchStore(), text.at(anchor)).phase;
    expect([build('A2'), ...standing()]).toEqual(['open', false, false]);
    expect([build('A5'), ...standing()]).toEqual(['last', true, false]);
    expect([build('A6'), ...standing()]).toEqual(['closing', true, true]);
    expect(() => build('A7')).toThrow('closes it');
  });

  it('go on after a restart as they would have without it', () => {
    const at = (afterMs: bigint) => ({ ...GENESIS_RECORD, timestampMs: GENESIS_MS + afterMs });
    expect(new WaveBuilder(options, at(999n)).isEnding).toBe(false);
    expect(new WaveBuilder(options, at(1_000n)).isEnding).toBe(true);
    const closing = { ...at(1_001n), nextBeacon: GENESIS_RECORD.prevDigest };
    expect(new WaveBuilder(options, closing).isClosed).toBe(true);
  });

  it('of a new epoch start from round 0 and its wave, one after the closing one', () => {
    const closing = {
      ...GENESIS_RECORD,
      waveId: toWaveId(41n),
      anchorRound: toRound(77),
      timestampMs: GENESIS_MS + 1_001n,
      nextBeacon: GENESIS_RECORD.prevDigest,
    };
    const span = { startMs: closing.timestampMs, durationMs: 1_000 };
    const builder = new WaveBuilder({ ...options, epoch: toEpoch(1), span }, closing);
    expect([builder.isEnding, builder.isClosed, builder.gcRound]).toEqual([false, false, 0]);
    const text = new TextDag(1, ['A', 'A', 'A']);
    expect(builder.build(text.dag, new BatchStore(), text.at('A1'))).toMatchObject({
      epoch: 1,
      waveId: 42n,
      anchorRound: 1,
      priorAnchorRound: 0,
      priorTimestampMs: closing.timestampMs,
      timestampMs: closing.timestampMs + 1n,
      phase: 'open',
    });
  });
});

/** Anchors: A1, B2, C3, D4, A5 …; the quorum is 3. */
import { describe, expect, it } from 'vitest';
import { batchHash, encodeBatch, toEpoch, toMemberIndex, toRound } from '../types/index.ts';
import { BatchStore } from './batch-store.ts';
import { CommitLog } from './commit-log.ts';
import { TextDag } from './testing/dag-text.ts';
import { CHAIN_ID, GENESIS_MS, GENESIS_RECORD, nameOf, testTransaction } from './testing.ts';
import { WaveBuilder } from './wave-builder.ts';

const FULL = 'A B C D';

interface Over {
  readonly batches?: BatchStore;
  readonly gcRounds?: number;
  readonly self?: number;
}

function logOf(text: TextDag, { batches, gcRounds = 60, self }: Over = {}): CommitLog {
  const span = { startMs: GENESIS_MS, durationMs: 1_000_000 };
  const options = { chainId: CHAIN_ID, epoch: toEpoch(0), gcRounds, span };
  const waves = new WaveBuilder(options, GENESIS_RECORD);
  const seat = self === undefined ? undefined : toMemberIndex(self);
  return new CommitLog(text.dag, batches ?? new BatchStore(), waves, text.quorum, seat);
}

const anchorRounds = (log: CommitLog): number[] =>
  log.decide().map(({ anchorRound }) => anchorRound);

describe('the walk up', () => {
  it('stops at the first undecided slot, and hands out the rest in order once it is decided', () => {
    // Slot 1 has one certificate; slots 2 and 3 are committed before it is decided.
    const text = new TextDag(4, [FULL, 'A B C D(BCD)', 'A(ABC) B(BCD) C(BCD) D(BCD)', FULL, FULL]);
    const log = logOf(text);
    expect(text.verdicts().slice(0, 3)).toEqual([
      'undecided',
      'commit B2 direct',
      'commit C3 direct',
    ]);
    expect(anchorRounds(log)).toEqual([]);
    text.add(6, FULL);
    log.grew();
    expect(anchorRounds(log)).toEqual([1, 2, 3, 4]);
  });

  it('passes over skipped slots', () => {
    const without = 'B C D';
    const text = new TextDag(4, [without, without, without, without, without, FULL, FULL]);
    expect(anchorRounds(logOf(text))).toEqual([2, 3, 4]);
  });

  it('judges again only when a vertex came in', () => {
    const text = new TextDag(4, [FULL, FULL]);
    const log = logOf(text);
    expect(anchorRounds(log)).toEqual([]);
    text.add(3, FULL);
    expect(anchorRounds(log)).toEqual([]);
    log.grew();
    expect(anchorRounds(log)).toEqual([1]);
  });
});

describe('a batch that no wave takes', () => {
  const bytes = encodeBatch({ transactions: [testTransaction(1), testTransaction(2)] });
  const batches = [{ hash: batchHash(bytes), bytes: bytes.length, count: 2 }];

  /** D makes one vertex, of round 1 and with a batch, that nobody refers to. */
  function abandoned(self: number): { readonly log: CommitLog; readonly store: BatchStore } {
    const text = new TextDag(4, ['A B C']);
    const author = toMemberIndex(3);
    text.dag.insert(
      {
        ...{ chainId: CHAIN_ID, epoch: toEpoch(0), round: toRound(1), author },
        ...{ timestampMs: GENESIS_MS, parents: [], weakParents: [], batches, attestations: [] },
      },
      nameOf('abandoned'),
    );
    for (let round = 2; round <= 12; round++) text.add(round, 'A(ABC) B(ABC) C(ABC)');
    const store = new BatchStore();
    store.put(batchHash(bytes), bytes);
    store.refer(batchHash(bytes), true);
    const log = logOf(text, { batches: store, gcRounds: 5, self });
    expect(log.decide().flatMap(({ transactions }) => transactions)).toEqual([]);
    expect(log.gcRound).toBeGreaterThan(1);
    return { log, store };
  }

  it('comes back to the member that made it when the GC round passes its vertex, once', () => {
    const { log, store } = abandoned(3);
    expect(log.takeReturned()).toEqual([testTransaction(1), testTransaction(2)]);
    expect(log.takeReturned()).toEqual([]);
    expect(store.inMemory).toBe(0);
  });

  it('comes back to nobody else', () => {
    const { log, store } = abandoned(0);
    expect(log.takeReturned()).toEqual([]);
    expect(store.inMemory).toBe(0);
  });
});

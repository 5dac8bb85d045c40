/** Anchors: A1, B2, C3, D4, A5 …; the quorum is 3. */
import { describe, expect, it } from 'vitest';
import { toEpoch } from '../types/index.ts';
import { BatchStore } from './batch-store.ts';
import { CommitLog } from './commit-log.ts';
import { TextDag } from './testing/dag-text.ts';
import { CHAIN_ID, GENESIS_MS, GENESIS_RECORD } from './testing.ts';
import { WaveBuilder } from './wave-builder.ts';

const FULL = 'A B C D';

function logOf(text: TextDag): CommitLog {
  const span = { startMs: GENESIS_MS, durationMs: 1_000_000 };
  const options = { chainId: CHAIN_ID, epoch: toEpoch(0), gcRounds: 60, span };
  const waves = new WaveBuilder(options, GENESIS_RECORD);
  return new CommitLog(text.dag, new BatchStore(), waves, text.quorum);
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

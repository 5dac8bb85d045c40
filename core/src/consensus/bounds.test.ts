import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ATTESTED_WAVES } from './attestation-pool.ts';
import { MAX_LOOSE_BATCHES, MAX_LOOSE_BYTES } from './batch-store.ts';
import { MAX_STALLED_WAVES, MAX_UNDECIDED_ROUNDS, MAX_WAITING_WAVES } from './commit-log.ts';
import { MAX_CLOCK_LEAD_MS } from './intake.ts';
import { MAX_WAITING_ATTESTATIONS } from './own-attestations.ts';
import { ATTESTING_ROUND_MS } from './producer.ts';
import { MAX_BUFFERED_PER_AUTHOR } from './vertex-buffer.ts';
import { MAX_WEAK_PARENT_DEPTH } from './vertex-verification.ts';

const PAGE = new URL('../../../docs/protocol/consensus.md', import.meta.url);

describe('docs/protocol/consensus.md', () => {
  it('names every bound with the value that the code has', () => {
    const rows = [...readFileSync(PAGE, 'utf8').matchAll(/^\| ([A-Z_]+) \| (\d+) \|$/gm)];
    expect(Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]))).toEqual({
      ATTESTED_WAVES,
      ATTESTING_ROUND_MS,
      MAX_BUFFERED_PER_AUTHOR,
      MAX_CLOCK_LEAD_MS,
      MAX_LOOSE_BATCHES,
      MAX_LOOSE_BYTES,
      MAX_STALLED_WAVES,
      MAX_UNDECIDED_ROUNDS,
      MAX_WAITING_ATTESTATIONS,
      MAX_WAITING_WAVES,
      MAX_WEAK_PARENT_DEPTH,
    });
  });

  it('names every file of the folder that holds a rule', () => {
    const page = readFileSync(PAGE, 'utf8');
    const named = [...page.matchAll(/`([a-z-]+\.ts)`/g)].map(([, file]) => file);
    expect(named.length).toBeGreaterThan(10);
    for (const file of named) {
      expect(() => readFileSync(new URL(file ?? '', import.meta.url)), file).not.toThrow();
    }
  });
});

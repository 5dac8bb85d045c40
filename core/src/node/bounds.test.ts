/** What docs/protocol/consensus.md says of the bounds of nodes. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SILENT_HOME_ROUNDS, TAKE_OVER_MS } from '../mempool/index.ts';
import { JOIN_ANSWER_MS } from '../sync/dag-join.ts';
import { ANSWERS_TIME_MS, MAX_ANSWERS_PER_TIME } from '../sync/serve-waves.ts';
import { FULL_ANSWER_BYTES, MAX_PARTS } from '../sync/wave-messages.ts';
import {
  MAX_CHAIN,
  MAX_HELD_BYTES,
  MAX_WAVE_BYTES,
  REQUEST_TIMEOUT_MS,
} from '../sync/wave-sync.ts';
import { STALLED_MS } from './catch-up.ts';

it('docs/protocol/consensus.md names the bounds of nodes with the values that the code has', () => {
  const page = new URL('../../../docs/protocol/consensus.md', import.meta.url);
  const [, after = ''] = readFileSync(page, 'utf8').split('\n### Of nodes\n');
  const [section = ''] = after.split(/^#/m);
  const rows = [...section.matchAll(/^\| ([A-Z_]+) \| (\d+) \|/gm)];
  expect(Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]))).toEqual({
    ANSWERS_TIME_MS,
    FULL_ANSWER_BYTES,
    JOIN_ANSWER_MS,
    MAX_ANSWERS_PER_TIME,
    MAX_CHAIN,
    MAX_HELD_BYTES,
    MAX_PARTS,
    MAX_WAVE_BYTES,
    REQUEST_TIMEOUT_MS,
    SILENT_HOME_ROUNDS,
    STALLED_MS,
    TAKE_OVER_MS,
  });
});

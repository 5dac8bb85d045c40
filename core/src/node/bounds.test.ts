/** What docs/protocol/consensus.md says of the bounds of nodes. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SILENT_HOME_ROUNDS, TAKE_OVER_MS } from '../mempool/index.ts';
import { JOIN_ANSWER_MS } from '../sync/dag-join.ts';
import {
  FIRST_TIMEOUT_MS,
  LAST_TIMEOUT_MS,
  MAX_OUTSTANDING_BYTES,
  MAX_OUTSTANDING_WAVES,
} from '../sync/head-follow.ts';
import { ANSWERS_TIME_MS, MAX_ANSWERS_PER_TIME } from '../sync/serve-waves.ts';
import { FULL_ANSWER_BYTES, MAX_PARTS } from '../sync/wave-messages.ts';
import {
  MAX_CHAIN,
  MAX_HELD_BYTES,
  MAX_WAVE_BYTES,
  REQUEST_TIMEOUT_MS,
} from '../sync/wave-sync.ts';
import { STALLED_MS } from './catch-up.ts';
import { MAX_CERT_BYTES } from './finality-relay.ts';
import { FIRST_POLL_MS, LAST_POLL_MS, MAX_PEERS } from './followed-chain.ts';
import {
  MAX_HEARD_BYTES_IN_CHECK,
  MAX_HEARD_IN_CHECK,
  MAX_HEARD_PER_MESSAGE,
  PUBLISH_GAP_MS,
} from './tx-gossip.ts';

it('docs/protocol/consensus.md names the bounds of nodes with the values that the code has', () => {
  const page = new URL('../../../docs/protocol/consensus.md', import.meta.url);
  const [, after = ''] = readFileSync(page, 'utf8').split('\n### Of nodes\n');
  const [section = ''] = after.split(/^#/m);
  const rows = [...section.matchAll(/^\| ([A-Z_]+) \| (\d+) \|/gm)];
  expect(Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]))).toEqual({
    ANSWERS_TIME_MS,
    FIRST_POLL_MS,
    FIRST_TIMEOUT_MS,
    LAST_POLL_MS,
    LAST_TIMEOUT_MS,
    MAX_CERT_BYTES,
    MAX_HEARD_BYTES_IN_CHECK,
    MAX_HEARD_IN_CHECK,
    MAX_HEARD_PER_MESSAGE,
    MAX_OUTSTANDING_BYTES,
    MAX_OUTSTANDING_WAVES,
    MAX_PEERS,
    PUBLISH_GAP_MS,
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

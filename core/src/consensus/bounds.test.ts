/** What docs/protocol/consensus.md says of this folder: bounds, messages, files and DAGs. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import {
  MAX_BATCH_BYTES,
  MAX_VERTEX_ATTESTATIONS,
  MAX_VERTEX_BYTES,
  MAX_WEAK_PARENTS,
} from '../types/index.ts';
import { DRAWN_BYTES_PER_MS, MAX_BATCH_ANSWER_BYTES, MAX_DRAWN_BYTES } from './answers.ts';
import { ATTESTED_WAVES } from './attestation-pool.ts';
import { MAX_LOOSE_BATCHES, MAX_LOOSE_BYTES, MAX_WANTED_BYTES } from './batch-store.ts';
import { MAX_STALLED_WAVES, MAX_UNDECIDED_ROUNDS, MAX_WAITING_WAVES } from './commit-log.ts';
import { MAX_EVIDENCE_PER_AUTHOR } from './equivocation.ts';
import {
  MAX_ANSWER_BYTES,
  MAX_NAMES_PER_MESSAGE,
  MAX_ROUNDS_PER_REQUEST,
  MAX_VERTICES_PER_ANSWER,
} from './fetch-message.ts';
import { MAX_CLOCK_LEAD_MS } from './intake.ts';
import { MAX_MESSAGE_BYTES, openMessage } from './message.ts';
import { LEAST_ANSWER_GAP_MS } from './newest-answers.ts';
import { MAX_NEWEST_BYTES } from './newest-message.ts';
import { MAX_WAITING_ATTESTATIONS } from './own-attestations.ts';
import { ATTESTING_ROUND_MS } from './producer.ts';
import { FIRST_ASK_AGAIN_MS, LAST_ASK_AGAIN_MS } from './recovery.ts';
import { CATCH_UP_ANSWER_MS, LAST_CATCH_UP_PAUSE_MS } from './round-catch-up.ts';
import {
  ANCESTOR_LEAD_ROUNDS,
  ASK_AGAIN_MS,
  ASK_NEXT_MS,
  MAX_REQUESTS_IN_FLIGHT,
  UNSERVED_ATTEMPTS,
} from './synchroniser.ts';
import { requireVerdicts } from './testing/dag-text.ts';
import { MAX_BUFFERED_PER_AUTHOR } from './vertex-buffer.ts';
import { MAX_WEAK_PARENT_DEPTH } from './vertex-verification.ts';
import { ASK_ACCEPTED_MS } from './vouching.ts';

const PAGE = readFileSync(new URL('../../../docs/protocol/consensus.md', import.meta.url), 'utf8');

/** What stands below a heading, up to the next one of whatever level. */
function section(heading: string): string {
  const [, text] = PAGE.split(`\n${heading}\n`);
  if (text === undefined) throw new Error(`the page has ${heading}`);
  return text.split(/^#/m)[0] ?? '';
}

const dags = [...PAGE.matchAll(/```dag\n([^`]*)```/g)].map(([, dag = '']) => dag);

describe('docs/protocol/consensus.md', () => {
  it('names every bound with the value that the code has', () => {
    const rows = section('### In consensus').matchAll(/^\| ([A-Z_]+) \| (\d+) \|/gm);
    const named = Object.fromEntries([...rows].map(([, name, value]) => [name, Number(value)]));
    expect(named).toEqual({
      ANCESTOR_LEAD_ROUNDS,
      ASK_ACCEPTED_MS,
      ASK_AGAIN_MS,
      ASK_NEXT_MS,
      ATTESTED_WAVES,
      ATTESTING_ROUND_MS,
      CATCH_UP_ANSWER_MS,
      DRAWN_BYTES_PER_MS,
      FIRST_ASK_AGAIN_MS,
      LAST_ASK_AGAIN_MS,
      LAST_CATCH_UP_PAUSE_MS,
      LEAST_ANSWER_GAP_MS,
      MAX_ANSWER_BYTES,
      MAX_BATCH_ANSWER_BYTES,
      MAX_BATCH_BYTES,
      MAX_BUFFERED_PER_AUTHOR,
      MAX_CLOCK_LEAD_MS,
      MAX_DRAWN_BYTES,
      MAX_EVIDENCE_PER_AUTHOR,
      MAX_LOOSE_BATCHES,
      MAX_LOOSE_BYTES,
      MAX_MESSAGE_BYTES,
      MAX_NAMES_PER_MESSAGE,
      MAX_REQUESTS_IN_FLIGHT,
      MAX_ROUNDS_PER_REQUEST,
      MAX_STALLED_WAVES,
      MAX_UNDECIDED_ROUNDS,
      MAX_VERTEX_ATTESTATIONS,
      MAX_VERTEX_BYTES,
      MAX_VERTICES_PER_ANSWER,
      MAX_WAITING_ATTESTATIONS,
      MAX_WAITING_WAVES,
      MAX_WANTED_BYTES,
      MAX_WEAK_PARENTS,
      MAX_WEAK_PARENT_DEPTH,
      UNSERVED_ATTEMPTS,
    });
  });

  it('names every message with its tag and the bytes that it may have', () => {
    const rows = [...section('## Messages').matchAll(/^\| (\d+) \| `([\w-]+)` \| (\d+) \|/gm)];
    const opens = (tag: number, bytes: number): string => {
      const message = new Uint8Array(1 + bytes);
      message[0] = tag;
      try {
        return openMessage(message).kind;
      } catch (error) {
        return isPydeError(error) ? 'refused' : String(error);
      }
    };
    expect(rows.map(([, tag]) => Number(tag))).toEqual(rows.map((_, i) => i));
    expect(opens(rows.length, 0)).toBe('refused');
    for (const [, tag, kind, bytes] of rows) {
      expect(opens(Number(tag), Number(bytes)), kind).toBe(kind);
      expect(opens(Number(tag), Number(bytes) + 1), kind).toBe('refused');
    }
    expect(section('## Messages')).toContain(MAX_NEWEST_BYTES.toLocaleString('en'));
  });

  it.each(dags)('tells the truth about the DAG\n%s', (dag) => {
    requireVerdicts(4, dag);
    expect(dag).toContain('|');
  });

  it('names every file of the folder that holds a rule', () => {
    expect(dags.length).toBeGreaterThan(5);
    const named = [...PAGE.matchAll(/`((?:testing\/)?[a-z-]+\.ts)`/g)].map(([, file]) => file);
    expect(named.length).toBeGreaterThan(10);
    for (const file of named) {
      expect(() => readFileSync(new URL(file ?? '', import.meta.url)), file).not.toThrow();
    }
  });
});

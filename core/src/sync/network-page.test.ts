/** docs/protocol/network.md names what may be asked and how it is refused, as the code has it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  MAX_LEADING_RECORDS,
  MAX_PROOF_KEYS,
  REQUEST_ERROR_CODES,
  REQUEST_NAMES,
} from './requests.ts';
import { MAX_PARTS } from './wave-messages.ts';

const page = readFileSync(new URL('../../../docs/protocol/network.md', import.meta.url), 'utf8');
const [, after = ''] = page.split('\n## Questions\n');
const [section = ''] = after.split('\n## ');

/** The marks of code in the first column. */
const named = (table: string): string[] =>
  table
    .split('\n')
    .flatMap((row) => [...(row.match(/^\| ([^|]*)/)?.[1] ?? '').matchAll(/`([\w.-]+)`/g)])
    .map(([, name = '']) => name);

it('the page of the network names every question', () => {
  const [table = ''] = section.split('\n- **head**');
  expect(named(table)).toEqual([...REQUEST_NAMES]);
});

it('and every refusal', () => {
  const [, table = ''] = section.split('\n| Refused with |');
  expect(named(table)).toEqual([...REQUEST_ERROR_CODES]);
});

it('and what an answer may hold', () => {
  expect(section).toContain(`keys Vec<[65]> ≤ ${MAX_PROOF_KEYS} }`);
  expect(section).toContain(`WaveCommitRecord> ≤ ${MAX_LEADING_RECORDS},`);
  expect(section).toContain(`≤ ${MAX_PARTS}, cert`);
});

/** docs/protocol/transactions.md lists every code that a transaction can be refused with. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TX_TYPE_NAME } from '../tx/index.ts';

const page = readFileSync(
  new URL('../../../docs/protocol/transactions.md', import.meta.url),
  'utf8',
);

function codesIn(folder: string): string[] {
  const directory = new URL(`../${folder}/`, import.meta.url);
  const sources = readdirSync(directory).filter(
    (file) => file.endsWith('.ts') && !/(\.test|^testing)\.ts$/.test(file),
  );
  const text = sources.map((file) => readFileSync(new URL(file, directory), 'utf8')).join('\n');
  return [...text.matchAll(/'((?:tx|account|wave|mempool)\.[a-z-]+)'/g)].map(
    ([, code]) => code ?? '',
  );
}

describe('the page of transactions', () => {
  it('lists every code once, and none that does not exist', () => {
    const listed = [...page.matchAll(/^\| `([a-z-]+\.[a-z-]+)` \|/gm)].map(
      ([, code]) => code ?? '',
    );
    const used = new Set(['account', 'tx', 'execution', 'mempool'].flatMap(codesIn));
    expect(used.size).toBeGreaterThan(30);
    expect([...listed].sort()).toEqual([...used].sort());
  });

  it('names served types by their tags', () => {
    const rows = [...page.matchAll(/^\| (\d+) ([A-Za-z]+) \|/gm)];
    expect(rows.length).toBe(5);
    for (const [, tag, name] of rows) expect(TX_TYPE_NAME.get(Number(tag))).toBe(name);
  });
});

/** docs/protocol/contracts-wasm.md has the limits, features, imports and codes as they are. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FEATURE } from './features.ts';
import { HOST_FUNCTIONS } from './host-signatures.ts';
import { LIMITS } from './limits.ts';
import { VALUE_TYPE, type ValueType } from './module.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const page = read('../../../docs/protocol/contracts-wasm.md');

/** Cells of the table under a heading whose first column has this name. */
function tableUnder(heading: string, firstColumn: string, nth = 0): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const table = section.split(`\n| ${firstColumn} |`)[nth + 1] ?? '';
  const [body = ''] = table.split('\n\n');
  return body
    .split('\n')
    .slice(2)
    .filter((row) => row !== '')
    .map((row) => row.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')));
}

describe('the page of WebAssembly', () => {
  it('has every limit', () => {
    const rows = tableUnder('Limits', 'Limit');
    expect(rows.map(([name, bound]) => [name, Number(bound?.replaceAll(',', ''))])).toEqual(
      Object.entries(LIMITS),
    );
  });

  it('has every feature that is refused', () => {
    const rows = tableUnder('The accepted language', 'Feature', 1);
    expect(rows.map(([name]) => name).toSorted()).toEqual(Object.values(FEATURE).toSorted());
  });

  it('has every host function with its signature', () => {
    const letters = (types: readonly ValueType[]): string =>
      types.map((type) => (type === VALUE_TYPE.i64 ? 'I' : 'i')).join('');
    const expected = [...HOST_FUNCTIONS].map(([name, { scope, types }]) => {
      const [first] = types;
      const result = types.length > 1 ? '?' : letters(first?.results ?? []);
      return [name, `${letters(first?.params ?? [])}:${result}`, scope];
    });
    expect(tableUnder('Imports', 'Function')).toEqual(expected);
  });

  it('has every code', () => {
    const codes = [...read('./error.ts').matchAll(/^ {2}\| '(wasm\.[a-z0-9-]+)'/gm)];
    const rows = tableUnder('Errors', 'Code');
    expect(codes.length).toBeGreaterThan(30);
    expect(rows.map(([code]) => code)).toEqual(codes.map(([, code]) => code));
  });
});

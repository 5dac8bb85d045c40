import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { checkJsonBounds, MAX_REQUEST_BYTES, MAX_REQUEST_DEPTH } from './json-bounds.ts';

const codeOf = (text: string): string | undefined => {
  try {
    checkJsonBounds(text);
    return undefined;
  } catch (error) {
    if (isPydeError(error)) return error.code;
    throw error;
  }
};

const nested = (depth: number, open = '[', close = ']'): string =>
  open.repeat(depth) + close.repeat(depth);

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('bounds of a request text', () => {
  it('allows 32 levels and refuses 33, of arrays and of objects', () => {
    expect(codeOf(nested(MAX_REQUEST_DEPTH))).toBeUndefined();
    expect(codeOf(nested(MAX_REQUEST_DEPTH + 1))).toBe('rpc.too-deep');
    expect(codeOf(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`)).toBeUndefined();
    expect(codeOf(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`)).toBe('rpc.too-deep');
  });

  it('refuses nesting without an end, however deep, and closed or not', () => {
    for (const depth of [10_000, 1_000_000]) {
      expect(codeOf('['.repeat(depth))).toBe('rpc.too-deep');
      expect(codeOf(nested(depth))).toBe('rpc.too-deep');
    }
  });

  it('does not count brackets inside strings', () => {
    expect(codeOf(JSON.stringify(['['.repeat(500), '"'.repeat(9), `\\"${'['.repeat(99)}`]))).toBe(
      undefined,
    );
    expect(codeOf(`["\\\\",${nested(40)}]`)).toBe('rpc.too-deep');
  });

  it('counts bytes of UTF-8, not characters', () => {
    const quoted = (body: string) => `"${body}"`;
    expect(codeOf(quoted('a'.repeat(MAX_REQUEST_BYTES - 2)))).toBeUndefined();
    expect(codeOf(quoted('a'.repeat(MAX_REQUEST_BYTES - 1)))).toBe('rpc.too-large');
    expect(codeOf(quoted('é'.repeat(MAX_REQUEST_BYTES / 2)))).toBe('rpc.too-large');
    expect(codeOf(quoted('漢'.repeat(MAX_REQUEST_BYTES / 3 + 1)))).toBe('rpc.too-large');
    expect(codeOf(quoted('😀'.repeat(MAX_REQUEST_BYTES / 4)))).toBe('rpc.too-large');
    expect(codeOf(quoted('😀'.repeat(MAX_REQUEST_BYTES / 4 - 1)))).toBeUndefined();
  });

  it('agrees with the depth of every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat({ max: 40 }), (value, wrap) => {
        let wrapped: unknown = value;
        for (let i = 0; i < wrap; i++) wrapped = i % 2 === 0 ? [wrapped] : { '}"[\\': wrapped };
        const tooDeep = depthOf(wrapped) > MAX_REQUEST_DEPTH;
        expect(codeOf(JSON.stringify(wrapped, null, wrap % 3))).toBe(
          tooDeep ? 'rpc.too-deep' : undefined,
        );
      }),
      { numRuns: 200 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { type TrapDetail, trapDetail } from './outcome.ts';

/** As the engines write them in their sources. */
const TEXTS: Readonly<Record<TrapDetail, readonly string[]>> = {
  unreachable: [
    'unreachable',
    'unreachable executed',
    "Unreachable code should not be executed (evaluating 'f()')",
  ],
  'memory-out-of-bounds': [
    'memory access out of bounds',
    'index out of bounds',
    "Out of bounds memory access (evaluating 'f()')",
  ],
  'table-out-of-bounds': [
    'table index is out of bounds',
    'table index out of bounds',
    'Out of bounds call_indirect',
  ],
  'indirect-call-type': [
    'null function or function signature mismatch',
    'indirect call signature mismatch',
    'call_indirect to a signature that does not match',
  ],
  'null-element': ['indirect call to null', 'call_indirect to a null table entry'],
  'integer-divide-by-zero': [
    'divide by zero',
    'remainder by zero',
    'integer divide by zero',
    'Division by zero',
  ],
  'integer-overflow': ['divide result unrepresentable', 'integer overflow', 'Integer overflow'],
  'invalid-conversion': [
    'float unrepresentable in integer range',
    'invalid conversion to integer',
    'Out of bounds Trunc operation',
  ],
};

describe("the engines' words for a trap", () => {
  const cases = Object.entries(TEXTS).flatMap(([detail, texts]) =>
    texts.map((text) => [text, detail] as const),
  );
  it.each(cases)('%s', (text, detail) => {
    expect(trapDetail(text)).toBe(detail);
  });

  it('may be unknown', () => {
    expect(trapDetail('the hamster is tired')).toBeUndefined();
    expect(trapDetail('')).toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tenant } from './node-memory.ts';

const WORDS = 500;

function tenant(mark: number): Tenant {
  const made = new Tenant(WORDS);
  made.words.fill(mark, made.at, made.at + WORDS);
  return made;
}

const marksOf = ({ words, at }: Tenant) => new Set(words.subarray(at, at + WORDS));

describe('node memory', () => {
  it('keeps every tenant as it was, whatever others do', () => {
    const step = fc.record({
      kind: fc.constantFrom('make', 'keep', 'release'),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 200, maxLength: 600, size: 'max' }), (steps) => {
        const all: Tenant[] = [];
        for (const { kind, pick } of steps) {
          const one = all[pick % Math.max(1, all.length)];
          if (kind === 'make' || one === undefined) all.push(tenant(all.length + 1));
          else if (kind === 'keep') one.keep();
          else one.release();
        }
        for (const [i, one] of all.entries()) expect(marksOf(one)).toEqual(new Set([i + 1]));
      }),
      { numRuns: 20 },
    );
  });

  it('holds on to about twice what is kept', () => {
    const kept: Tenant[] = [];
    for (let i = 0; i < 4_000; i++) {
      const one = tenant(i);
      one.keep();
      if (i % 40 === 0) kept.push(one);
      else one.release();
    }
    for (const one of kept) one.compact();
    const buffers = new Set(kept.map(({ words }) => words.buffer));
    const bytes = [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
    expect(bytes).toBeLessThan(3 * kept.length * WORDS * 4);
  });

  it('moves what is kept late out of a place that others have left', () => {
    // More than a slab, so that nothing kept by others shares the one that follows.
    for (let i = 0; i < 40; i++) tenant(i);
    const late = tenant(7);
    const before = late.words;
    const others = Array.from({ length: 100 }, (_, i) => tenant(i));
    for (const one of others) one.keep();
    for (const one of others) one.release();
    late.keep();
    expect(late.words).not.toBe(before);
    expect(marksOf(late)).toEqual(new Set([7]));
  });
});

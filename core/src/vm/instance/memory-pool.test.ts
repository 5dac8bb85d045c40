import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryPool, type MemoryShape, PAGE_BYTES } from './memory-pool.ts';

const SHAPE: MemoryShape = { minPages: 1, maxPages: 4 };

describe('the memory pool', () => {
  it('gives a memory back zeroed, to the same shape alone', () => {
    const pool = new MemoryPool();
    const memory = pool.take(SHAPE);
    new Uint8Array(memory.buffer).fill(7);
    pool.give(memory, SHAPE);
    expect(pool.take({ minPages: 1, maxPages: 5 })).not.toBe(memory);
    expect(pool.take({ minPages: 2, maxPages: 4 })).not.toBe(memory);
    const again = pool.take(SHAPE);
    expect(again).toBe(memory);
    expect(new Uint8Array(again.buffer).every((byte) => byte === 0)).toBe(true);
    expect(pool.take(SHAPE)).not.toBe(memory);
  });

  it('makes memories of the asked size', () => {
    const memory = new MemoryPool().take({ minPages: 3, maxPages: 5 });
    expect(memory.buffer.byteLength).toBe(3 * PAGE_BYTES);
    expect(memory.grow(2)).toBe(3);
    expect(() => memory.grow(1)).toThrow();
  });

  it('drops a memory that grew, and one above 32 pages', () => {
    const pool = new MemoryPool({ maxPages: 1_000 });
    const grown = pool.take(SHAPE);
    grown.grow(1);
    pool.give(grown, SHAPE);
    for (const minPages of [32, 33]) {
      const shape = { minPages, maxPages: 64 };
      pool.give(pool.take(shape), shape);
    }
    expect(pool.idle).toEqual({ memories: 1, pages: 32 });
  });

  it('stays within its bounds whatever comes, and drops the oldest', () => {
    const shapes = fc.array(fc.record({ minPages: fc.nat(6), maxPages: fc.constant(8) }), {
      maxLength: 24,
    });
    const bounds = fc.record({ maxMemories: fc.nat(5), maxPages: fc.nat(12) });
    fc.assert(
      fc.property(shapes, bounds, (given, limit) => {
        const pool = new MemoryPool(limit);
        const kept: { memory: WebAssembly.Memory; shape: MemoryShape }[] = [];
        for (const shape of given) {
          const memory = new WebAssembly.Memory({
            initial: shape.minPages,
            maximum: shape.maxPages,
          });
          pool.give(memory, shape);
          if (shape.minPages > limit.maxPages || limit.maxMemories === 0) continue;
          kept.push({ memory, shape });
          const pages = (): number => kept.reduce((sum, one) => sum + one.shape.minPages, 0);
          while (kept.length > limit.maxMemories || pages() > limit.maxPages) kept.shift();
          expect(pool.idle).toEqual({ memories: kept.length, pages: pages() });
        }
        for (const { memory, shape } of kept.reverse()) expect(pool.take(shape)).toBe(memory);
      }),
      { numRuns: 60 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Evictable, EvictionQueue, evictionOrder } from './eviction.ts';

describe('the order of eviction', () => {
  it('is that of a sorted list, whatever comes, goes and comes back', () => {
    const step = fc.record({
      kind: fc.constantFrom('add', 'add', 'go', 'back', 'take'),
      at: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const live = new Set<Evictable>();
        const gone: Evictable[] = [];
        const queue = new EvictionQueue<Evictable>((entry) => live.has(entry));
        let sequence = 0;
        for (const { kind, at } of steps) {
          const some = [...live][at % Math.max(1, live.size)];
          if (kind === 'add') {
            const entry = { gas: BigInt(at % 3), sequence: sequence++ };
            live.add(entry);
            queue.add(entry, live.size);
          } else if (kind === 'go' && some !== undefined) {
            live.delete(some);
            gone.push(some);
          } else if (kind === 'back') {
            const entry = gone.pop();
            if (entry === undefined) continue;
            live.add(entry);
            queue.add(entry, live.size);
          } else if (kind === 'take') {
            // Several before any of them leaves, as when one large transaction takes their room.
            const leaving = [...live].sort(evictionOrder).slice(0, 1 + (at % 4));
            for (const first of leaving) expect(queue.take()).toBe(first);
            for (const first of leaving) live.delete(first);
          }
        }
      }),
    );
  });
});

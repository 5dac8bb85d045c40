import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';

describe('EventQueue', () => {
  it('gives events by time, and those of one time in the order they came', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(20), { freq: 3 })), (script) => {
        const queue = new EventQueue<{ time: number; at: number }>();
        const model: { time: number; at: number }[] = [];
        script.forEach((time, at) => {
          if (time !== null) {
            queue.push(time, { time, at });
            model.push({ time, at });
            model.sort((a, b) => a.time - b.time || a.at - b.at);
          } else {
            expect(queue.nextTime).toBe(model[0]?.time);
            expect(queue.pop()).toEqual(model.shift());
          }
        });
        while (model.length > 0) expect(queue.pop()).toEqual(model.shift());
        expect(queue.pop()).toBeUndefined();
        expect(queue.size).toBe(0);
      }),
    );
  });
});

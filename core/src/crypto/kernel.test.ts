import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import { feedWindow, loadKernel, once } from './kernel.ts';

/** A module that exports one page of memory and `answer`, which gives 42; padding by its name. */
function moduleNamed(name: string): string {
  const custom = [0, name.length + 1, name.length, ...Buffer.from(name)];
  const bytes = [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...custom,
    ...[1, 5, 1, 0x60, 0, 1, 0x7f],
    ...[3, 2, 1, 0],
    ...[5, 3, 1, 0, 1],
    ...[7, 19, 2, 6, ...Buffer.from('memory'), 2, 0, 6, ...Buffer.from('answer'), 0, 0],
    ...[10, 6, 1, 4, 0, 0x41, 42, 0x0b],
  ];
  return Buffer.from(bytes).toString('base64');
}

describe('loadKernel', () => {
  it.each(['a', 'ab', 'abc'])('reads base64 of every padding (%s)', (name) => {
    const { memory, call } = loadKernel(moduleNamed(name), ['answer']);
    expect(call.answer()).toBe(42);
    expect(memory.buffer.byteLength).toBe(65_536);
  });

  it('refuses a kernel without a function it should have', () => {
    expect(() => loadKernel(moduleNamed('a'), ['question'])).toThrow('the function question');
  });
});

describe('once', () => {
  it('loads on the first call only', () => {
    let loads = 0;
    const value = once(() => ++loads);
    expect(loads).toBe(0);
    expect([value(), value(), loads]).toEqual([1, 1, 1]);
  });
});

describe('feedWindow', () => {
  it('passes every byte once and keeps the last, full or not, for the end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 16 }),
        (parts, size) => {
          const inbox = new Uint8Array(size);
          const windows: Uint8Array[] = [];
          const left = feedWindow(parts, inbox, () => windows.push(inbox.slice()));
          const whole = concatBytes(...parts);
          expect(concatBytes(...windows, inbox.subarray(0, left))).toEqual(whole);
          expect(left === 0).toBe(whole.length === 0);
        },
      ),
    );
  });
});

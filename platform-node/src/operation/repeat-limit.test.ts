import { describe, expect, it } from 'vitest';
import { RepeatLimit, WINDOW_MS } from './repeat-limit.ts';

function limit(perWindow: number) {
  let now = 0;
  const written: [string, unknown][] = [];
  const repeats = new RepeatLimit(perWindow, () => now);
  return {
    written,
    pass: (message: string, n = 0) =>
      repeats.pass(
        (text, fields) => written.push([text, fields['repeated'] ?? fields['n']]),
        message,
        {
          n,
        },
      ),
    wait: (ms: number) => {
      now += ms;
    },
    flush: () => repeats.flush(),
  };
}

describe('RepeatLimit', () => {
  it('counts each text apart, and begins anew with each window', () => {
    const { pass, wait, written } = limit(2);
    for (let n = 0; n < 5; n++) pass('a', n);
    pass('b', 9);
    wait(WINDOW_MS);
    pass('a', 5);
    expect(written).toEqual([
      ['a', 0],
      ['a', 1],
      ['b', 9],
      ['a', 3],
      ['a', 5],
    ]);
  });

  it('holds no more texts than its bound, whatever callers say', () => {
    const { pass, flush, written } = limit(1);
    for (let n = 0; n < 10_000; n++) pass(`text ${n}`, n);
    expect(written.length).toBe(257);
    flush();
    expect(written.length).toBe(258);
    expect(written.at(-1)).toEqual(['text 9999', 9_743]);
  });
});

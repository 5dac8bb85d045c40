import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, toHex } from '../bytes/index.ts';
import { type StateKey, type StateKind, stateKeyBytes } from './key.ts';
import { Overlay, type StateReader } from './overlay.ts';

const KINDS: readonly StateKind[] = [0, 1, 2, 3, 4];
const keyOf = (i: number): StateKey => ({
  kind: KINDS[i % 5] ?? 0,
  owner: new Uint8Array(32).fill((i * 101) % 256),
  slot: new Uint8Array(32).fill(255 - i),
});
const nothing: StateReader = { get: () => undefined };

type Step = { readonly i: number; readonly value: Uint8Array | undefined };
const steps = fc.array(
  fc.record({
    i: fc.integer({ min: 0, max: 11 }),
    value: fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined }),
  }),
);

function run(overlay: Overlay, done: readonly Step[]): void {
  for (const { i, value } of done) {
    if (value === undefined) overlay.delete(keyOf(i));
    else overlay.set(keyOf(i), value);
  }
}

const read = (state: StateReader) => Array.from({ length: 12 }, (_, i) => state.get(keyOf(i)));

describe('an overlay', () => {
  it('reads its own last change, and its parent where it has none', () => {
    fc.assert(
      fc.property(steps, steps, (below, above) => {
        const parent = new Overlay(nothing);
        run(parent, below);
        const before = read(parent);
        const overlay = new Overlay(parent);
        run(overlay, above);
        const expected = before.map((value, i) => {
          const last = above.findLast((step) => step.i === i);
          return last === undefined ? value : last.value;
        });
        expect(read(overlay)).toEqual(expected);
        expect(read(parent)).toEqual(before);
      }),
    );
  });

  it('merges into its parent, or is thrown away without a trace', () => {
    fc.assert(
      fc.property(steps, steps, (below, above) => {
        const parent = new Overlay(nothing);
        run(parent, below);
        const before = read(parent);
        const overlay = new Overlay(parent);
        run(overlay, above);
        const after = read(overlay);
        overlay.clear();
        expect(read(overlay)).toEqual(before);
        run(overlay, above);
        overlay.mergeInto(parent);
        expect(read(parent)).toEqual(after);
        expect(overlay.changes()).toEqual([]);
      }),
    );
  });

  it('lists the last change of each key in order of key bytes', () => {
    fc.assert(
      fc.property(steps, (done) => {
        const overlay = new Overlay(nothing);
        run(overlay, done);
        const changes = overlay.changes();
        const keys = changes.map(({ key }) => stateKeyBytes(key));
        expect(keys.map(toHex)).toEqual([...keys].sort(compareBytes).map(toHex));
        expect(new Set(keys.map(toHex)).size).toBe(new Set(done.map(({ i }) => i)).size);
        for (const { key, value } of changes) expect(overlay.get(key)).toBe(value);
      }),
    );
  });
});

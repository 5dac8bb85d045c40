import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../platform/index.ts';
import { recomputeRoot, STATE_KIND, type StateChange, StateStore, TABLE } from './index.ts';

const change = (slot: number, value: number | undefined): StateChange => ({
  key: {
    kind: STATE_KIND.system,
    owner: new Uint8Array(32).fill(slot & 3),
    slot: new Uint8Array(32).fill(slot),
  },
  value: value === undefined ? undefined : new Uint8Array(value % 40).fill(value),
});

describe('recomputeRoot', () => {
  it('is the root of the tree after any waves of writes and deletes', async () => {
    const waves = fc.array(
      fc.uniqueArray(fc.tuple(fc.nat(60), fc.option(fc.nat(255), { nil: undefined })), {
        selector: ([slot]) => slot,
        maxLength: 20,
      }),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(waves, async (plan) => {
        const store = new MemoryStore();
        const state = StateStore.open(store);
        let wave = 0n;
        for (const changes of [[], ...plan]) {
          const prepared = state.prepare(
            wave++,
            changes.map(([slot, value]) => change(slot ?? 0, value)),
          );
          await store.batch(prepared.writes);
          state.adopt(prepared);
        }
        expect((await recomputeRoot(store)).root).toEqual(state.root);
      }),
      { numRuns: 40 },
    );
  });

  it('names the record that is damaged', async () => {
    const store = new MemoryStore();
    const state = StateStore.open(store);
    await store.batch(state.prepare(0n, [change(1, 9), change(2, 9)]).writes);
    for await (const [key, value] of store.range({
      prefix: Uint8Array.of(TABLE.state),
      limit: 1,
    })) {
      await store.batch([
        { kind: 'put', key, value: value.map((byte, i) => byte ^ (i === 3 ? 1 : 0)) },
      ]);
    }
    await expect(recomputeRoot(store)).rejects.toMatchObject({ code: 'state.checksum' });
  });
});

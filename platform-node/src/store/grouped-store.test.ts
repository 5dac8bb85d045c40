import { type KeyValueStore, MemoryStore, type StoreWrite } from '@pyde/core/platform';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupedStore, MAX_WAITING_WRITES } from './grouped-store.ts';

const key = (...bytes: number[]): Uint8Array => new Uint8Array(bytes);
const put = (k: number, v: number): StoreWrite => ({ kind: 'put', key: key(k), value: key(v) });

/** Says what reached the store, batch by batch. */
class CountedStore extends MemoryStore {
  readonly batches: { readonly writes: number; readonly sync: boolean }[] = [];

  override batch(writes: readonly StoreWrite[], options = { sync: false }): Promise<void> {
    this.batches.push({ writes: writes.length, sync: options.sync });
    return super.batch(writes);
  }
}

async function entriesOf(store: KeyValueStore): Promise<string[]> {
  const entries: string[] = [];
  for await (const [k, v] of store.range({ prefix: key() })) entries.push(`${k}=${v}`);
  return entries;
}

describe('GroupedStore', () => {
  it('writes what several batches brought as one, and shows it before', async () => {
    const below = new CountedStore();
    const store = new GroupedStore(below);
    await store.batch([put(1, 1), put(2, 2)], { sync: false });
    await store.batch([{ kind: 'delete', key: key(1) }, put(3, 3)], { sync: false });
    expect([1, 2, 3, 4].map((k) => store.get(key(k))?.[0])).toEqual([undefined, 2, 3, undefined]);
    expect(below.batches).toEqual([]);
    await store.flush();
    await store.flush();
    expect(below.batches).toEqual([{ writes: 4, sync: false }]);
    expect([1, 2, 3].map((k) => below.get(key(k))?.[0])).toEqual([undefined, 2, 3]);
  });

  it('lets no more wait than its bound, and nothing behind a synced batch', async () => {
    const below = new CountedStore();
    const store = new GroupedStore(below);
    for (let i = 0; i <= MAX_WAITING_WRITES; i++)
      await store.batch([put(i % 256, i)], { sync: false });
    expect(below.batches).toEqual([{ writes: MAX_WAITING_WRITES + 1, sync: false }]);
    await store.batch([put(1, 2)], { sync: false });
    await store.batch([put(1, 3)], { sync: true });
    expect(below.batches[1]).toEqual({ writes: 2, sync: true });
    await store.batch([put(1, 4)], { sync: false });
    await store.close();
    expect(below.batches[2]).toEqual({ writes: 1, sync: false });
  });

  it('writes nothing that it is forbidden to, not even at its end', async () => {
    const below = new CountedStore();
    const store = new GroupedStore(below, () => {
      throw new Error('forbidden');
    });
    await store.flush();
    await store.batch([put(1, 1)], { sync: false });
    await expect(store.flush()).rejects.toThrow('forbidden');
    await store.close();
    expect(below.batches).toEqual([]);
  });

  it('goes on showing what waits while it is written', async () => {
    const below = new CountedStore();
    const store = new GroupedStore(below);
    const { promise, resolve } = Promise.withResolvers<void>();
    below.batch = () => promise;
    await store.batch([put(1, 1)], { sync: false });
    const flushed = store.flush();
    expect(store.get(key(1))).toEqual(key(1));
    resolve();
    await flushed;
  });

  it('reads like the store itself, whatever was written and flushed', async () => {
    const batch = fc.array(
      fc.oneof(
        fc.tuple(fc.nat(5), fc.nat(255)).map(([k, v]) => put(k, v)),
        fc.nat(5).map((k): StoreWrite => ({ kind: 'delete', key: key(k) })),
      ),
      { maxLength: 4 },
    );
    const steps = fc.array(fc.oneof(batch, fc.constant('flush' as const)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(steps, async (run) => {
        const plain = new MemoryStore();
        const store = new GroupedStore(new MemoryStore());
        for (const step of run) {
          if (step === 'flush') await store.flush();
          else {
            await plain.batch(step);
            await store.batch(step, { sync: false });
          }
          for (let k = 0; k <= 5; k++) expect(store.get(key(k))).toEqual(plain.get(key(k)));
        }
        expect(await entriesOf(store)).toEqual(await entriesOf(plain));
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { MemoryStore, type StoreWrite } from '../platform/index.ts';
import { SimDisk } from './disk.ts';

const key = fc.uint8Array({ minLength: 1, maxLength: 2 }).map((bytes) => bytes.map((b) => b % 4));
const write: fc.Arbitrary<StoreWrite> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 2 }) }),
  fc.record({ kind: fc.constant('delete' as const), key }),
);
const batch = fc.record({ writes: fc.array(write, { maxLength: 5 }), sync: fc.boolean() });
type Batch = { readonly writes: readonly StoreWrite[]; readonly sync: boolean };

function contents(disk: SimDisk): Map<string, string> {
  return new Map(disk.image().map(([k, { value }]) => [toHex(k), toHex(value)]));
}

function modelOf(batches: readonly Batch[]): Map<string, string> {
  const model = new Map<string, string>();
  for (const { writes } of batches) {
    for (const one of writes) {
      if (one.kind === 'put') model.set(toHex(one.key), toHex(one.value));
      else model.delete(toHex(one.key));
    }
  }
  return model;
}

describe('SimDisk', () => {
  it('loses in a crash the newest batches that were not synced, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(batch), fc.nat(30), (batches, lost) => {
        const disk = new SimDisk();
        for (const { writes, sync } of batches) disk.apply(writes, sync);
        expect(contents(disk)).toEqual(modelOf(batches));
        const synced = batches.findLastIndex(({ sync }) => sync) + 1;
        expect(disk.unsyncedBatches).toBe(batches.length - synced);
        disk.crash(lost);
        expect(contents(disk)).toEqual(
          modelOf(batches.slice(0, Math.max(synced, batches.length - lost))),
        );
        expect(disk.unsyncedBatches).toBe(0);
      }),
    );
  });

  it('calls durable what the worst crash leaves as it is', () => {
    fc.assert(
      fc.property(fc.array(batch), (batches) => {
        const disk = new SimDisk();
        for (const { writes, sync } of batches) disk.apply(writes, sync);
        const durable = disk.image().filter(([k]) => disk.isDurable(k));
        disk.crash(disk.unsyncedBatches);
        const left = contents(disk);
        for (const [k, { value }] of durable) expect(left.get(toHex(k))).toBe(toHex(value));
      }),
    );
  });

  it('ranges as the memory store does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(write), key, fc.boolean(), async (writes, prefix, reverse) => {
        const disk = new SimDisk();
        const memory = new MemoryStore();
        disk.apply(writes, true);
        await memory.batch(writes);
        const options = { prefix, reverse, limit: 3 };
        const found = async (store: MemoryStore | SimDisk): Promise<string[]> => {
          const entries: string[] = [];
          for await (const [k, value] of store.range(options)) {
            entries.push(`${toHex(k)}=${toHex(value)}`);
          }
          return entries;
        };
        expect(await found(disk)).toEqual(await found(memory));
      }),
    );
  });

  it('has on the platter what it finds when it is opened', () => {
    const disk = new SimDisk();
    const key = Uint8Array.of(1);
    disk.apply([{ kind: 'put', key, value: key }], false);
    expect(disk.isDurable(key)).toBe(false);
    disk.reopen();
    expect(disk.isDurable(key)).toBe(true);
    disk.crash(1);
    expect(disk.get(key)).toEqual(key);
  });

  it('takes another image in place of what it has', () => {
    const disk = new SimDisk();
    const put = (k: number): StoreWrite => ({
      kind: 'put',
      key: Uint8Array.of(k),
      value: Uint8Array.of(k),
    });
    disk.apply([put(1)], true);
    const image = disk.image();
    disk.apply([put(2)], false);
    disk.replace(image);
    expect(contents(disk)).toEqual(new Map([['0x01', '0x01']]));
    expect(disk.isDurable(Uint8Array.of(1))).toBe(true);
    disk.replace([]);
    expect(disk.size).toBe(0);
  });
});

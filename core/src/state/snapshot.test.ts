import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, PydeError, toHex, u64LittleEndian } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { MemoryStore, type StoreWrite } from '../platform/index.ts';
import { STATE_KIND, type StateKey } from './key.ts';
import {
  decodeSnapshot,
  describeSnapshot,
  encodeSnapshot,
  loadSnapshot,
  readSnapshotChunks,
} from './snapshot.ts';
import { StateStore } from './state-store.ts';
import { TABLE } from './table.ts';

const COUNT = 400;
const CHUNK = 4_096;
const keyOf = (i: number): StateKey => ({
  kind: i % 2 === 0 ? STATE_KIND.account : STATE_KIND.contract,
  owner: blake3(u64LittleEndian(BigInt(i))),
  slot: new Uint8Array(32).fill(i % 256),
});
const contentOf = (i: number) => new Uint8Array(i % 60).fill(i % 251);

const store = new MemoryStore();
const state = StateStore.open(store);

beforeAll(async () => {
  for (const wave of [0, 1]) {
    const changes = Array.from({ length: COUNT }, (_, i) => ({
      key: keyOf(i),
      value: contentOf(i),
    }));
    const grown = wave === 0 ? changes.slice(0, 300) : changes.slice(300);
    const large = { key: keyOf(1_000), value: new Uint8Array(10_000).fill(wave) };
    const prepared = state.prepare(BigInt(wave), [...grown, large]);
    await store.batch(prepared.writes);
    state.adopt(prepared);
  }
});

const file = (version: bigint) =>
  encodeSnapshot(state, version, { maxBytes: 1 << 20, chunkBytes: CHUNK });

async function tableOf(from: MemoryStore, table: number): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const [key, value] of from.range({ prefix: Uint8Array.of(table) })) {
    found.push([toHex(key), toHex(value)]);
  }
  return found;
}

describe('a snapshot', () => {
  it('loaded into an empty store gives the same state, roots and proofs', async () => {
    for (const version of [0n, 1n]) {
      const root = state.rootAt(version) ?? state.root;
      const fresh = new MemoryStore();
      await loadSnapshot(fresh, decodeSnapshot(file(version)), root);
      const loaded = StateStore.open(fresh);
      expect(loaded.version).toBe(version);
      expect(loaded.oldestVersion).toBe(version);
      expect(loaded.root).toEqual(root);
      for (let i = 0; i < COUNT + 5; i++) {
        expect(loaded.get(keyOf(i))).toEqual(state.getAt(keyOf(i), version));
        expect(loaded.prove(keyOf(i), version)).toEqual(state.prove(keyOf(i), version));
      }
      if (version === 1n) {
        expect(await tableOf(fresh, TABLE.state)).toEqual(await tableOf(store, TABLE.state));
      }
      const next = [
        { key: keyOf(3), value: undefined },
        { key: keyOf(900), value: contentOf(9) },
      ];
      const here = StateStore.open(fresh).prepare(version + 1n, next);
      if (version === 1n) expect(here.root).toEqual(state.prepare(2n, next).root);
    }
  });

  it('is the same whatever the history of the store it was taken from', async () => {
    const fresh = new MemoryStore();
    await loadSnapshot(fresh, decodeSnapshot(file(1n)), state.root);
    const loaded = StateStore.open(fresh);
    const again = encodeSnapshot(loaded, 1n, { maxBytes: 1 << 20, chunkBytes: CHUNK });
    expect(toHex(blake3(again))).toBe(toHex(blake3(file(1n))));
  });

  it('has a manifest that describes its chunks', () => {
    const manifest = describeSnapshot(state, 1n, CHUNK);
    const chunks = [...readSnapshotChunks(state, 1n, CHUNK)];
    expect(manifest.root).toEqual(state.root);
    expect(manifest.totalKeys).toBe(BigInt(COUNT + 1));
    expect(manifest.chunkHashes).toEqual(chunks.map(({ bytes }) => blake3(bytes)));
    expect(decodeSnapshot(file(1n)).chunks).toEqual(chunks.map(({ bytes }) => bytes));
    const large = chunks.filter(({ bytes }) => bytes.length > CHUNK);
    expect(large.map(({ keys }) => keys)).toEqual([1]);
    expect(chunks.length).toBeGreaterThan(8);
  });

  it('of an empty state is a file without chunks', async () => {
    const empty = new MemoryStore();
    const none = StateStore.open(empty);
    const prepared = none.prepare(0n, []);
    await empty.batch(prepared.writes);
    none.adopt(prepared);
    const fresh = new MemoryStore();
    const bytes = encodeSnapshot(none, 0n, { maxBytes: 200 });
    await loadSnapshot(fresh, decodeSnapshot(bytes), none.root);
    expect(StateStore.open(fresh).root).toEqual(none.root);
    expect(describeSnapshot(none, 0n).chunkHashes).toEqual([]);
  });

  it('is not made larger than allowed', () => {
    expect(() => encodeSnapshot(state, 1n, { maxBytes: 9_000 })).toThrow('larger than 9000 bytes');
  });

  it('is refused and leaves nothing behind when any byte of it is wrong', async () => {
    const good = file(1n);
    const header = 15 + 8 + 64 + 8 + 4;
    for (let n = 0; n < 40; n++) {
      const at = n < 15 ? n : header + Math.floor(((good.length - header) * (n - 15)) / 25);
      const bad = good.slice();
      bad[at] = (bad[at] ?? 0) ^ (1 << (n % 8));
      const fresh = new MemoryStore();
      const load = async () => loadSnapshot(fresh, decodeSnapshot(bad), state.root);
      await expect(load(), `byte ${at}`).rejects.toBeInstanceOf(PydeError);
      for (const table of Object.values(TABLE)) expect(await tableOf(fresh, table)).toEqual([]);
      expect(StateStore.open(fresh).version).toBeUndefined();
    }
  });

  it('is refused when cut short or followed by other bytes', () => {
    const good = file(1n);
    for (const bad of [
      ...[0, 14, 15, 22, 90, 99, good.length - 1].map((length) => good.subarray(0, length)),
      concatBytes(good, Uint8Array.of(0)),
    ]) {
      expect(() => decodeSnapshot(bad)).toThrow(PydeError);
    }
  });

  it('is refused when it counts more chunks than there is room for with an entry each', () => {
    const header = file(1n).subarray(0, 'pyde/snapshot/1'.length + 8 + 64 + 8);
    const emptyChunks = (count: number) =>
      concatBytes(header, u64LittleEndian(BigInt(count)).subarray(0, 4), new Uint8Array(4 * count));
    expect(() => decodeSnapshot(emptyChunks(1_000_000))).toThrow('needs more than');
  });

  it('is refused with chunks missing, swapped or doubled, and with a wrong count of keys', async () => {
    const snapshot = decodeSnapshot(file(1n));
    const { chunks } = snapshot;
    const [first, second, ...rest] = chunks;
    if (first === undefined || second === undefined) throw new Error('two chunks are needed');
    const alone = chunks.findIndex((bytes) => bytes.length > CHUNK);
    const doubled = chunks.slice(0, alone + 1).concat(chunks.slice(alone));
    const fresh = new MemoryStore();
    for (const [variant, code] of [
      [{ ...snapshot, chunks: doubled, totalKeys: BigInt(COUNT + 2) }, 'state.snapshot-order'],
      [{ ...snapshot, chunks: [second, first, ...rest] }, 'state.snapshot-order'],
      [{ ...snapshot, chunks: [first, first, second, ...rest] }, 'state.snapshot-order'],
      [{ ...snapshot, chunks: [second, ...rest] }, 'state.snapshot-keys'],
      [{ ...snapshot, totalKeys: 1n }, 'state.snapshot-keys'],
    ] as const) {
      await expect(loadSnapshot(fresh, variant, state.root)).rejects.toMatchObject({ code });
    }
    const other = state.rootAt(0n) ?? state.root;
    const poseidon2Only = { blake3: state.root.blake3, poseidon2: other.poseidon2 };
    for (const [root, family] of [
      [other, 'blake3'],
      [poseidon2Only, 'poseidon2'],
    ] as const) {
      await expect(loadSnapshot(fresh, snapshot, root)).rejects.toMatchObject({
        code: 'state.snapshot-root',
        details: { family },
      });
    }
    await loadSnapshot(fresh, snapshot, state.root);
    expect(StateStore.open(fresh).root).toEqual(state.root);
  });

  it('is not loaded over a state', async () => {
    await expect(loadSnapshot(store, decodeSnapshot(file(1n)), state.root)).rejects.toMatchObject({
      code: 'state.snapshot-not-empty',
    });
    expect(StateStore.open(store).version).toBe(1n);
  });

  it('whose loading was cut short is noticed, and can be loaded again', async () => {
    class CutShort extends MemoryStore {
      left = 4;
      override batch(writes: readonly StoreWrite[]): Promise<void> {
        return this.left-- > 0 ? super.batch(writes) : Promise.reject(new Error('power is off'));
      }
    }
    const fresh = new CutShort();
    const snapshot = decodeSnapshot(file(1n));
    await expect(loadSnapshot(fresh, snapshot, state.root)).rejects.toThrow('power is off');
    expect(() => StateStore.open(fresh)).toThrow('cut short');
    fresh.left = 1_000;
    const older = decodeSnapshot(file(0n));
    await loadSnapshot(fresh, older, older.root);
    const loaded = StateStore.open(fresh);
    expect(loaded.root).toEqual(older.root);
    expect(await tableOf(fresh, TABLE.state)).toHaveLength(301);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { type KeyValueStore, MemoryStore, type StoreWrite } from '../platform/index.ts';
import { type StateKey, type StateKind, stateKeyBytes, treeKey } from './key.ts';
import { NodeStore } from './node-store.ts';
import { nodeSuffix } from './node-suffix.ts';
import type { StateChange } from './overlay.ts';
import { verifyStateProof } from './proof.ts';
import { StateStore } from './state-store.ts';
import { TABLE } from './table.ts';
import { ByteMap, naiveRoot } from './testing.ts';
import { KEY_NIBBLES, type TreeRoot } from './tree.ts';
import type { NodeHash } from './tree-hash.ts';

const KINDS: readonly StateKind[] = [0, 1, 2, 3, 4];
const KEYS: readonly StateKey[] = Array.from({ length: 60 }, (_, i) => ({
  kind: KINDS[i % 5] ?? 0,
  owner: new Uint8Array(32).fill(i % 7),
  slot: new Uint8Array(32).fill(i),
}));
const keyAt = (i: number): StateKey => KEYS[i] ?? { kind: 0, owner: filled(0), slot: filled(0) };
const filled = (byte: number, length = 32) => new Uint8Array(length).fill(byte);

const batch = fc
  .dictionary(
    fc.integer({ min: 0, max: 49 }).map(String),
    fc.option(fc.uint8Array({ maxLength: 70 }), { nil: undefined, freq: 3 }),
    { noNullPrototype: true, maxKeys: 30 },
  )
  .map((entries) =>
    Object.entries(entries).map(([i, value]): StateChange => ({ key: keyAt(Number(i)), value })),
  );

class Model {
  readonly flat = new ByteMap();
  readonly tree = new ByteMap();

  apply(changes: readonly StateChange[]): this {
    this.flat.apply(changes.map(({ key, value }) => ({ key: stateKeyBytes(key), value })));
    this.tree.apply(changes.map(({ key, value }) => ({ key: treeKey(key), value })));
    return this;
  }

  copy(): Model {
    const copy = new Model();
    copy.flat.apply(this.flat.entries().map(([key, value]) => ({ key, value })));
    copy.tree.apply(this.tree.entries().map(([key, value]) => ({ key, value })));
    return copy;
  }
}

const hex = (hash: NodeHash | undefined) =>
  hash === undefined ? undefined : [toHex(hash.blake3), toHex(hash.poseidon2)];

async function land(
  store: KeyValueStore,
  changes: readonly StateChange[],
  state = StateStore.open(store, { cachedNodes: 4 }),
): Promise<StateStore> {
  const prepared = state.prepare(state.version === undefined ? 0n : state.version + 1n, changes);
  await store.batch(prepared.writes, { sync: false });
  state.adopt(prepared);
  return state;
}

const set = (i: number, ...bytes: number[]): StateChange => ({
  key: keyAt(i),
  value: Uint8Array.from(bytes),
});

async function entriesOf(store: KeyValueStore, table: number): Promise<Map<string, Uint8Array>> {
  const entries = new Map<string, Uint8Array>();
  for await (const [key, value] of store.range({ prefix: Uint8Array.of(table) })) {
    entries.set(toHex(key.subarray(1)), value);
  }
  return entries;
}

/** Suffixes of all records that a reader of `root` can reach. */
function reachable(nodes: NodeStore, root: TreeRoot, path: Uint8Array, depth: number): string[] {
  if (root === undefined) return [];
  if (root.kind === 'leaf') {
    return [toHex(nodeSuffix({ version: root.version, key: root.key, depth: KEY_NIBBLES }))];
  }
  const node = nodes.innerNode(root.version, path, depth);
  const own = toHex(nodeSuffix({ version: root.version, key: path, depth }));
  const below = Array.from({ length: 16 }, (_, nibble) => {
    const child = path.slice();
    child[depth >> 1] = (child[depth >> 1] ?? 0) | (depth % 2 === 0 ? nibble << 4 : nibble);
    return reachable(nodes, node.child(nibble), child, depth + 1);
  });
  return [own, ...below.flat()];
}

describe('the state store', () => {
  it('is a map with the roots and proofs of the definition, reopened after every wave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 5 }), async (batches) => {
        const store = new MemoryStore();
        const models: Model[] = [];
        for (const changes of batches) {
          const before = StateStore.open(store, { cachedNodes: 4 });
          await land(store, changes, before);
          const model = (models.at(-1)?.copy() ?? new Model()).apply(changes);
          models.push(model);
          const state = StateStore.open(store, { cachedNodes: 4 });
          const root = naiveRoot(model.tree.entries());
          expect(state.version).toBe(BigInt(models.length - 1));
          expect(hex(state.root)).toEqual(hex(root));
          expect(hex(before.root)).toEqual(hex(root));
          for (const key of KEYS)
            expect(state.get(key)).toEqual(model.flat.get(stateKeyBytes(key)));
        }
        const state = StateStore.open(store);
        models.forEach((model, i) => {
          const version = BigInt(i);
          const root = state.rootAt(version);
          expect(hex(root)).toEqual(hex(naiveRoot(model.tree.entries())));
          if (root === undefined) return;
          for (const key of KEYS) {
            const value = state.getAt(key, version);
            expect(value).toEqual(model.flat.get(stateKeyBytes(key)));
            verifyStateProof({ root, key, value, proof: state.prove(key, version) });
          }
        });
      }),
      { numRuns: 25 },
    );
  });

  it('stays where it was when a prepared wave is not written', async () => {
    const store = new MemoryStore();
    const state = await land(store, [set(1, 1), set(2, 2), set(3, 3)]);
    const root = hex(state.root);
    const before = await entriesOf(store, TABLE.jmt);
    state.prepare(1n, [set(1, 9), { key: keyAt(2), value: undefined }, set(4, 4)]);
    expect(await entriesOf(store, TABLE.jmt)).toEqual(before);
    for (const handle of [state, StateStore.open(store)]) {
      expect(handle.version).toBe(0n);
      expect(hex(handle.root)).toEqual(root);
      expect(handle.get(keyAt(1))).toEqual(Uint8Array.of(1));
      expect(handle.get(keyAt(2))).toEqual(Uint8Array.of(2));
    }
    await land(store, [set(5, 5)], state);
    const model = new Model().apply([set(1, 1), set(2, 2), set(3, 3), set(5, 5)]);
    expect(hex(state.root)).toEqual(hex(naiveRoot(model.tree.entries())));
    expect(state.getAt(keyAt(1), 1n)).toEqual(Uint8Array.of(1));
  });

  it('adopts only what was prepared on the newest version', async () => {
    const store = new MemoryStore();
    const state = await land(store, [set(1, 1)]);
    const stale = state.prepare(1n, [set(1, 2)]);
    await land(store, [set(1, 3)], state);
    expect(() => state.adopt(stale)).toThrow('invariant');
    expect(() => state.prepare(1n, [])).toThrow('version 1');
    expect(() => state.prepare(3n, [])).toThrow('version 1');
  });

  it('writes one root and one mark in a wave that changes nothing', async () => {
    const store = new MemoryStore();
    const state = await land(
      store,
      KEYS.map((_, i) => set(i, i)),
    );
    for (const idle of [
      [],
      [set(3, 3)],
      [{ key: { ...keyAt(3), slot: filled(200) }, value: undefined }],
    ]) {
      const prepared = state.prepare((state.version ?? 0n) + 1n, idle);
      expect(prepared.writes).toHaveLength(2);
      expect(hex(prepared.root)).toEqual(hex(state.root));
      await store.batch(prepared.writes);
      state.adopt(prepared);
    }
    expect(hex(state.rootAt(3n))).toEqual(hex(state.rootAt(0n)));
    expect(state.getAt(keyAt(7), 3n)).toEqual(Uint8Array.of(7));
  });

  it('shows a second handle the newest wave after refresh', async () => {
    const store = new MemoryStore();
    const reader = StateStore.open(store);
    expect(reader.version).toBeUndefined();
    expect(reader.get(keyAt(1))).toBeUndefined();
    const writer = await land(store, [set(1, 1), set(2, 2)]);
    reader.refresh();
    expect(reader.version).toBe(0n);
    await land(store, [set(1, 5)], writer);
    expect(reader.version).toBe(0n);
    reader.refresh();
    expect(reader.version).toBe(1n);
    expect(hex(reader.root)).toEqual(hex(writer.root));
    const root = reader.root;
    const proof = reader.prove(keyAt(1), 1n);
    verifyStateProof({ root, key: keyAt(1), value: Uint8Array.of(5), proof });
  });

  it('answers from memory what it wrote or read, however little it may keep', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(batch, { minLength: 2, maxLength: 6 }),
        fc.constantFrom(0, 2_000, 10_000, 1 << 20),
        async (batches, cachedValueBytes) => {
          const store = new MemoryStore();
          const state = StateStore.open(store, { cachedNodes: 4, cachedValueBytes });
          const model = new Model();
          for (const changes of batches) {
            await land(store, changes, state);
            model.apply(changes);
            state.prefetch(KEYS.slice(0, 10));
            for (const key of KEYS) {
              expect(state.get(key)).toEqual(model.flat.get(stateKeyBytes(key)));
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('reads each prefetched value once, in the order of the store', async () => {
    const asked: string[] = [];
    class Watched extends MemoryStore {
      override get(key: Uint8Array): Uint8Array | undefined {
        if (key[0] === TABLE.state) asked.push(toHex(key.subarray(1)));
        return super.get(key);
      }
    }
    const store = new Watched();
    await land(
      store,
      KEYS.slice(0, 40).map((_, i) => set(i, i)),
    );
    const state = StateStore.open(store);
    state.prefetch([...KEYS, ...KEYS.toReversed()]);
    expect(asked).toEqual(KEYS.map((key) => toHex(stateKeyBytes(key))).toSorted());
    const first = KEYS.map((key) => state.get(key));
    expect(first.slice(0, 40)).toEqual(KEYS.slice(0, 40).map((_, i) => Uint8Array.of(i)));
    expect(first.slice(40)).toEqual(KEYS.slice(40).map(() => undefined));
    expect(KEYS.map((key) => state.get(key)).every((value, i) => value === first[i])).toBe(true);
    expect(asked).toHaveLength(KEYS.length);
  });

  it('keeps no values of its own once another handle has written', async () => {
    const store = new MemoryStore();
    const first = await land(store, [set(1, 1)]);
    first.prefetch([keyAt(1), keyAt(2)]);
    await land(store, [set(1, 2), set(2, 2)]);
    first.refresh();
    expect([first.get(keyAt(1)), first.get(keyAt(2))]).toEqual([filled(2, 1), filled(2, 1)]);
    await land(store, [set(1, 3)]);
    expect(first.get(keyAt(1))).toEqual(filled(3, 1));
  });

  it('makes the same records before and after it moves on', async () => {
    const changes = KEYS.map((_, i) => set(i, i));
    const [early, late] = [new MemoryStore(), new MemoryStore()];
    await land(early, changes);
    const state = StateStore.open(late);
    const prepared = state.prepare(0n, changes);
    state.adopt(prepared);
    await late.batch(prepared.writes);
    for (const table of [TABLE.state, TABLE.jmt, TABLE.meta]) {
      expect(await entriesOf(late, table)).toEqual(await entriesOf(early, table));
    }
  });

  it('follows a writer that lands and prunes between two reads of a refresh', async () => {
    class MovesOn extends MemoryStore {
      ahead: (() => void) | undefined;
      override get(key: Uint8Array): Uint8Array | undefined {
        const value = super.get(key);
        if (key[0] === TABLE.meta && toHex(key).endsWith(NEWEST)) this.ahead?.();
        return value;
      }
    }
    const NEWEST = toHex(new TextEncoder().encode('newest')).slice(2);
    const store = new MovesOn();
    const reader = StateStore.open(store);
    const writer = await land(store, [set(1, 1)]);
    const next = writer.prepare(1n, [set(1, 2)]);
    store.ahead = () => {
      store.ahead = undefined;
      void store.batch(next.writes);
      writer.adopt(next);
      void store.batch(writer.prune(1n, 100));
    };
    reader.refresh();
    expect(reader.version).toBe(1n);
    expect(hex(reader.root)).toEqual(hex(writer.root));
    await store.batch([{ kind: 'delete', key: Uint8Array.of(TABLE.jmt, 0, 0, 0, 0, 0, 0, 0, 1) }]);
    expect(() => StateStore.open(store)).toThrow('has no root of it');
  });

  it('refuses versions that are not there', async () => {
    const store = new MemoryStore();
    const state = StateStore.open(store);
    expect(() => state.getAt(keyAt(1), 0n)).toThrow('no version 0');
    await land(store, [set(1, 1)], state);
    expect(() => state.prove(keyAt(1), 1n)).toThrow('no version 1');
    expect(state.rootAt(1n)).toBeUndefined();
  });

  it('names table and key of a damaged record, and never gives its value', async () => {
    const store = new MemoryStore();
    await land(store, [set(1, 1), set(2, 2)]);
    const damaged = async (table: number) => {
      for await (const [key, value] of store.range({ prefix: Uint8Array.of(table) })) {
        const bad = value.slice();
        bad[0] = (bad[0] ?? 0) ^ 1;
        await store.batch([{ kind: 'put', key, value: bad }]);
      }
    };
    const state = StateStore.open(store);
    await damaged(TABLE.state);
    const key = toHex(stateKeyBytes(keyAt(1)));
    expect(() => state.get(keyAt(1))).toThrow(
      expect.objectContaining({ code: 'state.checksum', details: { table: 'state', key } }),
    );
    await damaged(TABLE.jmt);
    expect(() => state.getAt(keyAt(1), 0n)).toThrow('table jmt is damaged');
    expect(() => StateStore.open(store)).toThrow('table jmt is damaged');
  });
});

describe('pruning', () => {
  async function pruneAll(store: KeyValueStore, keepFrom: bigint, limit: number): Promise<number> {
    const state = StateStore.open(store);
    for (let steps = 0; steps < 1_000; steps++) {
      const writes: StoreWrite[] = state.prune(keepFrom, limit);
      if (writes.length === 0) return steps;
      expect(writes.length).toBeLessThanOrEqual(limit + 258);
      await store.batch(writes, { sync: false });
    }
    throw new Error('pruning does not end');
  }

  it('leaves exactly the records that kept versions reach, and those as they were', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(batch, { minLength: 2, maxLength: 6 }),
        fc.nat(),
        fc.integer({ min: 1, max: 40 }),
        async (batches, pick, limit) => {
          const store = new MemoryStore();
          const models: Model[] = [];
          for (const changes of batches) {
            await land(store, changes);
            models.push((models.at(-1)?.copy() ?? new Model()).apply(changes));
          }
          const keepFrom = BigInt(pick % batches.length);
          await pruneAll(store, keepFrom, limit);
          const state = StateStore.open(store);
          expect(state.oldestVersion).toBe(keepFrom);
          const kept = new Set<string>();
          const nodes = new NodeStore(store, 1);
          for (let version = keepFrom; version < BigInt(batches.length); version++) {
            kept.add(
              toHex(Uint8Array.from({ length: 8 }, (_, i) => (i === 7 ? Number(version) : 0))),
            );
            for (const name of reachable(nodes, nodes.root(version)?.root, filled(0), 0)) {
              kept.add(name);
            }
            const model = models[Number(version)];
            const root = state.rootAt(version);
            expect(hex(root)).toEqual(hex(naiveRoot(model?.tree.entries() ?? [])));
            for (const key of KEYS.slice(0, 20)) {
              const value = state.getAt(key, version);
              expect(value).toEqual(model?.flat.get(stateKeyBytes(key)));
            }
          }
          const left = [...(await entriesOf(store, TABLE.jmt)).keys()];
          expect(left.toSorted()).toEqual([...kept].toSorted());
        },
      ),
      { numRuns: 25 },
    );
  });

  it('answers for a pruned version with the oldest one that is kept', async () => {
    const store = new MemoryStore();
    for (let i = 0; i < 5; i++) await land(store, [set(1, i), set(2, i)]);
    const reader = StateStore.open(store);
    expect(await pruneAll(store, 3n, 1)).toBeGreaterThan(1);
    for (const read of [
      () => reader.getAt(keyAt(1), 2n),
      () => reader.prove(keyAt(1), 2n),
      () => [...reader.entriesAt(2n)],
    ]) {
      expect(read).toThrow(
        expect.objectContaining({
          code: 'state.pruned',
          details: { version: '2', oldest: '3' },
        }),
      );
    }
    expect(reader.rootAt(2n)).toBeUndefined();
    expect(reader.getAt(keyAt(1), 3n)).toEqual(Uint8Array.of(3));
  });

  it('tells a reader in the middle of a version that it was pruned', async () => {
    const store = new MemoryStore();
    await land(
      store,
      KEYS.map((_, i) => set(i, 1)),
    );
    await land(
      store,
      KEYS.map((_, i) => set(i, 2)),
    );
    const entries = StateStore.open(store, { cachedNodes: 1 }).entriesAt(0n);
    entries.next();
    await pruneAll(store, 1n, 1_000);
    const rest = () => [...entries];
    expect(rest).toThrow(expect.objectContaining({ code: 'state.pruned' }));
  });

  it('tells a reader in another thread that its nodes went while it walked', async () => {
    class PrunedMeanwhile extends MemoryStore {
      writes: StoreWrite[] = [];
      override get(key: Uint8Array): Uint8Array | undefined {
        const [table, count] = [key[0], key.length];
        // The first node that is asked for: a root lies at eight bytes after the table's prefix.
        if (table === TABLE.jmt && count > 9 && this.writes.length > 0) {
          void this.batch(this.writes.splice(0));
        }
        return super.get(key);
      }
    }
    const store = new PrunedMeanwhile();
    await land(
      store,
      KEYS.map((_, i) => set(i, 1)),
    );
    const writer = await land(
      store,
      KEYS.map((_, i) => set(i, 2)),
    );
    const reader = StateStore.open(store);
    store.writes = writer.prune(1n, 1_000);
    expect(() => reader.getAt(keyAt(1), 0n)).toThrow(
      expect.objectContaining({ code: 'state.pruned' }),
    );
    expect(reader.getAt(keyAt(1), 1n)).toEqual(Uint8Array.of(2));
  });

  it('keeps the newest version, whatever it is asked for', async () => {
    const store = new MemoryStore();
    for (let i = 0; i < 3; i++) await land(store, [set(1, i)]);
    await pruneAll(store, 100n, 10);
    expect(StateStore.open(store).oldestVersion).toBe(2n);
    const state = await land(store, [set(1, 7)]);
    expect(state.get(keyAt(1))).toEqual(Uint8Array.of(7));
  });
});

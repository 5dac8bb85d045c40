/** Keys, proofs, snapshots and the records of the state's tables. */
import { concatBytes, decodeExactly, encode, u64BigEndian } from '../../bytes/index.ts';
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import type { SeededRandom } from '../../bytes/testing/random.ts';
import { MemoryStore } from '../../platform/index.ts';
import type { StateRoot } from '../../types/index.ts';
import { type StateKey, stateKeyBytes, stateKeyFromBytes, treeKeyOfBytes } from '../key.ts';
import { decodeInnerNode, InnerNode } from '../node.ts';
import { NodeStore } from '../node-store.ts';
import { nodeSuffix } from '../node-suffix.ts';
import {
  decodeStateProof,
  encodeStateProof,
  MAX_PROOF_BYTES,
  type StateProof,
  verifyTreeProof,
} from '../proof.ts';
import { decodeSnapshot, encodeSnapshot, loadSnapshot, type Snapshot } from '../snapshot.ts';
import { readStalePage, StaleList } from '../stale-list.ts';
import { StateStore } from '../state-store.ts';
import { openRecord, sealRecord, TABLE, Table } from '../table.ts';
import { VersionMarks } from '../version-marks.ts';

const key = (kind: StateKey['kind'], fill: number): StateKey => ({
  kind,
  owner: new Uint8Array(32).fill(fill),
  slot: new Uint8Array(32).fill(fill + 1),
});

/** A state of a few entries; key i is absent from it when `absent` says so. */
async function smallState(entries: number): Promise<StateStore> {
  const store = new MemoryStore();
  const state = StateStore.open(store);
  const changes = Array.from({ length: entries }, (_, i) => ({
    key: key(0, i),
    value: new Uint8Array(10 + i).fill(i),
  }));
  const prepared = state.prepare(0n, changes);
  await store.batch(prepared.writes);
  state.adopt(prepared);
  return state;
}

const state = await smallState(40);
const loneState = await smallState(1);
const rootOf = (of: StateStore): StateRoot => {
  const root = of.rootAt(0n);
  if (root === undefined) throw new Error('version 0 is kept');
  return root;
};

const present = state.prove(key(0, 3), 0n);
const absent = Array.from({ length: 40 }, (_, i) => state.prove(key(1, i), 0n));
const proofOf = (end: StateProof['end']['kind']): StateProof => {
  const found = [present, ...absent].find((proof) => proof.end.kind === end);
  if (found === undefined) throw new Error(`no proof ends at ${end}`);
  return found;
};
const absentKey = (kind: 'empty' | 'other-leaf'): Uint8Array =>
  treeKeyOfBytes(stateKeyBytes(key(1, absent.indexOf(proofOf(kind)))));

/** Hashing what a proof says, and storing what a snapshot says, take copies of their own. */
const computes = (length: number) => ({
  largest: (1 << 20) + 8 * length,
  total: (16 << 20) + 256 * length,
});

const proofTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'state proof',
    seeds: (['present', 'empty', 'other-leaf'] as const).map((end) =>
      encodeStateProof(proofOf(end)),
    ),
    decode: decodeStateProof,
    encode: encodeStateProof,
    craft: (random, seed) =>
      random.oneIn(8)
        ? new Uint8Array(MAX_PROOF_BYTES + random.below(3))
        : seed.with(0, random.below(4)),
  }),
  ...(['present', 'empty', 'other-leaf'] as const).map((end) =>
    bytesTarget({
      name: `state proof that ends at ${end}, verified`,
      seeds: [encodeStateProof(proofOf(end))],
      // Nothing but the proof itself proves: an accepted one is the honest one.
      decode: (bytes) => {
        const proof = decodeStateProof(bytes);
        const [treeKey, value] =
          end === 'present'
            ? [treeKeyOfBytes(stateKeyBytes(key(0, 3))), new Uint8Array(13).fill(3)]
            : [absentKey(end), undefined];
        verifyTreeProof(rootOf(state), treeKey, value, proof);
      },
      encode: () => encodeStateProof(proofOf(end)),
      craft: (random, seed) =>
        otherEnd(random, seed, end === 'present' ? undefined : absentKey(end)),
      bound: computes,
      share: 0.3,
    }),
  ),
];

/** A proof of absence that ends at the key's own leaf, or at one that leaves its path. */
function otherEnd(
  random: SeededRandom,
  seed: Uint8Array,
  ownKey: Uint8Array | undefined,
): Uint8Array {
  const leaf = (ownKey ?? new Uint8Array(32)).slice();
  if (random.oneIn(2)) leaf[0] = (leaf[0] ?? 0) ^ (1 << random.below(8));
  const rest = seed[0] === 2 ? seed.subarray(1 + 96) : seed.subarray(1);
  return concatBytes(Uint8Array.of(2), leaf, new Uint8Array(64), rest);
}

const snapshotOf = (of: StateStore, chunkBytes: number): Uint8Array =>
  encodeSnapshot(of, 0n, { maxBytes: 1 << 20, chunkBytes });
const encodeShape = ({ version, root, totalKeys, chunks }: Snapshot): Uint8Array =>
  encode((w) =>
    w
      .fixed(new TextEncoder().encode('pyde/snapshot/1'))
      .u64(version)
      .fixed(root.blake3)
      .fixed(root.poseidon2)
      .u64(totalKeys)
      .vec(chunks, (v, chunk) => v.bytes(chunk)),
  );
const smallSnapshot = decodeSnapshot(snapshotOf(state, 800));
const [smallChunk = new Uint8Array(0)] = smallSnapshot.chunks;

/** Reads a chunk as the snapshot does, for its fields; the value is nothing. */
const readChunk = (bytes: Uint8Array): unknown =>
  decodeExactly(bytes, (reader) =>
    reader.vec(bytes.length, 69, (r) => [r.fixed(65), r.bytes(bytes.length)]),
  );

const snapshotTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'snapshot file',
    seeds: [snapshotOf(state, 800), snapshotOf(loneState, 800)],
    decode: decodeSnapshot,
    encode: encodeShape,
  }),
  bytesTarget({
    name: 'snapshot, loaded',
    seeds: [snapshotOf(state, 800)],
    layout: decodeSnapshot,
    decode: async (bytes) => {
      const store = new MemoryStore();
      await loadSnapshot(store, decodeSnapshot(bytes), rootOf(state));
      return { bytes, found: StateStore.open(store) };
    },
    // The version and the roots that the file names are not part of what is checked against trust.
    encode: ({ bytes, found }) => {
      const [loaded, given] = [found.version, decodeSnapshot(bytes)];
      if (loaded === undefined) return new Uint8Array(0);
      const again = decodeSnapshot(encodeSnapshot(found, loaded, { maxBytes: 1 << 20 }));
      const entries = (of: Snapshot) => concatBytes(...of.chunks.map((chunk) => chunk.subarray(4)));
      const same = concatBytes(entries(again)).join() === entries(given).join();
      return same ? bytes : new Uint8Array(0);
    },
    bound: computes,
    share: 0.1,
  }),
  bytesTarget({
    name: 'snapshot for a store that holds a state',
    seeds: [],
    layout: decodeSnapshot,
    decode: async () => {
      const store = new MemoryStore();
      await store.batch([new VersionMarks(store).putNewest(3n)]);
      await loadSnapshot(store, smallSnapshot, rootOf(state));
    },
    bound: computes,
    share: 0.01,
  }),
  bytesTarget({
    name: 'snapshot chunk, loaded',
    seeds: [smallChunk],
    layout: readChunk,
    decode: async (bytes) => {
      const store = new MemoryStore();
      const snapshot = { ...smallSnapshot, chunks: [bytes, ...smallSnapshot.chunks.slice(1)] };
      await loadSnapshot(store, snapshot, rootOf(state));
    },
    encode: () => smallChunk,
    bound: computes,
    share: 0.2,
  }),
];

const LEAF = new Uint8Array(32).fill(0xab);
const node = new InnerNode(5n, 0b1000_0000_0001_0110, 0b0000_0000_0001_0010);
node.record().fill(7, 4);
const stale = new StaleList();
stale.add(3n, LEAF, 64);
stale.add(3n, LEAF, 5);
const [stalePage = new Uint8Array(0)] = stale.pages();
const RECORD_KEY = Uint8Array.of(TABLE.meta, 1, 2);

/** A node store with one record that has a checksum that holds and any contents. */
async function nodesWith(suffix: Uint8Array, value: Uint8Array): Promise<NodeStore> {
  const store = new MemoryStore();
  await store.batch([new Table(store, TABLE.jmt).put(suffix, value)]);
  return new NodeStore(store, 16);
}

async function marksWith(name: string, value: Uint8Array): Promise<VersionMarks> {
  const store = new MemoryStore();
  const suffix = new TextEncoder().encode(name);
  await store.batch([new Table(store, TABLE.meta).put(suffix, value)]);
  return new VersionMarks(store);
}

const hashes = new Uint8Array(64).fill(9);
const rootRecord = (tail: Uint8Array) => concatBytes(hashes, new Uint8Array(4), tail);

const recordTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'state key',
    seeds: [0, 1, 2, 3, 4].map((kind) => new Uint8Array(65).fill(8).with(0, kind)),
    decode: stateKeyFromBytes,
    encode: stateKeyBytes,
  }),
  bytesTarget({
    name: 'sealed record',
    seeds: [0, 1, 40].map((n) => sealRecord(RECORD_KEY, new Uint8Array(n))),
    decode: (bytes) => openRecord(RECORD_KEY, bytes),
    encode: (value) => sealRecord(RECORD_KEY, value),
    bound: computes,
  }),
  ...[Uint8Array.of(0x99, 1), new Uint8Array(0)].map((unknown) =>
    bytesTarget({
      name: `sealed record of no table, key of ${unknown.length} bytes`,
      seeds: [sealRecord(unknown, new Uint8Array(3))],
      decode: (bytes) => openRecord(unknown, bytes),
      encode: (value) => sealRecord(unknown, value),
      bound: computes,
      share: 0.1,
    }),
  ),
  bytesTarget({
    name: 'inner node record',
    seeds: [node.record().slice()],
    decode: (bytes) => decodeInnerNode(bytes, 5n),
    encode: (found) => found.record().slice(),
    craft: (random, seed) => {
      const [at, bit] = [random.below(4), 1 << random.below(8)];
      return seed.with(at, (seed[at] ?? 0) ^ bit);
    },
    // Nodes share slabs of memory.
    bound: computes,
  }),
  bytesTarget({
    name: 'leaf record',
    seeds: [65, 66, 100].map((n) => new Uint8Array(n).fill(1)),
    layout: (bytes) => decodeExactly(bytes, (r) => [r.fixed(65), r.fixed(r.remaining)]),
    decode: async (bytes) => {
      const nodes = await nodesWith(nodeSuffix({ version: 1n, key: LEAF, depth: 64 }), bytes);
      return nodes.leaf(1n, LEAF);
    },
    encode: ({ stateKey, value }) => concatBytes(stateKey, value),
    bound: computes,
    share: 0.3,
  }),
  bytesTarget({
    name: 'root record',
    seeds: [
      concatBytes(new Uint8Array(68), Uint8Array.of(0)),
      rootRecord(concatBytes(Uint8Array.of(1), new Uint8Array(8), LEAF)),
      rootRecord(concatBytes(Uint8Array.of(2), new Uint8Array(8))),
    ],
    layout: (bytes) =>
      decodeExactly(bytes, (r) => [
        r.fixed(32),
        r.fixed(32),
        r.u32(),
        r.tag(3, ''),
        r.fixed(r.remaining),
      ]),
    decode: async (bytes) => {
      const nodes = await nodesWith(u64BigEndian(1n), bytes);
      return { nodes, found: nodes.root(1n) };
    },
    encode: ({ nodes, found }) => {
      if (found === undefined) return new Uint8Array(0);
      const write = nodes.putRoot(1n, found);
      return write.kind === 'put' ? openRecord(write.key, write.value) : new Uint8Array(0);
    },
    bound: computes,
    share: 0.3,
  }),
  bytesTarget({
    name: 'page of stale nodes',
    seeds: [stalePage],
    decode: readStalePage,
    encode: (keys) => encode((w) => w.vec(keys, (v, one) => v.bytes(one))),
  }),
  bytesTarget({
    name: 'mark of the newest version',
    seeds: [new Uint8Array(8).fill(1)],
    layout: (bytes) => decodeExactly(bytes, (r) => r.u64()),
    decode: async (bytes) => (await marksWith('state/newest', bytes)).newest() ?? -1n,
    encode: (version) => encode((w) => w.u64(version)),
    bound: computes,
    share: 0.2,
  }),
  bytesTarget({
    name: 'mark of the oldest version',
    seeds: [new Uint8Array(12).fill(1)],
    layout: (bytes) => decodeExactly(bytes, (r) => [r.u64(), r.u32()]),
    decode: async (bytes) => (await marksWith('state/oldest', bytes)).oldest(),
    encode: (mark) =>
      mark === undefined ? new Uint8Array(0) : encode((w) => w.u64(mark.version).u32(mark.page)),
    bound: computes,
    share: 0.2,
  }),
];

export const stateTargets: readonly FuzzTarget[] = [
  ...proofTargets,
  ...snapshotTargets,
  ...recordTargets,
];

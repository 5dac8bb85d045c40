/**
 * The whole state at one version as a list of chunks, and as one file
 * (spec/rpc.md `pyde_getSnapshotManifest`, `pyde_getSnapshot`; design/light-client.md, "Snapshot
 * sync"; docs/protocol/encoding-state.md, "Snapshot").
 *
 * A chunk is a contiguous range of leaves in order of tree keys, the order in which a range can be
 * proven against the root. The list of chunks is a function of the state alone. A file is trusted
 * for nothing: loading recomputes both roots and compares them with the one that is trusted.
 */
import {
  type BorshReader,
  compareBytes,
  decodeExactly,
  encode,
  equalBytes,
  PydeError,
} from '../bytes/index.ts';
import { blake3, isCanonicalPoseidon2 } from '../crypto/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { type StateRoot, toHash } from '../types/index.ts';
import { STATE_KEY_BYTES, stateKeyBytes, stateKeyFromBytes, treeKeyOfBytes } from './key.ts';
import { NodeStore } from './node-store.ts';
import { RecordBatch } from './record-batch.ts';
import type { StateStore } from './state-store.ts';
import { TABLE } from './table.ts';
import { rootHash, type TreeRoot, updateTree } from './tree.ts';
import { NODE_HASH_BYTES, type NodeHash } from './tree-hash.ts';
import { VersionMarks } from './version-marks.ts';

/** A chunk ends before the entry that would take it past this; a larger entry is a chunk alone. */
export const SNAPSHOT_CHUNK_BYTES = 4 * 1024 * 1024;

const MAGIC = new TextEncoder().encode('pyde/snapshot/1');
const COUNT_BYTES = 4;
const MIN_ENTRY_BYTES = STATE_KEY_BYTES + COUNT_BYTES;
/** A chunk in a file: its length, its count, and at least one entry. */
const MIN_CHUNK_BYTES = COUNT_BYTES + COUNT_BYTES + MIN_ENTRY_BYTES;
const MAX_CHUNKS = 1 << 20;
const LOADING_CACHED_NODES = 16_384;
const DELETES_PER_BATCH = 1_024;

export interface SnapshotManifest {
  readonly version: bigint;
  readonly root: StateRoot;
  /** Upper bound of a chunk of more than one entry, in bytes. */
  readonly chunkBytes: number;
  /** Blake3 of each chunk. */
  readonly chunkHashes: readonly Uint8Array[];
  readonly totalKeys: bigint;
}

/** A file whose shape was checked; what it says about the state was not. */
export interface Snapshot {
  readonly version: bigint;
  readonly root: StateRoot;
  readonly totalKeys: bigint;
  readonly chunks: readonly Uint8Array[];
}

interface SnapshotEntry {
  /** kind ‖ owner ‖ slot. */
  readonly stateKey: Uint8Array;
  readonly value: Uint8Array;
}

/** A chunk, and how many entries are in it. */
export interface SnapshotChunk {
  readonly bytes: Uint8Array;
  readonly keys: number;
}

/**
 * The chunks of `version`, each read when it is asked for: the reader may do other work in between.
 * @throws PydeError `state.pruned`, `state.unknown-version`
 */
export function* readSnapshotChunks(
  state: StateStore,
  version: bigint,
  chunkBytes = SNAPSHOT_CHUNK_BYTES,
): Generator<SnapshotChunk> {
  let entries: SnapshotEntry[] = [];
  let size = COUNT_BYTES;
  for (const entry of state.entriesAt(version)) {
    const entryBytes = MIN_ENTRY_BYTES + entry.value.length;
    if (entries.length > 0 && size + entryBytes > chunkBytes) {
      yield { bytes: encodeChunk(entries), keys: entries.length };
      entries = [];
      size = COUNT_BYTES;
    }
    entries.push(entry);
    size += entryBytes;
  }
  if (entries.length > 0) yield { bytes: encodeChunk(entries), keys: entries.length };
}

/**
 * What `version` would be sent as. Holds one chunk at a time.
 * @throws PydeError `state.pruned`, `state.unknown-version`
 */
export function describeSnapshot(
  state: StateStore,
  version: bigint,
  chunkBytes = SNAPSHOT_CHUNK_BYTES,
): SnapshotManifest {
  const chunkHashes: Uint8Array[] = [];
  let totalKeys = 0n;
  for (const { bytes, keys } of readSnapshotChunks(state, version, chunkBytes)) {
    chunkHashes.push(blake3(bytes));
    totalKeys += BigInt(keys);
  }
  return { version, root: rootOf(state, version), chunkBytes, chunkHashes, totalKeys };
}

/**
 * The file of `version`: "pyde/snapshot/1" ‖ version u64 ‖ Blake3 root ‖ Poseidon2 root
 * ‖ total keys u64 ‖ Vec<Vec<u8>> of chunks.
 * @throws PydeError `state.snapshot-size` above `maxBytes`, `state.pruned`, `state.unknown-version`
 */
export function encodeSnapshot(
  state: StateStore,
  version: bigint,
  { maxBytes, chunkBytes = SNAPSHOT_CHUNK_BYTES }: { maxBytes: number; chunkBytes?: number },
): Uint8Array {
  const chunks: Uint8Array[] = [];
  let totalKeys = 0n;
  let size = MAGIC.length + 8 + 2 * NODE_HASH_BYTES + 8 + COUNT_BYTES;
  for (const { bytes, keys } of readSnapshotChunks(state, version, chunkBytes)) {
    size += COUNT_BYTES + bytes.length;
    if (size > maxBytes) {
      throw new PydeError(
        'state.snapshot-size',
        `the snapshot of version ${version} is larger than ${maxBytes} bytes: ` +
          'take it chunk by chunk',
        { version: version.toString(), maxBytes },
      );
    }
    chunks.push(bytes);
    totalKeys += BigInt(keys);
  }
  const root = rootOf(state, version);
  return encode((writer) =>
    writer
      .fixed(MAGIC)
      .u64(version)
      .fixed(root.blake3)
      .fixed(root.poseidon2)
      .u64(totalKeys)
      .vec(chunks, (w, chunk) => w.bytes(chunk)),
  );
}

/**
 * Reads the shape of a snapshot file from anyone. The caller bounds the length of `bytes`.
 * @throws PydeError `state.snapshot-format`, `borsh.…`
 */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  return decodeExactly(bytes, (reader) => {
    if (reader.remaining < MAGIC.length || !equalBytes(reader.fixed(MAGIC.length), MAGIC)) {
      throw new PydeError(
        'state.snapshot-format',
        'this is no snapshot file of this format: it does not start with "pyde/snapshot/1"',
      );
    }
    const version = reader.u64();
    const root = readRoot(reader);
    const totalKeys = reader.u64();
    const chunks = reader.vec(MAX_CHUNKS, MIN_CHUNK_BYTES, (r) => r.bytes(bytes.length));
    return { version, root, totalKeys, chunks };
  });
}

/**
 * Fills an empty store with a snapshot and checks that its state has `trustedRoot`. On a refusal
 * the store is left without state. A store where loading was cut short is refused by
 * `StateStore.open`, and can be loaded again.
 * @throws PydeError `state.snapshot-not-empty`, `state.snapshot-order`, `state.snapshot-keys`,
 *   `state.snapshot-root`, `state.key`, `borsh.…`
 */
export async function loadSnapshot(
  store: KeyValueStore,
  snapshot: Snapshot,
  trustedRoot: StateRoot,
): Promise<void> {
  const { version } = snapshot;
  const marks = new VersionMarks(store);
  const present = marks.newest();
  if (present !== undefined) {
    throw new PydeError(
      'state.snapshot-not-empty',
      `the store holds the state of version ${present}: load a snapshot into an empty store`,
      { version: present.toString() },
    );
  }
  await store.batch([marks.putLoading()], { sync: true });
  await dropState(store);
  try {
    const nodes = new NodeStore(store, LOADING_CACHED_NODES);
    const root = await loadChunks(store, nodes, snapshot);
    const hash = rootHash(root);
    requireRoot(hash, trustedRoot);
    const final = [
      nodes.putRoot(version, { root, hash, stalePages: 0 }),
      marks.putNewest(version),
      marks.putOldest({ version, page: 0 }),
      marks.deleteLoading(),
    ];
    await store.batch(final, { sync: true });
  } catch (error) {
    await dropState(store);
    await store.batch([marks.deleteLoading()], { sync: true });
    throw error;
  }
}

async function loadChunks(
  store: KeyValueStore,
  nodes: NodeStore,
  { version, chunks, totalKeys }: Snapshot,
): Promise<TreeRoot> {
  let root: TreeRoot;
  let last: Uint8Array | undefined;
  let keys = 0n;
  for (const [index, chunk] of chunks.entries()) {
    const entries = decodeChunk(chunk).map((entry) => ({
      ...entry,
      key: treeKeyOfBytes(entry.stateKey),
    }));
    for (const { key } of entries) {
      if (last !== undefined && compareBytes(last, key) >= 0) throw outOfOrder(index);
      last = key;
    }
    keys += BigInt(entries.length);
    const update = updateTree(nodes, root, version, entries);
    const batch = new RecordBatch();
    for (const { key, stateKey, value } of entries) {
      batch.put(TABLE.state, stateKey, value);
      nodes.putLeaf(batch, version, key, { stateKey, value });
    }
    for (const written of update.nodes) nodes.putInnerNode(batch, written);
    await store.batch(batch.seal(), { sync: false });
    for (const { node, key, depth } of update.nodes) nodes.remember(node, key, depth);
    root = update.root;
  }
  if (keys === totalKeys) return root;
  throw new PydeError(
    'state.snapshot-keys',
    `the snapshot says that it has ${totalKeys} keys and has ${keys}`,
    { said: totalKeys.toString(), found: keys.toString() },
  );
}

/** Vec of kind u8 ‖ owner ‖ slot ‖ value Vec<u8>. */
function encodeChunk(entries: readonly SnapshotEntry[]): Uint8Array {
  const size = entries.reduce((sum, { value }) => sum + MIN_ENTRY_BYTES + value.length, 0);
  const out = new Uint8Array(COUNT_BYTES + size);
  const view = new DataView(out.buffer);
  view.setUint32(0, entries.length, true);
  let at = COUNT_BYTES;
  for (const { stateKey, value } of entries) {
    out.set(stateKey, at);
    view.setUint32(at + STATE_KEY_BYTES, value.length, true);
    out.set(value, at + MIN_ENTRY_BYTES);
    at += MIN_ENTRY_BYTES + value.length;
  }
  return out;
}

function decodeChunk(bytes: Uint8Array): SnapshotEntry[] {
  return decodeExactly(bytes, (reader) =>
    reader.vec(bytes.length, MIN_ENTRY_BYTES, (r) => {
      const stateKey = stateKeyBytes(stateKeyFromBytes(r.fixed(STATE_KEY_BYTES)));
      return { stateKey, value: r.bytes(bytes.length) };
    }),
  );
}

function readRoot(reader: BorshReader): StateRoot {
  const blake3Root = toHash(reader.fixed(NODE_HASH_BYTES));
  const poseidon2Root = toHash(reader.fixed(NODE_HASH_BYTES));
  if (!isCanonicalPoseidon2(poseidon2Root)) {
    throw new PydeError(
      'state.snapshot-format',
      'the Poseidon2 root of the snapshot has an element above the field',
    );
  }
  return { blake3: blake3Root, poseidon2: poseidon2Root };
}

function requireRoot(found: NodeHash, trusted: StateRoot): void {
  for (const family of ['blake3', 'poseidon2'] as const) {
    if (equalBytes(found[family], trusted[family])) continue;
    throw new PydeError(
      'state.snapshot-root',
      `the state of the snapshot has another ${family} root than the one that is trusted: ` +
        'it was not loaded; take the snapshot from another source',
      { family },
    );
  }
}

function rootOf(state: StateStore, version: bigint): StateRoot {
  const root = state.rootAt(version);
  if (root !== undefined) return root;
  throw new PydeError(
    'state.pruned',
    `the state of version ${version} was pruned while its snapshot was taken: take a newer one`,
    { version: version.toString(), oldest: state.oldestVersion?.toString() ?? null },
  );
}

function outOfOrder(chunk: number): PydeError {
  return new PydeError(
    'state.snapshot-order',
    `chunk ${chunk} of the snapshot has an entry that does not follow the one before it`,
    { chunk },
  );
}

/** Removes what an unfinished loading left. */
async function dropState(store: KeyValueStore): Promise<void> {
  for (const prefix of [TABLE.state, TABLE.jmt, TABLE.jmtStale]) {
    let deletes: StoreWrite[] = [];
    for await (const [key] of store.range({ prefix: Uint8Array.of(prefix) })) {
      deletes.push({ kind: 'delete', key });
      if (deletes.length < DELETES_PER_BATCH) continue;
      await store.batch(deletes, { sync: false });
      deletes = [];
    }
    await store.batch(deletes, { sync: false });
  }
}

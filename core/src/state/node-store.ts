/**
 * Tree records in the store (docs/protocol/encoding-state.md, "Tree records").
 *
 * A node lies at version ‖ nibble count ‖ nibbles: an internal node under its path, a leaf under
 * its whole key, so that a leaf keeps its record when the tree around it grows or shrinks. A root
 * lies at its version alone. Nodes never change once written; newest internal nodes are kept
 * decoded in a bounded cache.
 */
import {
  BorshReader,
  concatBytes,
  encode,
  isZeroBytes,
  PydeError,
  toHex,
  u64BigEndian,
} from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { STATE_KEY_BYTES, TREE_KEY_BYTES } from './key.ts';
import { decodeInnerNode, type InnerNode } from './node.ts';
import {
  MAX_NODE_SUFFIX_BYTES,
  type NodeLocation,
  nodeSuffix,
  writeNodeSuffix,
} from './node-suffix.ts';
import type { RecordBatch } from './record-batch.ts';
import { TABLE, Table } from './table.ts';
import { KEY_NIBBLES, type NodeReader, type TreeRoot, type WrittenNode } from './tree.ts';
import { EMPTY_HASH, NODE_HASH_BYTES, type NodeHash } from './tree-hash.ts';

/** Deepest path whose name is an exact number: 12 nibbles and a depth below 16 make 52 bits. */
const CACHED_DEPTH = 12;

export interface LeafRecord {
  /** kind ‖ owner ‖ slot. */
  readonly stateKey: Uint8Array;
  readonly value: Uint8Array;
}

export interface RootRecord {
  readonly root: TreeRoot;
  readonly hash: NodeHash;
  /** Pages of the list of nodes that this version made stale. */
  readonly stalePages: number;
}

export class NodeStore implements NodeReader {
  readonly #table: Table;
  readonly #suffix = new Uint8Array(MAX_NODE_SUFFIX_BYTES);
  readonly #cache: NodeCache;

  /** @param cachedNodes bound of the cache; an internal node takes 0.5 to 3 KiB in it */
  constructor(store: KeyValueStore, cachedNodes: number) {
    this.#table = new Table(store, TABLE.jmt);
    this.#cache = new NodeCache(cachedNodes);
  }

  /** @throws PydeError `state.missing-node`, `state.checksum`, `state.node-record` */
  innerNode(version: bigint, key: Uint8Array, depth: number): InnerNode {
    const cached = this.#cache.get(key, depth);
    if (cached?.version === version) return cached;
    const node = decodeInnerNode(this.#read({ version, key, depth }), version);
    if (cached === undefined || cached.version < version) this.#cache.set(key, depth, node);
    return node;
  }

  /** @throws PydeError `state.missing-node`, `state.checksum`, `state.node-record` */
  leaf(version: bigint, key: Uint8Array): LeafRecord {
    const bytes = this.#read({ version, key, depth: KEY_NIBBLES });
    if (bytes.length < STATE_KEY_BYTES) throw badRecord('leaf', bytes);
    return { stateKey: bytes.slice(0, STATE_KEY_BYTES), value: bytes.slice(STATE_KEY_BYTES) };
  }

  /** Keeps a node that was just written. */
  remember(node: InnerNode, key: Uint8Array, depth: number): void {
    this.#cache.set(key, depth, node);
  }

  putInnerNode(batch: RecordBatch, { node, key, depth }: WrittenNode): void {
    batch.put(TABLE.jmt, this.#suffixOf(node.version, key, depth), node.record());
  }

  putLeaf(batch: RecordBatch, version: bigint, key: Uint8Array, leaf: LeafRecord): void {
    batch.put(TABLE.jmt, this.#suffixOf(version, key, KEY_NIBBLES), leaf.stateKey, leaf.value);
  }

  deleteNode(suffix: Uint8Array): StoreWrite {
    return this.#table.delete(suffix);
  }

  /** Undefined when no tree of that version is kept. */
  root(version: bigint): RootRecord | undefined {
    const bytes = this.#table.get(u64BigEndian(version));
    return bytes === undefined ? undefined : decodeRootRecord(bytes);
  }

  putRoot(version: bigint, record: RootRecord): StoreWrite {
    return this.#table.put(u64BigEndian(version), encodeRootRecord(record));
  }

  deleteRoot(version: bigint): StoreWrite {
    return this.#table.delete(u64BigEndian(version));
  }

  /** A view that the next call overwrites. */
  #suffixOf(version: bigint, key: Uint8Array, depth: number): Uint8Array {
    const length = writeNodeSuffix(this.#suffix, 0, version, key, depth);
    return this.#suffix.subarray(0, length);
  }

  #read(location: NodeLocation): Uint8Array {
    const suffix = nodeSuffix(location);
    const bytes = this.#table.get(suffix);
    if (bytes !== undefined) return bytes;
    throw new PydeError(
      'state.missing-node',
      `the tree refers to node ${toHex(suffix)}, which table jmt does not hold: ` +
        'the store is damaged; restore it, or start from an empty one and synchronise',
      { key: toHex(suffix) },
    );
  }
}

const ROOT_EMPTY = 0;
const ROOT_LEAF = 1;

/** Blake3 ‖ Poseidon2 ‖ stale pages u32 ‖ 0 | 1 version u64, key | 2 version u64. */
function encodeRootRecord({ root, hash, stalePages }: RootRecord): Uint8Array {
  return encode((writer) => {
    writer.fixed(hash.blake3).fixed(hash.poseidon2).u32(stalePages);
    if (root === undefined) writer.u8(ROOT_EMPTY);
    else if (root.kind === 'leaf') writer.u8(ROOT_LEAF).u64(root.version).fixed(root.key);
    else writer.u8(2).u64(root.version);
  });
}

function decodeRootRecord(bytes: Uint8Array): RootRecord {
  const reader = new BorshReader(bytes);
  const blake3 = reader.fixed(NODE_HASH_BYTES);
  const hash = { blake3, poseidon2: reader.fixed(NODE_HASH_BYTES) };
  const stalePages = reader.u32();
  const root = readRoot(reader, hash);
  reader.end();
  return { root, hash: root === undefined ? EMPTY_HASH : hash, stalePages };
}

function readRoot(reader: BorshReader, hash: NodeHash): TreeRoot {
  const tag = reader.tag(3, 'tree root');
  if (tag === ROOT_EMPTY) {
    if (isZeroBytes(hash.blake3) && isZeroBytes(hash.poseidon2)) return undefined;
    throw badRecord('tree root', concatBytes(hash.blake3, hash.poseidon2));
  }
  const version = reader.u64();
  return tag === ROOT_LEAF
    ? { kind: 'leaf', version, key: reader.fixed(TREE_KEY_BYTES), hash }
    : { kind: 'inner', version, hash };
}

function badRecord(what: string, bytes: Uint8Array): PydeError {
  return new PydeError(
    'state.node-record',
    `a ${what} record of ${bytes.length} bytes is not well-formed: ` +
      'the store was written by another program; start from an empty one',
    { length: bytes.length },
  );
}

/**
 * The newest known node of each path, at most `capacity`: two generations, the older one dropped
 * whole when the younger is full. Nodes are immutable, so an entry can be old but never wrong.
 */
class NodeCache {
  readonly #capacity: number;
  #young = new Map<number, InnerNode>();
  #old = new Map<number, InnerNode>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: Uint8Array, depth: number): InnerNode | undefined {
    if (depth > CACHED_DEPTH) return undefined;
    const name = pathNumber(key, depth);
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) this.#insert(name, old);
    return old;
  }

  set(key: Uint8Array, depth: number, node: InnerNode): void {
    if (depth > CACHED_DEPTH) return;
    const name = pathNumber(key, depth);
    const before = this.#young.get(name) ?? this.#old.get(name);
    this.#insert(name, node);
    node.keep();
    if (before !== node) before?.release();
  }

  #insert(name: number, node: InnerNode): void {
    if (this.#young.size * 2 >= this.#capacity) this.#dropOld();
    this.#young.set(name, node);
  }

  #dropOld(): void {
    for (const [name, node] of this.#old) {
      if (this.#young.get(name) !== node) node.release();
    }
    this.#old = this.#young;
    this.#young = new Map();
    for (const node of this.#old.values()) node.compact();
  }
}

/** The first `depth` ≤ 12 nibbles and the depth as one number below 2⁵². */
function pathNumber(key: Uint8Array, depth: number): number {
  let path = 0;
  for (let i = 0; i < depth; i++) {
    const byte = key[i >> 1] ?? 0;
    path = path * 16 + ((i & 1) === 0 ? byte >> 4 : byte & 15);
  }
  return path * 16 + depth;
}

/**
 * The state tree written naively from the definition of its root alone, for tests to compare with;
 * and a tree over raw 32-byte keys, so that tests choose key prefixes that hashes would not give.
 */
import { concatBytes, toHex } from '../bytes/index.ts';
import { blake3, poseidon2Compress, poseidon2State } from '../crypto/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { proveKey } from './lookup.ts';
import { NodeStore } from './node-store.ts';
import type { StateProof } from './proof.ts';
import { RecordBatch } from './record-batch.ts';
import { rootHash, type TreeChange, type TreeRoot, updateTree } from './tree.ts';
import type { NodeHash } from './tree-hash.ts';

type Family<T> = (key: Uint8Array, value: Uint8Array) => T;

/** Both roots of a set of entries, by the definition. */
export function naiveRoot(entries: Iterable<readonly [Uint8Array, Uint8Array]>): NodeHash {
  const all = [...entries];
  return {
    blake3: rootOf(
      all,
      0,
      (key, value) => blake3(Uint8Array.of(0), key, blake3(value)),
      (left, right) => blake3(Uint8Array.of(1), left, right),
    ),
    poseidon2: rootOf(
      all,
      0,
      (key, value) => poseidon2State(2, concatBytes(key, poseidon2State(1, value))),
      poseidon2Compress,
    ),
  };
}

function rootOf(
  entries: readonly (readonly [Uint8Array, Uint8Array])[],
  depth: number,
  leaf: Family<Uint8Array>,
  inner: (left: Uint8Array, right: Uint8Array) => Uint8Array,
): Uint8Array {
  const [first] = entries;
  if (first === undefined) return new Uint8Array(32);
  if (entries.length === 1) return leaf(first[0], first[1]);
  const bit = ([key]: readonly [Uint8Array, Uint8Array]) =>
    ((key[Math.floor(depth / 8)] ?? 0) >> (7 - (depth % 8))) % 2;
  const half = (side: number) =>
    rootOf(
      entries.filter((e) => bit(e) === side),
      depth + 1,
      leaf,
      inner,
    );
  return inner(half(0), half(1));
}

/** Every version of one tree over raw keys. */
export class RawTree {
  readonly store = new MemoryStore();
  readonly roots: TreeRoot[] = [];
  readonly #cached: NodeStore | undefined;

  /** @param cachedNodes without it, each version is read back from the store with nothing cached */
  constructor(cachedNodes?: number) {
    this.#cached = cachedNodes === undefined ? undefined : new NodeStore(this.store, cachedNodes);
  }

  get hash(): NodeHash {
    return rootHash(this.roots.at(-1));
  }

  /** Writes the next version; gives back how many nodes and leaves that took. */
  async apply(changes: readonly TreeChange[]): Promise<number> {
    const nodes = this.#nodes();
    const version = BigInt(this.roots.length);
    const before = this.roots.at(-1);
    const update = updateTree(nodes, before, version, changes);
    const batch = new RecordBatch();
    for (const written of update.nodes) nodes.putInnerNode(batch, written);
    for (const { key, value } of update.applied) {
      if (value === undefined) continue;
      nodes.putLeaf(batch, version, key, { stateKey: new Uint8Array(65), value });
    }
    const writes = batch.seal();
    await this.store.batch(writes);
    for (const { node, key, depth } of update.nodes) nodes.remember(node, key, depth);
    this.roots.push(update.root);
    return writes.length;
  }

  prove(key: Uint8Array, version: number): StateProof {
    return proveKey(this.#nodes(), this.roots[version], key);
  }

  #nodes(): NodeStore {
    return this.#cached ?? new NodeStore(this.store, 1);
  }
}

/** A map with byte keys. */
export class ByteMap {
  readonly #entries = new Map<string, readonly [Uint8Array, Uint8Array]>();

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(toHex(key))?.[1];
  }

  /** Applies changes as a tree would. */
  apply(changes: readonly TreeChange[]): this {
    for (const { key, value } of changes) {
      if (value === undefined) this.#entries.delete(toHex(key));
      else this.#entries.set(toHex(key), [key, value]);
    }
    return this;
  }

  entries(): (readonly [Uint8Array, Uint8Array])[] {
    return [...this.#entries.values()];
  }

  copy(): ByteMap {
    return new ByteMap().apply(this.entries().map(([key, value]) => ({ key, value })));
  }
}

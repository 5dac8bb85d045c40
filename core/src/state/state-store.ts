/**
 * The state of the chain on disk: a flat table of the newest values, and the versioned tree over
 * them (design/state-and-execution.md). A version is a wave id; versions follow without a gap.
 *
 * A wave lands in one atomic batch or not at all: `prepare` computes what would be written and
 * writes nothing, the caller writes it together with its other tables, `adopt` moves on. A handle
 * that only reads follows the writer with `refresh`.
 */
import { invariant, isPydeError, PydeError, toHex, u64BigEndian } from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { type StateRoot, toHash } from '../types/index.ts';
import { namesOf, type StateKey, stateKeyBytes, stateKeyName, treeKey } from './key.ts';
import { findLeaf, leavesInOrder, proveKey } from './lookup.ts';
import { type LeafRecord, NodeStore, type RootRecord } from './node-store.ts';
import type { StateChange, StateReader } from './overlay.ts';
import type { StateProof } from './proof.ts';
import { pruneStep, putStalePages } from './prune.ts';
import { RecordBatch } from './record-batch.ts';
import { TABLE, Table } from './table.ts';
import { rootHash, type TreeChange, type TreeRoot, type TreeUpdate, updateTree } from './tree.ts';
import type { NodeHash } from './tree-hash.ts';
import { ValueCache } from './value-cache.ts';
import { VersionMarks } from './version-marks.ts';

export interface StateStoreOptions {
  /** Internal nodes kept decoded in memory, about 1 KiB each, 3 at most. Default 32,768. */
  readonly cachedNodes?: number;
  /** Bytes of newest values kept in memory by the handle that writes. Default 32 MiB. */
  readonly cachedValueBytes?: number;
}

interface EntryChange extends TreeChange {
  /** kind ‖ owner ‖ slot. */
  readonly stateKey: Uint8Array;
  readonly name: string;
}

/** The state after a wave, computed and not yet written. */
export interface PreparedState {
  readonly version: bigint;
  readonly root: StateRoot;
  /**
   * To be written in one atomic batch with everything else of the wave. Made when first asked for:
   * whoever needs only the root does not pay for records.
   */
  readonly writes: StoreWrite[];
  /** The version this one follows; undefined for the first. */
  readonly after: bigint | undefined;
  /** What `adopt` takes over. */
  readonly update: TreeUpdate<EntryChange>;
}

const DEFAULT_CACHED_NODES = 32_768;
const DEFAULT_CACHED_VALUE_BYTES = 32 * 1024 * 1024;

export class StateStore implements StateReader {
  readonly #flat: Table;
  readonly #marks: VersionMarks;
  readonly #stale: Table;
  readonly #nodes: NodeStore;
  readonly #values: ValueCache;
  /** All writes of state go through this handle, so values may be kept in memory. */
  #isWriter = false;
  #version: bigint | undefined;
  #root: TreeRoot;

  private constructor(store: KeyValueStore, options: StateStoreOptions) {
    this.#flat = new Table(store, TABLE.state);
    this.#marks = new VersionMarks(store);
    this.#stale = new Table(store, TABLE.jmtStale);
    this.#nodes = new NodeStore(store, options.cachedNodes ?? DEFAULT_CACHED_NODES);
    this.#values = new ValueCache(options.cachedValueBytes ?? DEFAULT_CACHED_VALUE_BYTES);
  }

  /**
   * Opens the state that `store` holds; an empty store has no version yet.
   * @throws PydeError `state.checksum`, `state.missing-node` for a damaged store,
   *   `state.snapshot-unfinished`
   */
  static open(store: KeyValueStore, options: StateStoreOptions = {}): StateStore {
    const state = new StateStore(store, options);
    state.refresh();
    return state;
  }

  /** The newest version that this handle knows to be in the store. */
  get version(): bigint | undefined {
    return this.#version;
  }

  /** The root of `version`; the empty root before the first one. */
  get root(): StateRoot {
    return toStateRoot(rootHash(this.#root));
  }

  /** The newest value in the store. */
  get(key: StateKey): Uint8Array | undefined {
    if (!this.#isWriter) return this.#flat.get(stateKeyBytes(key));
    return this.#values.get(stateKeyName(key), () => this.#flat.get(stateKeyBytes(key)));
  }

  /**
   * Reads the values of `keys`, which may repeat, into memory in one pass in the order in which they
   * lie in the store (PIP-3). Only for the handle that writes: from here on it keeps values, and no
   * other may write. The tree needs no such pass: an update reads every node that it changes
   * once, in key order, and nodes of keys that are only read are not needed.
   */
  prefetch(keys: Iterable<StateKey>): void {
    this.#isWriter = true;
    const named = new Map<string, StateKey>();
    for (const key of keys) named.set(stateKeyName(key), key);
    const names = [...named].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, key] of names) {
      this.#values.get(name, () => this.#flat.get(stateKeyBytes(key)));
    }
  }

  /**
   * Computes the state of `version` from the newest one. `changes` may come in any order, names
   * each key at most once, and may hold changes that change nothing.
   * @throws PydeError `state.version` unless `version` is the next one; any in an empty store
   */
  prepare(version: bigint, changes: readonly StateChange[]): PreparedState {
    if (this.#version !== undefined && version !== this.#version + 1n) {
      throw new PydeError(
        'state.version',
        `the state is at version ${this.#version}: the next one is not ${version}`,
        { newest: this.#version.toString(), version: version.toString() },
      );
    }
    const { stateKeys, treeKeys } = namesOf(changes.map(({ key }) => key));
    const entries = changes.map(({ key: named, value }, i): EntryChange => {
      const [key, stateKey] = [treeKeys[i], stateKeys[i]];
      invariant(key !== undefined && stateKey !== undefined, 'every change has its names');
      return { key, stateKey, name: stateKeyName(named), value };
    });
    const update = updateTree(this.#nodes, this.#root, version, entries);
    const root = toStateRoot(rootHash(update.root));
    const after = this.#version;
    let writes: StoreWrite[] | undefined;
    const writesOnce = (): StoreWrite[] => {
      writes ??= this.#writesOf(version, update, after === undefined);
      return writes;
    };
    return {
      ...{ version, root, after, update },
      get writes() {
        return writesOnce();
      },
    };
  }

  /** Moves on to `prepared`, whose writes the caller has written. */
  adopt(prepared: PreparedState): void {
    const { version, update, after } = prepared;
    invariant(after === this.#version, `version ${version} was prepared on the newest version`);
    for (const { node, key, depth } of update.nodes) this.#nodes.remember(node, key, depth);
    for (const { name, value } of update.applied) this.#values.set(name, value);
    this.#isWriter = true;
    this.#root = update.root;
    this.#version = version;
  }

  /** Takes up the newest version that another handle has written. */
  refresh(): void {
    if (this.#marks.isLoading()) {
      throw new PydeError(
        'state.snapshot-unfinished',
        'loading a snapshot into this store was cut short: load it again, or empty the store',
      );
    }
    for (let version = this.#marks.newest(); version !== this.#version; ) {
      const root = version === undefined ? undefined : this.#nodes.root(version);
      if (root !== undefined) {
        this.#isWriter = false;
        this.#values.clear();
        this.#root = root.root;
        this.#version = version;
        return;
      }
      // The writer may have moved on, and pruned, between the two reads.
      const newest = this.#marks.newest();
      if (newest === undefined || newest === version) throw lostRoot(version);
      version = newest;
    }
  }

  /** The oldest version that can still be read; undefined in an empty store. */
  get oldestVersion(): bigint | undefined {
    return this.#marks.oldest()?.version;
  }

  /** Undefined for a version that is pruned or does not exist yet. */
  rootAt(version: bigint): StateRoot | undefined {
    const mark = this.#marks.oldest();
    if (mark === undefined || version < mark.version) return undefined;
    const root = this.#nodes.root(version);
    return root === undefined ? undefined : toStateRoot(root.hash);
  }

  /**
   * The value at `key` in `version`.
   * @throws PydeError `state.pruned` naming the oldest kept version, `state.unknown-version`
   */
  getAt(key: StateKey, version: bigint): Uint8Array | undefined {
    return this.#readAt(version, ({ root }) => {
      const leaf = findLeaf(this.#nodes, root, treeKey(key));
      return leaf === undefined ? undefined : this.#nodes.leaf(leaf.version, leaf.key).value;
    });
  }

  /**
   * The proof that `getAt(key, version)` is what it is, against `rootAt(version)`.
   * @throws PydeError `state.pruned` naming the oldest kept version, `state.unknown-version`
   */
  prove(key: StateKey, version: bigint): StateProof {
    return this.#readAt(version, ({ root }) => proveKey(this.#nodes, root, treeKey(key)));
  }

  /**
   * Every entry of `version` in order of tree keys, read as it is asked for.
   * @throws PydeError as `getAt`, also in the middle when the version is pruned meanwhile
   */
  *entriesAt(version: bigint): Generator<LeafRecord & { readonly key: Uint8Array }> {
    const leaves = this.#readAt(version, ({ root }) => leavesInOrder(this.#nodes, root));
    while (true) {
      const entry = this.#readAt(version, () => {
        const { value: leaf, done } = leaves.next();
        return done === true
          ? undefined
          : { key: leaf.key, ...this.#nodes.leaf(leaf.version, leaf.key) };
      });
      if (entry === undefined) return;
      yield entry;
    }
  }

  /**
   * One bounded step towards keeping no version below `keepFrom`: at most about `limit` writes, for
   * the caller to write; none when there is nothing left to do. The newest version is always kept.
   */
  prune(keepFrom: bigint, limit: number): StoreWrite[] {
    const mark = this.#marks.oldest();
    if (mark === undefined || this.#version === undefined) return [];
    const target = keepFrom < this.#version ? keepFrom : this.#version;
    const step = pruneStep(this.#nodes, this.#stale, mark, target, limit);
    return step.writes.length === 0 ? [] : [...step.writes, this.#marks.putOldest(step.mark)];
  }

  #writesOf(version: bigint, update: TreeUpdate<EntryChange>, isFirst: boolean): StoreWrite[] {
    const batch = new RecordBatch();
    for (const { key, stateKey, value } of update.applied) {
      if (value === undefined) batch.add(this.#flat.delete(stateKey));
      else {
        batch.put(TABLE.state, stateKey, value);
        this.#nodes.putLeaf(batch, version, key, { stateKey, value });
      }
    }
    for (const written of update.nodes) this.#nodes.putInnerNode(batch, written);
    const pages = update.stale.pages();
    putStalePages(batch, version, pages);
    const root = { root: update.root, hash: rootHash(update.root), stalePages: pages.length };
    batch.add(this.#nodes.putRoot(version, root));
    batch.add(this.#marks.putNewest(version));
    if (isFirst) batch.add(this.#marks.putOldest({ version, page: 0 }));
    return batch.seal();
  }

  /** Reads a version, telling one that was pruned under the reader from a damaged store. */
  #readAt<T>(version: bigint, read: (root: RootRecord) => T): T {
    this.#refusePruned(version);
    const root = this.#nodes.root(version);
    if (root === undefined) {
      this.#refusePruned(version);
      throw new PydeError(
        'state.unknown-version',
        `the state has no version ${version}; the newest one is ${this.#version ?? 'not there yet'}`,
        { version: version.toString(), newest: this.#version?.toString() ?? null },
      );
    }
    try {
      return read(root);
    } catch (error) {
      if (isPydeError(error, 'state.missing-node')) this.#refusePruned(version);
      throw error;
    }
  }

  #refusePruned(version: bigint): void {
    const oldest = this.oldestVersion;
    if (oldest === undefined || version >= oldest) return;
    throw new PydeError(
      'state.pruned',
      `the state of version ${version} is no longer kept here; the oldest that is kept is ` +
        `${oldest}. Ask for a newer one, or ask an archive node`,
      { version: version.toString(), oldest: oldest.toString() },
    );
  }
}

function lostRoot(version: bigint | undefined): PydeError {
  const key = version === undefined ? '' : toHex(u64BigEndian(version));
  return new PydeError(
    'state.missing-node',
    `the store says that its state is at version ${version} and has no root of it: record ${key} ` +
      'of table jmt is missing. Restore the store, or start from an empty one and synchronise',
    { version: version?.toString() ?? null },
  );
}

function toStateRoot({ blake3, poseidon2 }: NodeHash): StateRoot {
  return { blake3: toHash(blake3), poseidon2: toHash(poseidon2) };
}

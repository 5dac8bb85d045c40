/**
 * The state tree: waves of 10,000 random updates, both roots. In memory means a million keys, every
 * tree node of them in the cache; the figures are the time from the changes of a wave to both roots,
 * and to all its records as well, sealed with their checksums and ready for the store.
 *
 * Both and the hashing alone are timed by what the thread used of its processor: a wave is half a
 * second, long enough for other programs to get in between. Over LevelDB the clock counts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  blake3Batch,
  blake3InnerBatch,
  blake3LeafBatch,
  poseidon2CompressBatch,
  poseidon2StateBatch,
} from '@pyde/core/crypto';
import type { KeyValueStore, StoreWrite } from '@pyde/core/platform';
import {
  STATE_KIND,
  type StateChange,
  type StateKey,
  StateStore,
  verifyStateProof,
} from '@pyde/core/state';
import { LevelStore } from '@pyde/platform-node';
import type { Row } from '../bench.ts';
import { median, rate } from './rate.ts';

const KEYS_IN_MEMORY = 1_000_000;
const KEYS_ON_DISK = 200_000;
const KEYS_PER_BUILDING_WAVE = 200_000;
const UPDATES = 10_000;
const WAVES = 9;
const VALUE_BYTES = 32;
const PROVEN_KEYS = 500;

export async function run(): Promise<Row[]> {
  const hashing = hashingRate();
  const folder = mkdtempSync(join(tmpdir(), 'pyde-bench-jmt-'));
  const store = await LevelStore.open(folder);
  try {
    const onDisk = await measure(store, KEYS_ON_DISK, StateStore.open(store));
    const memory = new PackedStore();
    const inMemory = await measure(
      memory,
      KEYS_IN_MEMORY,
      StateStore.open(memory, { cachedNodes: 4 * KEYS_IN_MEMORY }),
    );
    const what = `JMT: ${UPDATES} random updates`;
    const [inMemoryKeys, onDiskKeys] = [`${KEYS_IN_MEMORY} keys`, `${KEYS_ON_DISK} keys`];
    const compared = (name: string, value: number): Row => ({
      ...{ name: `${what}, ${name}`, value, unit: 'updates/s' },
      ...{ comparedWith: 'the hashing alone', ratio: value / hashing },
    });
    return [
      compared(`${inMemoryKeys} in memory`, inMemory.hashed),
      { name: `${what}: the hashing alone`, value: hashing, unit: 'updates/s' },
      compared(`${inMemoryKeys} in memory, and records`, inMemory.sealed),
      compared(`${onDiskKeys}, records in LevelDB`, onDisk.landed),
      { name: `JMT: proofs, ${inMemoryKeys} in memory`, value: inMemory.proofs, unit: '/s' },
      { name: `JMT: proofs, ${onDiskKeys} over LevelDB`, value: onDisk.proofs, unit: '/s' },
      { name: `JMT: proof verification, ${inMemoryKeys}`, value: inMemory.checks, unit: '/s' },
      {
        name: `JMT: building ${inMemoryKeys} in memory`,
        value: KEYS_IN_MEMORY / inMemory.buildingSeconds,
        unit: 'keys/s',
      },
    ];
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything a second but the building. */
interface Measured {
  /** Updates to both roots. */
  readonly hashed: number;
  /** Updates to roots and sealed records. */
  readonly sealed: number;
  /** Updates to roots and records that are written. */
  readonly landed: number;
  readonly proofs: number;
  readonly checks: number;
  readonly buildingSeconds: number;
}

async function measure(store: KeyValueStore, keys: number, state: StateStore): Promise<Measured> {
  const random = randomNumbers();
  const started = performance.now();
  for (let from = 0; from < keys; from += KEYS_PER_BUILDING_WAVE) {
    const count = Math.min(KEYS_PER_BUILDING_WAVE, keys - from);
    await land(
      store,
      state,
      Array.from({ length: count }, (_, i) => changeOf(from + i, random)),
    );
  }
  const buildingSeconds = (performance.now() - started) / 1000;
  const all: Spent[] = [];
  for (let wave = 0; wave < WAVES; wave++) {
    const chosen = new Set<number>();
    while (chosen.size < UPDATES) chosen.add(random() % keys);
    const changes = [...chosen].map((i) => changeOf(i, random));
    all.push(await land(store, state, changes));
  }
  const version = state.version ?? 0n;
  const probes = Array.from({ length: PROVEN_KEYS }, () => keyOf(random() % keys));
  const claims = probes.map((key) => ({
    root: state.root,
    key,
    value: state.get(key),
    proof: state.prove(key, version),
  }));
  const proofs = rate(PROVEN_KEYS, () => {
    for (const key of probes) state.prove(key, version);
  });
  const checks = rate(PROVEN_KEYS, () => {
    for (const claim of claims) verifyStateProof(claim);
  });
  const perSecond = (msOf: (spent: Spent) => number) => (1000 * UPDATES) / median(all.map(msOf));
  return {
    hashed: perSecond(({ hashing }) => hashing),
    sealed: perSecond(({ hashing, sealing }) => hashing + sealing),
    landed: perSecond(({ landing }) => landing),
    ...{ proofs, checks, buildingSeconds },
  };
}

interface Spent {
  /** Thread's milliseconds from the changes to both roots, and for taking them over. */
  readonly hashing: number;
  /** For the sealed records. */
  readonly sealing: number;
  /** Of the clock, for all of it and the store. */
  readonly landing: number;
}

async function land(
  store: KeyValueStore,
  state: StateStore,
  changes: readonly StateChange[],
): Promise<Spent> {
  const version = state.version === undefined ? 0n : state.version + 1n;
  const started = performance.now();
  const begun = threadMs();
  const prepared = state.prepare(version, changes);
  const hashed = threadMs();
  const { writes } = prepared;
  const sealed = threadMs();
  await store.batch(writes, { sync: false });
  const written = threadMs();
  state.adopt(prepared);
  const adopting = threadMs() - written;
  const landing = performance.now() - started;
  return { hashing: hashed - begun + adopting, sealing: sealed - hashed, landing };
}

/** Updates a second if all that a wave does were its hashes, both families, in batches. */
function hashingRate(): number {
  const inner = Math.round(innerHashes(KEYS_IN_MEMORY, UPDATES));
  const pairs = new Uint8Array(64 * inner).map((_, i) => (i % 8 === 7 ? 1 : i * 5));
  const leaves = pairs.slice(0, 64 * UPDATES);
  const names = Array.from({ length: UPDATES }, () => new Uint8Array(75));
  const values = names.map(() => new Uint8Array(VALUE_BYTES).fill(1));
  const leafMessages = values.map((_, i) => leaves.subarray(64 * i, 64 * i + 64));
  const slices: number[] = [];
  for (let slice = 0; slice < WAVES; slice++) {
    const begun = threadMs();
    blake3Batch(names);
    blake3Batch(values);
    blake3LeafBatch(leaves);
    poseidon2StateBatch(1, values);
    poseidon2StateBatch(2, leafMessages);
    blake3InnerBatch(pairs);
    poseidon2CompressBatch(pairs);
    slices.push((1000 * UPDATES) / (threadMs() - begun));
  }
  return median(slices);
}

/** Milliseconds that this thread has used of a processor. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * How many binary nodes change when `updates` of `keys` evenly spread leaves do, as expected: at
 * depth d those of 2^d with a changed leaf below, less those with that leaf and no other.
 */
function innerHashes(keys: number, updates: number): number {
  let sum = 0;
  for (let width = 1; width < 2 ** 48; width *= 2) {
    const [leaves, changed] = [keys / width, updates / width];
    sum += width * (-Math.expm1(-changed) - changed * Math.exp(-leaves));
  }
  return sum;
}

function changeOf(i: number, random: () => number): StateChange {
  const value = new Uint8Array(VALUE_BYTES);
  const view = new DataView(value.buffer);
  for (let at = 0; at < VALUE_BYTES; at += 4) view.setUint32(at, random());
  return { key: keyOf(i), value };
}

/** Contract storage, 64 slots a contract; the tree hashes names, so any spread will do. */
function keyOf(i: number): StateKey {
  const owner = new Uint8Array(32);
  const slot = new Uint8Array(32);
  new DataView(owner.buffer).setUint32(0, i >>> 6);
  new DataView(slot.buffer).setUint32(0, i & 63);
  return { kind: STATE_KIND.contract, owner, slot };
}

/** xorshift32: the same waves in every run. */
function randomNumbers(): () => number {
  let x = 0x9e3779b9;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

const SLAB_BYTES = 1 << 26;
const PACKED_SLOTS = 1 << 23;

/**
 * A store without order that appends every record to large buffers: millions of records that cost
 * the collector nothing, so that what is measured is the tree.
 */
class PackedStore implements KeyValueStore {
  readonly #slabs: Uint8Array[] = [];
  #used = SLAB_BYTES;
  /** Place of a record + 1 at the first free slot from its key's hash on. */
  readonly #slots = new Float64Array(PACKED_SLOTS);

  get(key: Uint8Array): Uint8Array | undefined {
    const record = this.#recordAt(this.#slots[this.#slotOf(key)] ?? 0);
    return record?.value;
  }

  // biome-ignore lint/correctness/useYield: the state never ranges while it is measured
  async *range(): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    throw new Error('this store has no order');
  }

  batch(writes: readonly StoreWrite[]): Promise<void> {
    for (const write of writes) {
      if (write.kind === 'delete') throw new Error('this store only grows');
      this.#slots[this.#slotOf(write.key)] = this.#append(write.key, write.value) + 1;
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** key length u32 ‖ value length u32 ‖ key ‖ value */
  #append(key: Uint8Array, value: Uint8Array): number {
    const length = 8 + key.length + value.length;
    if (this.#used + length > SLAB_BYTES) {
      this.#slabs.push(new Uint8Array(SLAB_BYTES));
      this.#used = 0;
    }
    const slab = this.#slabs.at(-1);
    if (slab === undefined) throw new Error('a slab was made');
    const at = this.#used;
    const view = new DataView(slab.buffer);
    view.setUint32(at, key.length);
    view.setUint32(at + 4, value.length);
    slab.set(key, at + 8);
    slab.set(value, at + 8 + key.length);
    this.#used += length;
    return (this.#slabs.length - 1) * SLAB_BYTES + at;
  }

  #recordAt(placePlusOne: number): { key: Uint8Array; value: Uint8Array } | undefined {
    if (placePlusOne === 0) return undefined;
    const slab = this.#slabs[Math.floor((placePlusOne - 1) / SLAB_BYTES)];
    if (slab === undefined) return undefined;
    const at = (placePlusOne - 1) % SLAB_BYTES;
    const view = new DataView(slab.buffer);
    const valueAt = at + 8 + view.getUint32(at);
    const end = valueAt + view.getUint32(at + 4);
    return { key: slab.subarray(at + 8, valueAt), value: slab.subarray(valueAt, end) };
  }

  #slotOf(key: Uint8Array): number {
    let hash = 0x811c9dc5;
    for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
    for (let slot = hash & (PACKED_SLOTS - 1); ; slot = (slot + 1) & (PACKED_SLOTS - 1)) {
      const record = this.#recordAt(this.#slots[slot] ?? 0);
      if (record === undefined || Buffer.compare(record.key, key) === 0) return slot;
    }
  }
}

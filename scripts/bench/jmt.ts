/**
 * The state tree: waves of 10,000 random updates, both roots. In memory means a million keys, every
 * tree node of them in the cache, and a store that keeps the records of a wave in a map; the figure
 * is the time from the changes of a wave to its roots and all its records, checksums included.
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

const KEYS_IN_MEMORY = 200_000;
const KEYS_ON_DISK = 200_000;
const KEYS_PER_BUILDING_WAVE = 50_000;
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
    const memory = new MapStore();
    const inMemory = await measure(
      memory,
      KEYS_IN_MEMORY,
      StateStore.open(memory, { cachedNodes: 4 * KEYS_IN_MEMORY }),
    );
    const comparedWith = 'the hashing alone';
    const what = `JMT: ${UPDATES} random updates`;
    const millions = `${KEYS_IN_MEMORY} keys in memory`;
    return [
      {
        name: `${what}, ${millions}`,
        value: inMemory.updates,
        unit: 'updates/s',
        comparedWith,
        ratio: inMemory.updates / hashing,
      },
      { name: `${what}: the hashing alone`, value: hashing, unit: 'updates/s' },
      {
        name: `${what}, ${KEYS_ON_DISK} keys over LevelDB`,
        value: onDisk.updates,
        unit: 'updates/s',
        comparedWith,
        ratio: onDisk.updates / hashing,
      },
      { name: `JMT: proofs, ${millions}`, value: inMemory.proofs, unit: '/s' },
      { name: `JMT: proofs, ${KEYS_ON_DISK} keys over LevelDB`, value: onDisk.proofs, unit: '/s' },
      { name: `JMT: proof verification, ${millions}`, value: inMemory.checks, unit: '/s' },
      {
        name: `JMT: building ${millions}`,
        value: KEYS_IN_MEMORY / inMemory.buildingSeconds,
        unit: 'keys/s',
      },
    ];
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Measured {
  readonly updates: number;
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
  const seconds: number[] = [];
  for (let wave = 0; wave < WAVES; wave++) {
    const chosen = new Set<number>();
    while (chosen.size < UPDATES) chosen.add(random() % keys);
    const changes = [...chosen].map((i) => changeOf(i, random));
    const begun = performance.now();
    await land(store, state, changes);
    seconds.push((performance.now() - begun) / 1000);
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
  return { updates: UPDATES / median(seconds), proofs, checks, buildingSeconds };
}

async function land(
  store: KeyValueStore,
  state: StateStore,
  changes: readonly StateChange[],
): Promise<void> {
  const version = state.version === undefined ? 0n : state.version + 1n;
  const prepared = state.prepare(version, changes);
  await store.batch(prepared.writes, { sync: false });
  state.adopt(prepared);
}

/** Updates a second if all that a wave does were its hashes, both families, in batches. */
function hashingRate(): number {
  const inner = Math.round(innerHashes(KEYS_IN_MEMORY, UPDATES));
  const pairs = new Uint8Array(64 * inner).map((_, i) => (i % 8 === 7 ? 1 : i * 5));
  const leaves = pairs.slice(0, 64 * UPDATES);
  const names = Array.from({ length: UPDATES }, () => new Uint8Array(75));
  const values = names.map(() => new Uint8Array(VALUE_BYTES).fill(1));
  const leafMessages = values.map((_, i) => leaves.subarray(64 * i, 64 * i + 64));
  return rate(UPDATES, () => {
    blake3Batch(names);
    blake3Batch(values);
    blake3LeafBatch(leaves);
    poseidon2StateBatch(1, values);
    poseidon2StateBatch(2, leafMessages);
    blake3InnerBatch(pairs);
    poseidon2CompressBatch(pairs);
  });
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

/** A store without order: what the tree reads by name and no more. */
class MapStore implements KeyValueStore {
  readonly #records = new Map<string, Uint8Array>();

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#records.get(nameOf(key));
  }

  // biome-ignore lint/correctness/useYield: the state never ranges while it is measured
  async *range(): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    throw new Error('this store has no order');
  }

  batch(writes: readonly StoreWrite[]): Promise<void> {
    for (const write of writes) {
      if (write.kind === 'put') this.#records.set(nameOf(write.key), write.value);
      else this.#records.delete(nameOf(write.key));
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

/**
 * A whole store, held against itself (`pyde db check`): every checksum, both roots recomputed from
 * the flat table, the digest chain of waves, every certificate, and that each wave's transactions
 * and receipts are there and make its tx_root. Reads only; damage is listed, never repaired.
 */
import { decodeExactly, equalBytes, isPydeError, toHex } from '../bytes/index.ts';
import { readGenesisOf, readHeadWave } from '../execution/index.ts';
import { genesisCommittee, verifyCert, verifyLink } from '../finality/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { recomputeRoot, StateStore, stateKeyFromBytes, TABLE, Table } from '../state/index.ts';
import {
  type Genesis,
  readHardFinalityCert,
  readWaveCommitRecord,
  type WaveCommitRecord,
} from '../types/index.ts';
import { checkStart, checkTransactionsOf } from './start-check.ts';

export interface Damage {
  /** Stable code, `state.checksum` and the like. */
  readonly code: string;
  readonly message: string;
}

export interface DatabaseReport {
  /** Records read whole, by table. */
  readonly records: Readonly<Record<string, number>>;
  readonly headWave: bigint | undefined;
  readonly stateEntries: number;
  readonly certificates: number;
  /** Empty when the store is whole; at most {@link MAX_DAMAGES}. */
  readonly damages: readonly Damage[];
}

export const MAX_DAMAGES = 100;

/** @param onProgress one line about what is being read */
export async function checkDatabase(
  store: KeyValueStore,
  onProgress: (what: string) => void = () => {},
): Promise<DatabaseReport> {
  const check = new DatabaseCheck(store, onProgress);
  await check.checksums();
  await check.attempt(() => check.state());
  await check.attempt(() => check.waves());
  await check.attempt(() => check.certificates());
  return check.report();
}

class DatabaseCheck {
  readonly #store: KeyValueStore;
  readonly #onProgress: (what: string) => void;
  readonly #records: Record<string, number> = {};
  readonly #damages: Damage[] = [];
  #headWave: bigint | undefined;
  #stateEntries = 0;
  #certificates = 0;

  constructor(store: KeyValueStore, onProgress: (what: string) => void) {
    this.#store = store;
    this.#onProgress = onProgress;
  }

  report(): DatabaseReport {
    return {
      records: this.#records,
      headWave: this.#headWave,
      stateEntries: this.#stateEntries,
      certificates: this.#certificates,
      damages: this.#damages,
    };
  }

  /** A damaged record ends the part that met it; the parts after it still run. */
  async attempt(part: () => Promise<void>): Promise<void> {
    try {
      await part();
    } catch (error) {
      if (!isPydeError(error)) throw error;
      this.#found(error.code, error.message);
    }
  }

  /** Goes on behind a damaged record, so that all of them are named. */
  async checksums(): Promise<void> {
    for (const [name, prefix] of Object.entries(TABLE)) {
      this.#onProgress(`checksums of ${name}`);
      let count = 0;
      const table = new Table(this.#store, prefix);
      for await (const [key] of this.#store.range({ prefix: Uint8Array.of(prefix) })) {
        await this.attempt(async () => void table.get(key.subarray(1)));
        count++;
        if (this.#damages.length >= MAX_DAMAGES) return;
      }
      this.#records[name] = count;
    }
  }

  async state(): Promise<void> {
    const head = readHeadWave(this.#store);
    if (head === undefined && readGenesisOf(this.#store) === undefined) {
      this.#found('check.empty', 'the store holds no chain');
      return;
    }
    this.#headWave = head?.record.waveId;
    const kept = StateStore.open(this.#store);
    await this.attempt(() => checkStart(this.#store, kept));
    if (head === undefined) return;
    const { root, entries } = await recomputeRoot(this.#store, (count) =>
      this.#onProgress(`state, ${count} entries`),
    );
    this.#stateEntries = entries;
    const signed = head.record.stateRoot;
    for (const hash of ['blake3', 'poseidon2'] as const) {
      if (equalBytes(root[hash], signed[hash])) continue;
      this.#found(
        'check.root',
        `the ${hash} root of the flat table is ${toHex(root[hash])}, wave ${head.record.waveId} ` +
          `has ${toHex(signed[hash])}`,
      );
    }
    await this.#leaves(kept);
  }

  /** The flat table against the tree, entry by entry: that the roots agree names no key. */
  async #leaves(state: StateStore): Promise<void> {
    if (state.version === undefined) return;
    const flat = new Table(this.#store, TABLE.state);
    let leaves = 0;
    for (const { stateKey, value } of state.entriesAt(state.version)) {
      if (++leaves % 10_000 === 0) this.#onProgress(`tree, ${leaves} leaves`);
      const kept = flat.get(stateKey);
      if (kept !== undefined && equalBytes(kept, value)) continue;
      const how = kept === undefined ? 'is missing' : 'is another';
      this.#found(
        'check.leaf',
        `the record ${toHex(stateKey)} of table state ${how}: the tree of version ` +
          `${state.version} has it`,
      );
      return;
    }
    if (leaves === this.#stateEntries) return;
    for await (const [stateKey] of flat.range()) {
      if (state.getAt(stateKeyFromBytes(stateKey.slice()), state.version) !== undefined) continue;
      this.#found(
        'check.leaf',
        `the record ${toHex(stateKey)} of table state is not in the tree of version ${state.version}`,
      );
      return;
    }
  }

  async waves(): Promise<void> {
    let previous: WaveCommitRecord | undefined;
    for await (const [, bytes] of new Table(this.#store, TABLE.waves).range()) {
      const record = decodeExactly(bytes, readWaveCommitRecord);
      if (record.waveId % 10_000n === 0n) this.#onProgress(`wave ${record.waveId}`);
      const link = previous;
      previous = record;
      await this.attempt(async () => {
        // Waves below the retention may be gone; a gap anywhere else is damage.
        if (link !== undefined && link.waveId > 0n) verifyLink(link, record);
        await checkTransactionsOf(this.#store, record);
      });
      if (this.#damages.length >= MAX_DAMAGES) return;
    }
  }

  async certificates(): Promise<void> {
    const genesis: Genesis | undefined = readGenesisOf(this.#store);
    if (genesis === undefined) return;
    const committee = genesisCommittee(genesis);
    for await (const [, bytes] of new Table(this.#store, TABLE.certs).range()) {
      this.#certificates++;
      if (this.#certificates % 10_000 === 0) this.#onProgress(`${this.#certificates} certificates`);
      await this.attempt(async () => {
        const cert = decodeExactly(bytes, readHardFinalityCert);
        verifyCert(cert, committee, { chainId: genesis.chainId });
      });
      if (this.#damages.length >= MAX_DAMAGES) return;
    }
  }

  #found(code: string, message: string): void {
    // The newest waves are looked at twice.
    if (this.#damages.some((known) => known.message === message)) return;
    if (this.#damages.length < MAX_DAMAGES) this.#damages.push({ code, message });
  }
}

/**
 * What a node that is no archive forgets (design/state-and-execution.md, "Pruning"): versions of
 * the state but for a window of the newest, and certificates a day old but for those that close an
 * epoch. An archive forgets nothing. Records of waves, receipts
 * and transactions are kept. Everything here rides on the atomic batch of a wave, in steps that
 * keep pace with what waves write.
 */
import { readU64BigEndian, U64_MAX, u64BigEndian } from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { type StateStore, TABLE, Table } from '../state/index.ts';
import type { WaveCommitRecord } from '../types/index.ts';
import { readWaveRecord } from './archive.ts';

export interface RetentionLimits {
  /** Versions of the state below the newest that can still be read. */
  readonly stateVersions: bigint;
  /** Age at which a certificate goes, by the timestamps of waves. */
  readonly certMs: bigint;
}

export const DEFAULT_RETENTION: RetentionLimits = {
  stateVersions: 10_000n,
  certMs: 24n * 60n * 60n * 1000n,
};

/** What an archive keeps: everything. */
export const ARCHIVE: RetentionLimits = {
  stateVersions: U64_MAX,
  certMs: U64_MAX,
};

/** Deletions ridden on one wave: twice what it writes itself, so that a backlog shrinks. */
const LEAST_DELETIONS = 64;
const MAX_CERTS_PER_WAVE = 2;

export class Retention {
  readonly #state: StateStore;
  readonly #store: KeyValueStore;
  readonly #certs: Table;
  readonly #limits: RetentionLimits;
  /** Of this wave and later ones certificates may be kept. */
  #oldestCert: bigint;
  #oldestCertRecord: WaveCommitRecord | undefined;

  private constructor(
    state: StateStore,
    store: KeyValueStore,
    certs: Table,
    oldestCert: bigint,
    limits: RetentionLimits,
  ) {
    this.#state = state;
    this.#store = store;
    this.#certs = certs;
    this.#oldestCert = oldestCert;
    this.#limits = limits;
  }

  /** @param state the handle of whoever executes */
  static async open(
    state: StateStore,
    store: KeyValueStore,
    limits: RetentionLimits = DEFAULT_RETENTION,
  ): Promise<Retention> {
    const certs = new Table(store, TABLE.certs);
    let oldest = 1n;
    // Those that closed an epoch are kept for good; the first other one is where it goes on.
    for await (const [wave] of certs.range()) {
      oldest = readU64BigEndian(wave);
      if (readWaveRecord(store, oldest)?.nextCommitteeHash === undefined) break;
    }
    return new Retention(state, store, certs, oldest, limits);
  }

  /**
   * Deletions to be written with the wave of `record`, before it is adopted.
   * @param writes how many the wave itself has
   */
  deletions(record: WaveCommitRecord, writes: number): StoreWrite[] {
    const { stateVersions } = this.#limits;
    const keepFrom = record.waveId > stateVersions ? record.waveId - stateVersions : 0n;
    const limit = Math.max(LEAST_DELETIONS, 2 * writes);
    return [...this.#state.prune(keepFrom, limit), ...this.#oldCerts(record)];
  }

  /** A record that names a committee hands over to its epoch: its certificate is kept for good. */
  #oldCerts(head: WaveCommitRecord): StoreWrite[] {
    const deletions: StoreWrite[] = [];
    while (deletions.length < MAX_CERTS_PER_WAVE && this.#oldestCert < head.waveId) {
      this.#oldestCertRecord ??= readWaveRecord(this.#store, this.#oldestCert);
      const record = this.#oldestCertRecord;
      if (record !== undefined) {
        if (record.timestampMs + this.#limits.certMs > head.timestampMs) break;
        if (record.nextCommitteeHash === undefined) {
          deletions.push(this.#certs.delete(u64BigEndian(record.waveId)));
        }
      }
      this.#oldestCert++;
      this.#oldestCertRecord = undefined;
    }
    return deletions;
  }
}

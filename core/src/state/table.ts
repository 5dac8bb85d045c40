/**
 * Tables of the one key-value store: a table is a one-byte key prefix, and every record carries a
 * checksum (design/state-and-execution.md; docs/protocol/encoding-state.md, "Records").
 *
 * The store is trusted to be ordered and atomic, not to return what was written: a record whose
 * checksum fails is an error that names table and key, never a value.
 */
import { concatBytes, invariant, PydeError, toHex } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import type { KeyValueStore, RangeOptions, StoreWrite } from '../platform/index.ts';

/** The prefix of each table. A number, once used, never means another table. */
export const TABLE = {
  state: 0x01,
  jmt: 0x02,
  jmtStale: 0x03,
  code: 0x04,
  slotOwner: 0x05,
  waves: 0x10,
  certs: 0x11,
  receipts: 0x12,
  transactions: 0x13,
  transactionsByWave: 0x14,
  transactionsByAccount: 0x15,
  events: 0x16,
  eventsByTopic: 0x17,
  eventsByContract: 0x18,
  vertices: 0x20,
  batches: 0x21,
  consensus: 0x22,
  admitted: 0x23,
  accepted: 0x24,
  vouched: 0x25,
  evidence: 0x26,
  snapshots: 0x30,
  meta: 0x40,
} as const;

export const CHECKSUM_BYTES = 8;

/** What the checksum of a record is of begins with this. */
export const RECORD_DOMAIN = new TextEncoder().encode('pyde/record/1');
const TABLE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TABLE).map(([name, prefix]) => [prefix, name]),
);

/** Which entries of a table, all given as suffixes: keys without the table's prefix byte. */
export interface TableRange {
  /** First suffix, inclusive. */
  readonly from?: Uint8Array;
  /** Last suffix, exclusive. */
  readonly until?: Uint8Array;
  /** Every suffix starts with this. */
  readonly prefix?: Uint8Array;
  readonly reverse?: boolean;
  /** At most so many entries. */
  readonly limit?: number;
}

export class Table {
  readonly #store: KeyValueStore;
  readonly #prefix: Uint8Array;

  /** @param prefix one of `TABLE` */
  constructor(store: KeyValueStore, prefix: number) {
    invariant(TABLE_NAMES.has(prefix), `table prefix ${prefix} is one of TABLE`);
    this.#store = store;
    this.#prefix = Uint8Array.of(prefix);
  }

  /**
   * The value at `suffix`; a view that must not be changed.
   * @throws PydeError `state.checksum` when the record is not what was written
   */
  get(suffix: Uint8Array): Uint8Array | undefined {
    const key = concatBytes(this.#prefix, suffix);
    const record = this.#store.get(key);
    return record === undefined ? undefined : openRecord(key, record);
  }

  put(suffix: Uint8Array, value: Uint8Array): StoreWrite {
    const key = concatBytes(this.#prefix, suffix);
    return { kind: 'put', key, value: sealRecord(key, value) };
  }

  /** As {@link put}: the record is made when the store asks for it, which then keeps it. */
  putLater(suffix: Uint8Array, value: () => Uint8Array): StoreWrite {
    return new LaterRecord(concatBytes(this.#prefix, suffix), value);
  }

  delete(suffix: Uint8Array): StoreWrite {
    return { kind: 'delete', key: concatBytes(this.#prefix, suffix) };
  }

  /**
   * Entries in suffix order over one consistent snapshot, taken when iteration starts.
   * @throws PydeError `state.checksum` at the first record that is not what was written
   */
  async *range(
    range: TableRange = {},
  ): AsyncGenerator<readonly [suffix: Uint8Array, value: Uint8Array]> {
    const { from, until, prefix, reverse, limit } = range;
    const options: RangeOptions = {
      prefix: prefix === undefined ? this.#prefix : concatBytes(this.#prefix, prefix),
      ...(from === undefined ? {} : { from: concatBytes(this.#prefix, from) }),
      ...(until === undefined ? {} : { until: concatBytes(this.#prefix, until) }),
      ...(reverse === undefined ? {} : { reverse }),
      ...(limit === undefined ? {} : { limit }),
    };
    for await (const [key, record] of this.#store.range(options)) {
      yield [key.subarray(1), openRecord(key, record)];
    }
  }
}

class LaterRecord {
  readonly kind = 'put';
  readonly key: Uint8Array;
  readonly #make: () => Uint8Array;
  #record: Uint8Array | undefined;

  constructor(key: Uint8Array, make: () => Uint8Array) {
    this.key = key;
    this.#make = make;
  }

  get value(): Uint8Array {
    this.#record ??= sealRecord(this.key, this.#make());
    return this.#record;
  }
}

/** value ‖ checksum, as it lies in the store under `key` (prefix included). */
export function sealRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  return concatBytes(value, checksum(key, value));
}

/**
 * The value inside a record.
 * @throws PydeError `state.checksum` naming table and key
 */
export function openRecord(key: Uint8Array, record: Uint8Array): Uint8Array {
  const length = record.length - CHECKSUM_BYTES;
  if (length >= 0) {
    const value = record.subarray(0, length);
    const expected = checksum(key, value);
    let difference = 0;
    for (let i = 0; i < CHECKSUM_BYTES; i++) {
      difference |= (record[length + i] ?? 0) ^ (expected[i] ?? 0);
    }
    if (difference === 0) return value;
  }
  const table = TABLE_NAMES.get(key[0] ?? 0) ?? `table ${key[0] ?? 'none'}`;
  const hex = toHex(key.subarray(1));
  throw new PydeError(
    'state.checksum',
    `the record ${hex} of table ${table} is damaged: its checksum does not match. ` +
      'Restore the store from a copy, or start from an empty one and synchronise',
    { table, key: hex },
  );
}

function checksum(key: Uint8Array, value: Uint8Array): Uint8Array {
  return blake3(RECORD_DOMAIN, key, value).subarray(0, CHECKSUM_BYTES);
}

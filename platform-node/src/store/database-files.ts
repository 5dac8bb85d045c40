/**
 * The files of a database, looked at before LevelDB opens them (docs/operators/damaged-stores.md).
 * LevelDB makes a new database where CURRENT is missing, deletes tables that a shortened MANIFEST
 * does not name, takes a missing log for an empty one, and skips damage inside a log: each of them
 * loses what was acknowledged, without a word. Nothing is written here.
 *
 * What a power cut leaves is no damage: an unfinished end of the newest log, or of the MANIFEST.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compareBytes, isPydeError } from '@pyde/core/bytes';
import { FormatReader } from './format-reader.ts';
import { HIGH_WATER_FILE, SYNCED_KEY } from './high-water.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { checkTableFile } from './table-file.ts';
import { type LogRecord, scanLog } from './write-ahead-log.ts';

export interface FileDamage {
  /** Name inside the folder. */
  readonly file: string;
  readonly what: string;
}

export interface FilesReport {
  /** There is no database in the folder. */
  readonly fresh: boolean;
  /** Number of the newest synced write in logs and the tables read, 0 when they hold none. */
  readonly synced: bigint;
  /** What must be cut off before opening, so that no write is kept without those before it. */
  readonly unfinished: { readonly file: string; readonly keepBytes: number } | undefined;
  readonly damages: readonly FileDamage[];
  readonly logs: readonly string[];
  /** Tables whose bytes were not read, for there are too many; newest first. */
  readonly unreadTables: readonly string[];
}

/** Of tables, newest first, at most so much is read before a node starts; about 200 ms. */
export const START_CHECK_BYTES = 64 * 1024 * 1024;
/** More than these are one kind of damage. */
const MAX_DAMAGES = 100;
/** LevelDB writes the first MANIFEST before CURRENT exists. */
const FIRST_MANIFEST = 'MANIFEST-000001';
const OURS = /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst))$/;

/** @param tableBytes how much of the tables to read; the rest is held against its size only */
export function checkDatabaseFiles(folder: string, tableBytes: number): FilesReport {
  return new FilesCheck(folder, tableBytes).run();
}

class FilesCheck {
  readonly #folder: string;
  readonly #tableBytes: number;
  readonly #damages: FileDamage[] = [];
  readonly #logs: string[] = [];
  #synced = 0n;
  #unfinished: FilesReport['unfinished'];
  readonly #unreadTables: string[] = [];
  #fresh = false;
  #manifestName = 'MANIFEST';

  constructor(folder: string, tableBytes: number) {
    this.#folder = folder;
    this.#tableBytes = tableBytes;
  }

  run(): FilesReport {
    const manifest = this.#manifest();
    if (manifest !== undefined) {
      this.#tables(manifest);
      this.#writeAheadLogs(manifest);
    }
    return {
      fresh: this.#fresh,
      synced: this.#synced,
      unfinished: this.#unfinished,
      damages: this.#damages,
      logs: this.#logs,
      unreadTables: this.#unreadTables,
    };
  }

  #manifest(): Manifest | undefined {
    const current = this.#read('CURRENT');
    if (current === undefined) {
      const names = readdirSync(this.#folder).filter(
        (name) => (OURS.test(name) && name !== FIRST_MANIFEST) || name === HIGH_WATER_FILE,
      );
      if (names.length === 0) this.#fresh = true;
      else this.#found('CURRENT', `it is missing, and there is ${names.sort().join(', ')}`);
      return undefined;
    }
    const name = /^(MANIFEST-\d{6,20})\n$/.exec(Buffer.from(current).toString('latin1'))?.[1];
    if (name === undefined) {
      this.#found('CURRENT', 'it does not name a MANIFEST');
      return undefined;
    }
    this.#manifestName = name;
    const bytes = this.#read(name);
    if (bytes === undefined) {
      this.#found(name, 'it is missing, and CURRENT names it');
      return undefined;
    }
    const { records, damage } = scanLog(bytes);
    if (damage !== undefined && (!damage.cut || damage.later.length > 0)) {
      this.#found(name, `the checksum at byte ${damage.offset} does not match`);
      return undefined;
    }
    try {
      return readManifest(records);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#found(name, error.message);
      return undefined;
    }
  }

  #tables({ tables }: Manifest): void {
    let budget = this.#tableBytes;
    for (const [number, size] of [...tables].sort(([a], [b]) => b - a)) {
      const file = ['ldb', 'sst']
        .map((end) => fileName(number, end))
        .find((name) => existsSync(join(this.#folder, name)));
      if (file === undefined) {
        this.#missing(fileName(number, 'ldb'));
        continue;
      }
      const found = statSync(join(this.#folder, file)).size;
      if (found !== size) {
        this.#found(file, `it has ${found} bytes, and was written with ${size}`);
        continue;
      }
      if (size > budget) {
        this.#unreadTables.push(file);
        continue;
      }
      budget -= size;
      try {
        const bytes = this.#read(file);
        const synced = bytes === undefined ? undefined : checkTableFile(bytes, SYNCED_KEY);
        if (synced !== undefined) this.#synced = larger(this.#synced, syncedOf(synced));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.#found(file, error.message);
      }
    }
  }

  #writeAheadLogs({ logNumber, lastSequence }: Manifest): void {
    const numbers = readdirSync(this.#folder)
      .map((name) => Number(/^(\d+)\.log$/.exec(name)?.[1] ?? Number.NaN))
      .filter((number) => number >= logNumber)
      .sort((a, b) => a - b);
    // The one of this number is made before the MANIFEST names it, and goes when no edit does.
    if (logNumber > 0 && numbers[0] !== logNumber) {
      this.#missing(fileName(logNumber, 'log'));
      return;
    }
    let next: number | undefined;
    for (const [i, number] of numbers.entries()) {
      const file = fileName(number, 'log');
      this.#logs.push(file);
      const isNewest = i === numbers.length - 1;
      next = this.#writeAheadLog(file, isNewest, next ?? { atMost: lastSequence + 1 });
    }
  }

  /** @returns the sequence number that comes after it */
  #writeAheadLog(
    file: string,
    isNewest: boolean,
    expected: number | { readonly atMost: number },
  ): number | undefined {
    const bytes = this.#read(file);
    if (bytes === undefined) return undefined;
    const { records, damage } = scanLog(bytes);
    const first = typeof expected === 'number' ? expected : expected.atMost;
    let next: number | undefined = typeof expected === 'number' ? expected : undefined;
    let keepBytes = damage?.offset;
    let lost: readonly LogRecord[] = damage?.later ?? [];
    for (const [i, record] of records.entries()) {
      const batch = readBatch(record.payload);
      const follows =
        batch !== undefined &&
        (next === undefined ? batch.sequence <= first : batch.sequence === next);
      if (!follows) {
        keepBytes = record.offset;
        lost = [...records.slice(i), ...lost];
        break;
      }
      next = batch.sequence + batch.count;
      this.#synced = larger(this.#synced, batch.synced);
    }
    if (keepBytes === undefined) return next;
    const after = lost.map(({ payload }) => readBatch(payload)?.synced ?? 0n).reduce(larger, 0n);
    if (after > 0n) {
      this.#found(file, `damaged at byte ${keepBytes}, before writes that were on disk`);
    } else if (!isNewest) {
      this.#found(file, `damaged at byte ${keepBytes}, and a later log goes on`);
    } else if (lost.length > 0) {
      this.#unfinished = { file, keepBytes };
    }
    return next;
  }

  #read(file: string): Uint8Array | undefined {
    try {
      return readFileSync(join(this.#folder, file));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      this.#found(file, `it cannot be read: ${error instanceof Error ? error.message : error}`);
      return undefined;
    }
  }

  #missing(file: string): void {
    this.#found(file, `it is missing, and ${this.#manifestName} names it, unless that one was cut`);
  }

  #found(file: string, what: string): void {
    if (this.#damages.length < MAX_DAMAGES) this.#damages.push({ file, what });
  }
}

interface Batch {
  readonly sequence: number;
  readonly count: number;
  /** Number of the synced write that it is, 0 when it is another. */
  readonly synced: bigint;
}

/** A record of a write-ahead log; undefined when it is none. */
function readBatch(payload: Uint8Array): Batch | undefined {
  try {
    const reader = new FormatReader(payload);
    const sequence = reader.u64();
    const count = reader.u32();
    let synced = 0n;
    for (let i = 0; i < count; i++) {
      const isPut = reader.bytes(1)[0] === 1;
      const key = reader.slice();
      const value = isPut ? reader.slice() : undefined;
      if (value !== undefined && compareBytes(key, SYNCED_KEY) === 0) synced = syncedOf(value);
    }
    return { sequence, count, synced };
  } catch (error) {
    if (error instanceof RangeError || isPydeError(error)) return undefined;
    throw error;
  }
}

/** Its checksum is that of the log. */
function syncedOf(record: Uint8Array): bigint {
  return BigInt(new FormatReader(record).u64());
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function fileName(number: number, end: string): string {
  return `${String(number).padStart(6, '0')}.${end}`;
}

/**
 * LevelDB behind core's `KeyValueStore`. Several threads of one process may open one folder (each
 * its own handle over one shared database); a second process may not, and is told so.
 *
 * The first handle looks at the files before LevelDB does, and keeps the high-water mark: a database
 * that lost something is refused as it is found (docs/operators/damaged-stores.md).
 */
import { existsSync, statfsSync, truncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PydeError } from '@pyde/core/bytes';
import type { KeyValueStore, RangeOptions, StoreWrite } from '@pyde/core/platform';
import { prefixEnd } from '@pyde/core/platform';
import { ClassicLevel } from 'classic-level';
import {
  checkDatabaseFiles,
  type FileDamage,
  type FilesReport,
  START_CHECK_BYTES,
} from './database-files.ts';
import { HIGH_WATER_FILE, HighWater, readSynced, SYNCED_KEY, syncedRecord } from './high-water.ts';
import { makeFolder } from './make-folder.ts';
import { checkTableFile } from './table-file.ts';

export type StoreErrorCode =
  | 'store.folder'
  | 'store.locked'
  | 'store.open'
  | 'store.damaged'
  | 'store.behind'
  | 'store.full'
  | 'store.read'
  | 'store.write';

type Level = ClassicLevel<Uint8Array, Uint8Array>;

/**
 * What is left free on the disk: more than LevelDB writes between two batches, so that no write of
 * its log is ever cut short by a full disk.
 */
export const RESERVED_DISK_BYTES = 16 * 1024 * 1024;

const PAUSE_BETWEEN_TABLES_MS = 100;

/**
 * Not compressed: most of what is written are hashes and signatures, which do not shrink (a database
 * of 272 MB became 293), and blocks read where their file is mapped need no copy in a block cache.
 *
 * Open tables stay mapped, and merges read all of them: with LevelDB's default of a thousand a node
 * had 236 MB of them resident after 18 minutes, and more with every minute. This is the least that
 * LevelDB takes: 64 tables of 2 MB.
 */
const OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  multithreading: true,
  compression: false,
  maxOpenFiles: 74,
} as const;

export class LevelStore implements KeyValueStore {
  readonly #db: Level;
  /** Of the first handle of a process. */
  #highWater: HighWater | undefined;
  #synced = 0n;
  /** Resolves when the synced write under way is done: their numbers go up in the order of writes. */
  #turn: Promise<void> = Promise.resolve();
  /** After a write that failed nothing may follow it into the log. */
  #failure: PydeError<StoreErrorCode> | undefined;
  #isClosed = false;

  private constructor(db: Level) {
    this.#db = db;
  }

  /**
   * Opens or creates the database in `folder`.
   * @throws PydeError `store.locked` when another process has it, `store.folder` when there can be
   * no such folder, `store.damaged` naming a file that is not what was written, `store.behind` when
   * writes that were on disk are lost, `store.full`, `store.open` otherwise
   *
   * Tables beyond the first `checkedBytes` are held against their checksums while the node runs; one
   * that is damaged makes the next write fail with `store.damaged`.
   */
  static async open(folder: string, checkedBytes = START_CHECK_BYTES): Promise<LevelStore> {
    makeFolder(folder);
    const shared = await openShared(folder);
    if (shared !== undefined) return new LevelStore(shared);
    requireSpace(folder);
    const files = listed(folder, () => checkDatabaseFiles(folder, checkedBytes));
    const mark = new HighWater(folder);
    if (files.damages.length > 0) {
      throw await unlessLocked(folder, damaged(folder, files.damages));
    }
    if (files.unreadTables.length === 0 && files.synced < mark.read()) {
      throw await unlessLocked(folder, behind(folder, files, files.synced, mark.read()));
    }
    if (files.unfinished !== undefined) await cutOff(folder, files.unfinished);
    const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, OPTIONS);
    try {
      await db.open({ createIfMissing: files.fresh });
    } catch (error) {
      throw openError(folder, error);
    }
    const store = new LevelStore(db);
    try {
      store.#synced = readSynced(store);
      if (store.#synced < mark.read()) throw behind(folder, files, store.#synced, mark.read());
    } catch (error) {
      await db.close();
      throw error;
    }
    store.#highWater = mark;
    void store.#checkInTurn(files.unreadTables);
    return store;
  }

  /**
   * All files of a stopped database against their checksums, and against the high-water mark.
   * Nothing is changed.
   * @throws PydeError `store.locked`, `store.open`
   */
  static async checkFiles(folder: string): Promise<readonly FileDamage[]> {
    await (await openShared(folder))?.close();
    const files = listed(folder, () => checkDatabaseFiles(folder, Number.MAX_SAFE_INTEGER));
    const mark = new HighWater(folder).read();
    if (files.damages.length > 0 || files.fresh || files.synced >= mark) return files.damages;
    return [{ file: HIGH_WATER_FILE, what: behind(folder, files, files.synced, mark).message }];
  }

  get(key: Uint8Array): Uint8Array | undefined {
    let value: Uint8Array | undefined;
    try {
      value = this.#db.getSync(key);
    } catch (error) {
      throw this.#unreadable(error);
    }
    return value === undefined ? undefined : plain(value);
  }

  async *range(
    options: RangeOptions,
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    const end = options.until ?? prefixEnd(options.prefix);
    const iterator = this.#db.iterator({
      gte: options.from ?? options.prefix,
      ...(end === undefined ? {} : { lt: end }),
      reverse: options.reverse ?? false,
      limit: options.limit ?? -1,
    });
    try {
      for (;;) {
        const entry = await iterator.next().catch((error: unknown) => {
          throw this.#unreadable(error);
        });
        if (entry === undefined) return;
        yield [plain(entry[0]), plain(entry[1])];
      }
    } finally {
      await iterator.close();
    }
  }

  batch(writes: readonly StoreWrite[], options: { readonly sync: boolean }): Promise<void> {
    const mark = this.#highWater;
    if (!options.sync || mark === undefined) return this.#write(writes, options.sync);
    const written = this.#turn.then(async () => {
      const synced = this.#synced + 1n;
      await this.#write([...writes, syncedRecord(this, synced)], true);
      this.#synced = synced;
      try {
        mark.write(synced);
      } catch (error) {
        throw this.#fail(error);
      }
    });
    this.#turn = written.catch(() => {});
    return written;
  }

  /** Bytes of LevelDB's write buffers and block cache, of all handles on this database. */
  get memoryBytes(): number {
    return Number(this.#db.getProperty('leveldb.approximate-memory-usage'));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
    await this.#db.close();
    this.#highWater?.close();
  }

  /** A share of the thread that nobody notices: a table of 2 MiB takes some milliseconds. */
  async #checkInTurn(tables: readonly string[]): Promise<void> {
    for (const file of tables) {
      await sleep(PAUSE_BETWEEN_TABLES_MS, undefined, { ref: false });
      if (this.#isClosed || this.#failure !== undefined) return;
      const folder = this.#db.location;
      try {
        checkTableFile(await readFile(join(folder, file)), SYNCED_KEY);
      } catch (error) {
        // A compaction has put other tables in its place.
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
        this.#failure ??= damaged(folder, [{ file, what: reasonOf(error) }]);
      }
    }
  }

  async #write(writes: readonly StoreWrite[], sync: boolean): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      requireSpace(this.#db.location);
      await this.#db.batch(
        writes.map((write) =>
          write.kind === 'put'
            ? { type: 'put', key: write.key, value: write.value }
            : { type: 'del', key: write.key },
        ),
        { sync },
      );
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #fail(error: unknown): PydeError<StoreErrorCode> {
    this.#failure ??=
      error instanceof PydeError
        ? error
        : new PydeError(
            'store.write',
            `the database ${this.#db.location} could not be written: ${reasonOf(error)}; free the ` +
              'disk or make it writable, then start again: nothing of this write was kept',
          );
    return this.#failure;
  }

  #unreadable(error: unknown): PydeError<StoreErrorCode> {
    return new PydeError(
      'store.read',
      `the database ${this.#db.location} could not be read: ${reasonOf(error)}; stop the node and ` +
        `run \`pyde db check\`; ${WAY_OUT}`,
    );
  }
}

const WAY_OUT =
  'put back a whole copy of the folder, or start from an empty one; ' +
  'docs/operators/damaged-stores.md says which';

/** The view without Node's Buffer around it, whose `slice` and `toString` mean other things. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A further handle, when this process has the folder open already. Otherwise `errorIfExists` makes
 * LevelDB stop after it took and gave back its lock, before it reads anything.
 * @throws PydeError `store.locked`, `store.open`
 */
async function openShared(folder: string): Promise<Level | undefined> {
  if (!existsSync(join(folder, 'LOCK'))) return undefined;
  const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, OPTIONS);
  try {
    await db.open({ createIfMissing: false, errorIfExists: true });
    return db;
  } catch (error) {
    await db.close().catch(() => {});
    if (/(exists|does not exist) \(\w+ is (true|false)\)/.test(reasonOf(causeOf(error)))) {
      return undefined;
    }
    throw openError(folder, error);
  }
}

/** A database that is being written looks damaged at times. */
async function unlessLocked(folder: string, error: PydeError): Promise<PydeError> {
  try {
    await (await openShared(folder))?.close();
    return error;
  } catch (locked) {
    return locked instanceof PydeError ? locked : error;
  }
}

async function cutOff(
  folder: string,
  { file, keepBytes }: NonNullable<FilesReport['unfinished']>,
): Promise<void> {
  await (await openShared(folder))?.close();
  listed(folder, () => truncateSync(join(folder, file), keepBytes));
}

/** @throws PydeError `store.full` */
function requireSpace(folder: string): void {
  const { bavail, bsize, blocks } = statfsSync(folder);
  const free = bavail * bsize;
  // Some file systems do not know their size.
  if (free >= RESERVED_DISK_BYTES || blocks === 0) return;
  throw new PydeError(
    'store.full',
    `the disk of ${folder} has ${free} bytes free, and ${RESERVED_DISK_BYTES} are left alone; ` +
      'make room, then start again: nothing that was acknowledged is lost',
    { folder, free },
  );
}

/** What the system refuses, in words. */
function listed<T>(folder: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw openError(folder, error);
  }
}

function damaged(folder: string, damages: readonly FileDamage[]): PydeError<StoreErrorCode> {
  const [first] = damages;
  const more = damages.length > 1 ? ` (and ${damages.length - 1} more)` : '';
  return new PydeError(
    'store.damaged',
    `${join(folder, first?.file ?? '')} is damaged${more}: ${first?.what}; nothing was changed; ` +
      WAY_OUT,
    { folder, file: first?.file ?? '' },
  );
}

function behind(
  folder: string,
  { logs }: FilesReport,
  synced: bigint,
  mark: bigint,
): PydeError<StoreErrorCode> {
  const newest = logs.at(-1) ?? 'its log';
  return new PydeError(
    'store.behind',
    `the database in ${folder} has lost writes that were on disk: its newest is number ${synced}, ` +
      `and ${HIGH_WATER_FILE} says ${mark}; ${newest} was cut or emptied, or an older file was ` +
      `put back; ${WAY_OUT}`,
    { folder, file: newest, synced: Number(synced), highWater: Number(mark) },
  );
}

function openError(folder: string, error: unknown): PydeError<StoreErrorCode> {
  if (error instanceof PydeError) return error;
  const cause = causeOf(error);
  if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED') {
    return new PydeError(
      'store.locked',
      `${folder} is in use by another process; stop that one, or choose another folder`,
      { folder },
    );
  }
  const reason = reasonOf(cause);
  const way = /read-only|permission denied|EROFS|EACCES|EPERM/i.test(reason)
    ? 'make the folder and what is in it writable, then start again'
    : `if it is damaged, ${WAY_OUT}`;
  return new PydeError(
    'store.open',
    `the database in ${folder} cannot be opened: ${reason}; ${way}`,
    {
      folder,
    },
  );
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

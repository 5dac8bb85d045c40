/**
 * LevelDB behind core's `KeyValueStore`. Several threads of one process may open one folder (each
 * its own handle over one shared database); a second process may not, and is told so.
 */
import { PydeError } from '@pyde/core/bytes';
import type { KeyValueStore, RangeOptions, StoreWrite } from '@pyde/core/platform';
import { prefixEnd } from '@pyde/core/platform';
import { ClassicLevel } from 'classic-level';
import { makeFolder } from './make-folder.ts';

export type StoreErrorCode = 'store.folder' | 'store.locked' | 'store.open' | 'store.write';

export class LevelStore implements KeyValueStore {
  readonly #db: ClassicLevel<Uint8Array, Uint8Array>;

  private constructor(db: ClassicLevel<Uint8Array, Uint8Array>) {
    this.#db = db;
  }

  /**
   * Opens or creates the database in `folder`.
   * @throws PydeError `store.locked` when another process has it, `store.folder` when there can be
   * no such folder, `store.open` otherwise
   */
  static async open(folder: string): Promise<LevelStore> {
    makeFolder(folder);
    const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      multithreading: true,
    });
    try {
      await db.open();
    } catch (error) {
      throw openError(folder, error);
    }
    return new LevelStore(db);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#db.getSync(key);
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
    for await (const [key, value] of iterator) yield [plain(key), plain(value)];
  }

  async batch(writes: readonly StoreWrite[], options: { readonly sync: boolean }): Promise<void> {
    try {
      await this.#db.batch(
        writes.map((write) =>
          write.kind === 'put'
            ? { type: 'put', key: write.key, value: write.value }
            : { type: 'del', key: write.key },
        ),
        { sync: options.sync },
      );
    } catch (error) {
      throw new PydeError(
        'store.write',
        `the database ${this.#db.location} could not be written: ${reasonOf(error)}; free the ` +
          'disk or make it writable, then start again: nothing of this write was kept',
      );
    }
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

/** The view without Node's Buffer around it, whose `slice` and `toString` mean other things. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function openError(folder: string, error: unknown): PydeError<StoreErrorCode> {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'LEVEL_LOCKED') {
    return new PydeError(
      'store.locked',
      `${folder} is in use by another process; stop that one, or choose another folder`,
      { folder },
    );
  }
  return new PydeError(
    'store.open',
    `the database in ${folder} cannot be opened: ${reasonOf(cause ?? error)}; if it is damaged, ` +
      'move the folder away and start again from a copy or from nothing',
    { folder },
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

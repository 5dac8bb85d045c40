/**
 * How far the database was known to be on disk: a count of its synced writes, kept twice. Once in a
 * record that rides on each of these writes, and once in a small file beside the tables, written
 * after the write is on disk. So the file is never ahead of a database that is whole, whatever dies
 * when. A database behind it has lost something that others may have been told.
 *
 * The file is not synced itself. A power cut may leave an older count, which claims less and is as
 * true; a missing or torn file claims nothing.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { decodeExactly, encode, u64BigEndian } from '@pyde/core/bytes';
import { blake3 } from '@pyde/core/crypto';
import type { KeyValueStore, StoreWrite } from '@pyde/core/platform';
import { TABLE, Table } from '@pyde/core/state';

export const HIGH_WATER_FILE = 'high-water';

const SUFFIX = new TextEncoder().encode('store/synced');
/** As it lies in the store, table prefix included. */
export const SYNCED_KEY: Uint8Array = Uint8Array.of(TABLE.meta, ...SUFFIX);
/** `synced`, 20 digits, 16 digits of a checksum, end of line: fixed, so that a write replaces all. */
const LINE = /^synced (\d{20}) ([0-9a-f]{16})\n$/;

export class HighWater {
  readonly #path: string;
  #file: number | undefined;

  constructor(folder: string) {
    this.#path = join(folder, HIGH_WATER_FILE);
  }

  /** 0 when there is no file, or it is not one of ours. */
  read(): bigint {
    let text: string;
    try {
      text = readFileSync(this.#path, 'latin1');
    } catch {
      return 0n;
    }
    const digits = LINE.exec(text)?.[1];
    if (digits === undefined || text !== line(BigInt(digits))) return 0n;
    return BigInt(digits);
  }

  write(synced: bigint): void {
    this.#file ??= openSync(this.#path, 'w');
    writeSync(this.#file, line(synced), 0, 'latin1');
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function line(synced: bigint): string {
  const sum = Buffer.from(blake3(SYNCED_KEY, u64BigEndian(synced)).subarray(0, 8)).toString('hex');
  return `synced ${synced.toString().padStart(20, '0')} ${sum}\n`;
}

/** The record that rides on synced write number `synced`. */
export function syncedRecord(store: KeyValueStore, synced: bigint): StoreWrite {
  const value = encode((w) => w.u64(synced));
  return new Table(store, TABLE.meta).put(SUFFIX, value);
}

/** Number of the newest synced write in the store. @throws PydeError `state.checksum` */
export function readSynced(store: KeyValueStore): bigint {
  const bytes = new Table(store, TABLE.meta).get(SUFFIX);
  return bytes === undefined ? 0n : decodeExactly(bytes, (r) => r.u64());
}

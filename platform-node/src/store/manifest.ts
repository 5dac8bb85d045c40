/**
 * LevelDB's MANIFEST (its doc/impl.md): a log of edits, of which follow the tables that make up the
 * database, their sizes, and the first write-ahead log that is not yet in a table.
 */
import { FormatReader } from './format-reader.ts';
import type { LogRecord } from './write-ahead-log.ts';

export interface Manifest {
  /** File number → size in bytes. */
  readonly tables: ReadonlyMap<number, number>;
  /** Logs below it are in tables. 0 in a database that was just made. */
  readonly logNumber: number;
  readonly lastSequence: number;
}

/** @throws RangeError when an edit is not one, or the edits together make no database */
export function readManifest(records: readonly LogRecord[]): Manifest {
  const tables = new Map<number, number>();
  let logNumber: number | undefined;
  let lastSequence: number | undefined;
  for (const { payload } of records) {
    const reader = new FormatReader(payload);
    const deleted: number[] = [];
    const added: (readonly [number, number])[] = [];
    while (reader.left > 0) {
      const tag = reader.varint();
      switch (tag) {
        case 1: // comparator
          reader.slice();
          break;
        case 2:
          logNumber = reader.varint();
          break;
        case 3: // next file number
        case 9: // previous log, of versions long gone
          reader.varint();
          break;
        case 4:
          lastSequence = reader.varint();
          break;
        case 5: // where the next compaction of a level starts
          reader.varint();
          reader.slice();
          break;
        case 6:
          reader.varint();
          deleted.push(reader.varint());
          break;
        case 7: {
          reader.varint();
          added.push([reader.varint(), reader.varint()]);
          reader.slice();
          reader.slice();
          break;
        }
        default:
          throw new RangeError(`an edit has the unknown part ${tag}`);
      }
    }
    // A table that moves to another level is deleted and added by one edit.
    for (const number of deleted) tables.delete(number);
    for (const [number, bytes] of added) tables.set(number, bytes);
  }
  if (logNumber === undefined || lastSequence === undefined) {
    throw new RangeError('its first edits are missing');
  }
  return { tables, logNumber, lastSequence };
}

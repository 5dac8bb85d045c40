/**
 * Forgetting old versions. Each version keeps a list, in pages, of the nodes that it made stale:
 * reachable from the versions before it and from none after. When the oldest kept version moves up
 * to v, the list of v is what nobody can reach any more.
 */
import { concatBytes, u32BigEndian, u64BigEndian } from '../bytes/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import type { NodeStore } from './node-store.ts';
import type { RecordBatch } from './record-batch.ts';
import { readStalePage } from './stale-list.ts';
import { TABLE, type Table } from './table.ts';
import type { OldestMark } from './version-marks.ts';

/** The list of `version`, at version u64 ‖ page u32 (big-endian). */
export function putStalePages(
  batch: RecordBatch,
  version: bigint,
  pages: readonly Uint8Array[],
): void {
  pages.forEach((page, i) => {
    batch.put(TABLE.jmtStale, pageSuffix(version, i), page);
  });
}

/**
 * Moves `mark` towards `keepFrom` by whole pages until `limit` writes are reached. The mark must be
 * written with the writes: once it is, no reader starts on a version below it.
 */
export function pruneStep(
  nodes: NodeStore,
  stale: Table,
  mark: OldestMark,
  keepFrom: bigint,
  limit: number,
): { readonly writes: StoreWrite[]; readonly mark: OldestMark } {
  const writes: StoreWrite[] = [];
  let { version, page } = mark;
  while (writes.length < limit) {
    const suffix = pageSuffix(version, page);
    if (page < (nodes.root(version)?.stalePages ?? 0)) {
      const list = stale.get(suffix);
      if (list !== undefined) {
        for (const node of readStalePage(list)) writes.push(nodes.deleteNode(node));
      }
      writes.push(stale.delete(suffix));
      page++;
    } else if (version < keepFrom) {
      writes.push(nodes.deleteRoot(version));
      version++;
      page = 0;
    } else break;
  }
  return { writes, mark: { version, page } };
}

function pageSuffix(version: bigint, page: number): Uint8Array {
  return concatBytes(u64BigEndian(version), u32BigEndian(page));
}

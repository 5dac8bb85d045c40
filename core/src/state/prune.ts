/**
 * Forgetting old versions. Each version keeps a list, in pages, of the nodes that it made stale:
 * reachable from the versions before it and from none after. When the oldest kept version moves up
 * to v, the list of v is what nobody can reach any more.
 */
import { concatBytes, decodeExactly, encode, u32BigEndian, u64BigEndian } from '../bytes/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import { type NodeStore, nodeSuffix } from './node-store.ts';
import type { Table } from './table.ts';
import type { NodeLocation } from './tree.ts';
import type { OldestMark } from './version-marks.ts';

const NODES_PER_PAGE = 256;
const MAX_NODE_SUFFIX_BYTES = 41;

/** The list of `version`, at version u64 ‖ page u32 (big-endian): Vec<Vec<u8>> of node keys. */
export function putStalePages(
  table: Table,
  version: bigint,
  stale: readonly NodeLocation[],
): StoreWrite[] {
  const pages: StoreWrite[] = [];
  for (let first = 0; first < stale.length; first += NODES_PER_PAGE) {
    const suffixes = stale.slice(first, first + NODES_PER_PAGE).map(nodeSuffix);
    const page = encode((writer) => writer.vec(suffixes, (w, suffix) => w.bytes(suffix)));
    pages.push(table.put(pageSuffix(version, pages.length), page));
  }
  return pages;
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
      for (const node of readPage(stale.get(suffix))) writes.push(nodes.deleteNode(node));
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

function readPage(bytes: Uint8Array | undefined): Uint8Array[] {
  if (bytes === undefined) return [];
  return decodeExactly(bytes, (reader) =>
    reader.vec(NODES_PER_PAGE, 4, (r) => r.bytes(MAX_NODE_SUFFIX_BYTES)),
  );
}

function pageSuffix(version: bigint, page: number): Uint8Array {
  return concatBytes(u64BigEndian(version), u32BigEndian(page));
}

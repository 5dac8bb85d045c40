/**
 * What a member goes on from after it followed the waves of others (design/consensus.md, "Waves"):
 * the newest of them, and the ancestries of the last committed anchors, which count as emitted.
 * Their batches were executed and are not needed.
 */
import { u64BigEndian } from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import {
  type Epoch,
  type Hash,
  toRound,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { ConsensusRecords } from './records.ts';
import type { Restored, StoredVertex } from './restore.ts';

/**
 * @param head certified, and executed here
 * @param vertices lowest round first; none at the start of an epoch
 * @returns what to go on from, and the writes that let a restart go on from the same
 */
export function joinedEpoch(
  store: KeyValueStore,
  head: { readonly record: WaveCommitRecord; readonly digest: Hash },
  epoch: Epoch,
  vertices: readonly StoredVertex[],
): { readonly restored: Restored; readonly writes: readonly StoreWrite[] } {
  const records = new ConsensusRecords(store, epoch);
  const own = records.own();
  const joinedRound = own?.round ?? toRound(0);
  const restored = {
    ...{ records, vertices, head: head.record, headDigest: head.digest, headCertified: true },
    ...{ own, joinedRound, vouched: [], evidence: [] },
  };
  const puts = vertices.map(({ vertex, name }) => records.putVertex(vertex, name));
  const writes = [...puts, records.putJoinedRound(joinedRound), joiningMark(store, false)];
  return { restored, writes };
}

const JOINING = new TextEncoder().encode('joining');
const MAX_DELETIONS_PER_WRITE = 1_024;

/**
 * While waves of others are executed, the store's newest wave is ahead of its vertices: a mark says
 * so, that a restart goes on with the waves and takes no vertex for lost.
 */
export function joiningMark(store: KeyValueStore, isJoining: boolean): StoreWrite {
  const table = new Table(store, TABLE.consensus);
  return isJoining ? table.put(JOINING, new Uint8Array(0)) : table.delete(JOINING);
}

export const isJoining = (store: KeyValueStore): boolean =>
  new Table(store, TABLE.consensus).get(JOINING) !== undefined;

/**
 * What a restart in the middle of that has of its epoch: the wave that the epoch began with, and no
 * vertices, for those in the store are of before and are dropped.
 */
export async function unjoinedEpoch(
  store: KeyValueStore,
  beginning: WaveCommitRecord,
  epoch: Epoch,
): Promise<Restored> {
  for (const table of [TABLE.vertices, TABLE.batches]) {
    await dropRange(store, new Table(store, table), u64BigEndian(BigInt(epoch)));
  }
  return {
    records: new ConsensusRecords(store, epoch),
    head: beginning,
    headDigest: waveDigest(beginning),
    headCertified: true,
    ...{ vertices: [], own: undefined, joinedRound: undefined, vouched: [], evidence: [] },
  };
}

async function dropRange(store: KeyValueStore, table: Table, prefix: Uint8Array): Promise<void> {
  let writes: StoreWrite[] = [];
  for await (const [key] of table.range({ prefix })) {
    writes.push(table.delete(key));
    if (writes.length < MAX_DELETIONS_PER_WRITE) continue;
    await store.batch(writes, { sync: false });
    writes = [];
  }
  if (writes.length > 0) await store.batch(writes, { sync: false });
}

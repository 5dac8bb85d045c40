/**
 * What a member goes on from after it followed the waves of others (design/consensus.md, "Waves"):
 * the newest of them, and the ancestries of the last committed anchors, which count as emitted.
 * Their batches were executed and are not needed.
 */
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import type { Epoch, Hash, WaveCommitRecord } from '../types/index.ts';
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
  const restored = {
    ...{ records, vertices, head: head.record, headDigest: head.digest, headCertified: true },
    ...{ own: records.own(), vouched: [], evidence: [] },
  };
  return { restored, writes: vertices.map(({ vertex, name }) => records.putVertex(vertex, name)) };
}

/**
 * What a member goes on from in an epoch that begins before its eyes (design/consensus.md,
 * "Epochs"): nothing but the wave that closed the one before.
 */
import { invariant } from '../bytes/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { type Epoch, type WaveCommitRecord, waveDigest } from '../types/index.ts';
import { ConsensusRecords } from './records.ts';
import type { Restored } from './restore.ts';

/** @param closing its certificate is in the store */
export function freshEpoch(
  store: KeyValueStore,
  closing: WaveCommitRecord,
  epoch: Epoch,
): Restored {
  const records = new ConsensusRecords(store, epoch);
  invariant(
    records.own() === undefined,
    `this member has made no vertex of epoch ${epoch}, which begins only now`,
  );
  const headDigest = waveDigest(closing);
  const joinedRound = records.joinedRound();
  const nothing = { vertices: [], own: undefined, joinedRound, vouched: [], evidence: [] };
  return { records, head: closing, headDigest, headCertified: true, ...nothing };
}

/**
 * What a member finds in its store when it starts: the vertices that it had accepted and the newest
 * executed wave. Everything else — votes, verdicts, waves committed and not executed — follows from
 * these, so that a restart comes to the same waves in the same order.
 */
import { equalBytes, type PydeError, toHex } from '../bytes/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import {
  type Epoch,
  encodeVertex,
  type Hash,
  type MemberIndex,
  type Round,
  toRound,
  type Vertex,
  type VertexHash,
  type WaveCommitRecord,
  type WeakParentRef,
  waveDigest,
} from '../types/index.ts';
import type { BatchStore } from './batch-store.ts';
import { Dag, type DagOptions, type DagVertex } from './dag.ts';
import type { EvidenceKey } from './equivocation.ts';
import { type ConsensusErrorCode, consensusError } from './error.ts';
import { markAncestryEmitted } from './linearizer.ts';
import { refKey } from './name-key.ts';
import type { StoreStanding } from './newest-message.ts';
import { ConsensusRecords, type OwnVertexRecord } from './records.ts';
import type { OwnStore } from './standing-records.ts';

export interface Restored {
  readonly records: ConsensusRecords;
  /** Newest executed wave; its writes are in the store. */
  readonly head: WaveCommitRecord;
  readonly headDigest: Hash;
  /** Its certificate is in the store (or it is wave 0, which has none). */
  readonly headCertified: boolean;
  /** Accepted vertices, lowest round first. */
  readonly vertices: readonly StoredVertex[];
  readonly own: OwnVertexRecord | undefined;
  /** The DAG was joined again (`joined-epoch.ts`): own vertices up to this round may be missing. */
  readonly joinedRound: Round | undefined;
  /** Ancestors that count as held because f + 1 members accepted them. */
  readonly vouched: readonly WeakParentRef[];
  readonly evidence: readonly EvidenceKey[];
}

export interface StoredVertex {
  readonly vertex: Vertex;
  readonly name: VertexHash;
}

/**
 * Reads what the machine goes on from.
 * @param head the newest executed wave's record; on an empty store that of genesis
 * @param epoch whose records are read: that of the head, or the one after the epoch that it closed
 * @throws PydeError `state.checksum`, `borsh.*` when a stored record is damaged
 */
export async function restoreConsensus(
  store: KeyValueStore,
  head: WaveCommitRecord,
  epoch: Epoch = head.epoch,
): Promise<Restored> {
  const records = new ConsensusRecords(store, epoch);
  return {
    records,
    head,
    headDigest: waveDigest(head),
    headCertified: head.waveId === 0n || records.hasCert(head.waveId),
    vertices: await records.vertices(),
    own: records.own(),
    joinedRound: records.joinedRound(),
    vouched: await records.edge.vouched(),
    evidence: await records.evidence.keys(epoch),
  };
}

/**
 * The DAG of the stored vertices, with everything that waves up to the head carried marked.
 * @param gcRound vertices at or below it are in no later wave
 * @throws PydeError `consensus.store` when vertices or batches are missing
 */
export function rebuildDag(
  options: DagOptions,
  restored: Restored,
  batches: BatchStore,
  gcRound: number,
): Dag {
  const { vertices, head, records } = restored;
  const lowest = vertices[0]?.vertex.round ?? 1;
  // Of the lowest round kept the parents are gone, unless they are those of round 0.
  const dag = new Dag(options, lowest === 1 ? 0 : lowest);
  const placed: DagVertex[] = [];
  const vouched = new Set(restored.vouched.map(refKey));
  for (const { vertex, name } of vertices) {
    const round = toRound(vertex.round - 1);
    const whole = vertex.parents.every(
      (ref) => dag.find(round, ref) !== undefined || vouched.has(refKey({ round, ...ref })),
    );
    if (!whole && vertex.round > dag.lowestRound) {
      throw lost(`parents of a vertex of round ${vertex.round} (table vertices)`);
    }
    placed.push(dag.insert(vertex, name));
  }
  const isFresh = head.waveId === 0n || head.epoch !== options.epoch;
  if (!isFresh) markAncestryEmitted(dag, lastAnchors(dag, head));
  for (const vertex of placed) {
    if (vertex.round <= gcRound) dag.markEmitted(vertex);
    for (const { hash } of vertex.batches) {
      if (!vertex.emitted) {
        const bytes = records.batch(hash);
        if (bytes === undefined) {
          throw lost(`batch ${toHex(hash)} of a vertex of round ${vertex.round} (table batches)`);
        }
        batches.put(hash, bytes);
      }
      batches.refer(hash, !vertex.emitted);
    }
  }
  return dag;
}

/**
 * The anchors committed at the head's round and, if there was one, at the round before. Of the
 * latter no record is needed: a committed anchor has a certificate two rounds up, and no other
 * vertex of its slot can have one.
 */
function lastAnchors(dag: Dag, head: WaveCommitRecord): DagVertex[] {
  const anchor = dag.slot(head.anchorRound).find(({ name }) => equalBytes(name, head.anchorHash));
  if (anchor === undefined) {
    throw lost(
      `vertex ${toHex(head.anchorHash)}, the anchor of wave ${head.waveId} (table vertices)`,
    );
  }
  if (head.priorAnchorRound !== head.anchorRound - 1 || head.priorAnchorRound === 0)
    return [anchor];
  const certified = new Set<DagVertex | undefined>();
  for (const { certifies } of dag.round(head.anchorRound + 1)?.vertices() ?? []) {
    certified.add(certifies);
  }
  const prior = dag.slot(head.priorAnchorRound).filter((vertex) => certified.has(vertex));
  return [anchor, ...prior];
}

/**
 * Others brought vertices of this member that its store never held: it lost its store, also where
 * nobody has told it yet.
 */
const bringsOwnVertices = (
  { own, vertices, joinedRound }: Restored,
  self: MemberIndex,
  standing: StoreStanding,
): boolean =>
  own === undefined &&
  (standing === 'new' || joinedRound !== undefined) &&
  vertices.some(({ vertex }) => vertex.author === self);

/**
 * The vertex that a member made last: its round, and its bytes while they are kept.
 * @returns undefined for a member that made none
 * @param store one that is known to have lost some says nothing of the newest
 * @throws PydeError `consensus.store` when it is lost, for a second one would be equivocation
 */
export function newestOwn(
  restored: Restored,
  self: MemberIndex,
  lowestRound: number,
  store: Pick<OwnStore, 'standing'>,
): { readonly round: Round; readonly bytes: Uint8Array | undefined } | undefined {
  const { own, vertices, joinedRound } = restored;
  const mine = vertices.filter(({ vertex }) => vertex.author === self);
  const newest = mine.at(-1);
  if (bringsOwnVertices(restored, self, store.standing)) store.standing = 'lost';
  if (store.standing === 'lost')
    return own === undefined ? undefined : { round: own.round, bytes: undefined };
  if (own === undefined) {
    if (newest === undefined) return undefined;
    throw lost('record "own", which vertex this member made last (table consensus)');
  }
  // Whoever has the key may have made a second one of the round.
  const held = mine.find(({ name }) => equalBytes(name, own.name));
  if (newest !== undefined && newest.vertex.round > own.round) {
    throw lost(
      `the newest record "own" (table consensus): it names round ${own.round}, and this member ` +
        `made a vertex of round ${newest.vertex.round}`,
    );
  }
  if (held === undefined && joinedRound !== undefined && own.round <= joinedRound)
    return { round: own.round, bytes: undefined };
  if (held === undefined && own.round >= lowestRound) {
    throw lost(
      `vertex ${toHex(own.name)}, this member's newest, of round ${own.round} (table vertices)`,
    );
  }
  return {
    round: own.round,
    bytes: held === undefined ? undefined : encodeVertex(held.vertex),
  };
}

function lost(what: string): PydeError<ConsensusErrorCode> {
  return consensusError(
    'consensus.store',
    `the store has lost ${what}; put back a whole copy of it, or start from an empty folder`,
  );
}

/**
 * What the consensus machine of an epoch is made of, as its store left it: the DAG and the waves that
 * follow from it, what others send, what of it contradicts itself, and how long it is kept.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import { maxFaulty, quorum, type Signer } from '../finality/index.ts';
import type { MemberIndex } from '../types/index.ts';
import { AnchorSchedule } from './anchor-schedule.ts';
import { BatchStore } from './batch-store.ts';
import { CommitLog } from './commit-log.ts';
import type { ConsensusContext } from './context.ts';
import type { Dag } from './dag.ts';
import { Equivocations } from './equivocation.ts';
import { Exchange } from './exchange.ts';
import { HeldNames } from './held-names.ts';
import type { ConsensusRecords } from './records.ts';
import { type Restored, rebuildDag } from './restore.ts';
import { Retention } from './retention.ts';
import { VERTEX_DOOR, type VertexDoor } from './vertex-door.ts';
import { WaveBuilder } from './wave-builder.ts';
import { Tips } from './weak-parents.ts';

export interface Seat {
  readonly self: MemberIndex;
  readonly signer: Signer;
}

export interface EpochParts {
  readonly size: number;
  readonly quorum: number;
  readonly records: ConsensusRecords;
  readonly door: VertexDoor;
  readonly dag: Dag;
  readonly batches: BatchStore;
  readonly log: CommitLog;
  readonly tips: Tips;
  readonly equivocations: Equivocations;
  readonly exchange: Exchange;
  readonly retention: Retention;
}

/** The seat that the context gives; undefined for a node that only follows. */
export function seatOf({ committee, self, signer, ownStore }: ConsensusContext): Seat | undefined {
  invariant((self === undefined) === (signer === undefined), 'a seat comes with its signer');
  invariant(self === undefined || ownStore !== undefined, 'a seat comes with a store of its own');
  if (self === undefined || signer === undefined) return undefined;
  const member = committee.members[self];
  invariant(
    member !== undefined && equalBytes(member.publicKey, signer.publicKey),
    `the signer is that of member ${self}`,
  );
  return { self, signer };
}

/** @throws PydeError `consensus.store` when the store has lost vertices or batches */
export function openParts(context: ConsensusContext, restored: Restored): EpochParts {
  const { chainId, committee, epoch, parameters, self, verify, startMs } = context;
  const { head, records } = restored;
  const { gcRounds, epochDurationMs } = parameters;
  const size = committee.members.length;
  const q = quorum(size);
  const span = { startMs, durationMs: epochDurationMs };
  const waves = new WaveBuilder({ chainId, epoch, gcRounds, span }, head);
  const schedule = new AnchorSchedule(context.beacon, epoch, size);
  const { start } = context;
  const dagOptions = { schedule, size, quorum: q, epoch, start, startTimestampMs: startMs };
  const batches = new BatchStore();
  const dag = rebuildDag(dagOptions, restored, batches, waves.gcRound);
  const log = new CommitLog(dag, batches, waves, q, self);
  const held = new HeldNames(dag, records.edge, gcRounds, restored.vouched);
  const equivocations = new Equivocations(
    { committee, verify, bytesOf: (vertex) => records.vertexBytes(vertex.round, vertex) },
    restored.evidence,
    head.waveId,
  );
  const door = context.door ?? VERTEX_DOOR;
  const witnesses = maxFaulty(size) + 1;
  const rules = { chainId, committee, verify, door, self, gcRounds, size, witnesses };
  const exchange = new Exchange(
    { ...rules, gcRound: () => log.gcRound },
    { dag, batches, records, held, equivocations },
  );
  const retention = new Retention({ dag, batches, records, held }, gcRounds);
  const tips = new Tips(dag, size);
  return {
    ...{ size, quorum: q, records, door, dag, batches, log, tips },
    ...{ equivocations, exchange, retention },
  };
}

/** What the consensus machine of one epoch is given, and what an operator sees of it. */
import type { Committee, Signer } from '../finality/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import type { Epoch, GenesisParameters, Hash, MemberIndex } from '../types/index.ts';
import type { OwnStore } from './standing-records.ts';
import type { VertexDoor } from './vertex-door.ts';

export interface ConsensusContext {
  readonly chainId: bigint;
  readonly epoch: Epoch;
  /** The epoch's starting digest: the genesis hash for epoch 0. */
  readonly start: Hash;
  readonly beacon: Hash;
  readonly committee: Committee;
  /** This member's seat; without it the machine only follows. */
  readonly self: MemberIndex | undefined;
  /** Needed with a seat. */
  readonly signer: Signer | undefined;
  readonly parameters: GenesisParameters;
  /** Signatures of vertices and attestations. */
  readonly verify: VerifySignatures;
  /** Default: one that remembers nothing. */
  readonly door?: VertexDoor;
  /** When the epoch began: the timestamp of the vertices of round 0. */
  readonly startMs: bigint;
  /** Transactions for a batch: wire bytes, at most `maxBytes` in sum; none when none wait. */
  takeBatch(maxBytes: number): readonly Uint8Array[];
  /** What this node's store is worth; needed with a seat. One for all epochs of a run. */
  readonly ownStore: OwnStore | undefined;
}

/** What an operator watches. */
export interface ConsensusStatus {
  readonly ownRound: number;
  readonly highestRound: number;
  readonly lowestRound: number;
  readonly waitingWaves: number;
  readonly bufferedVertices: number;
  /** Ancestors and batches that those wait for. */
  readonly missing: number;
  readonly batchesInMemory: number;
  /** Messages of others not taken, by error code. */
  readonly refused: ReadonlyMap<string, number>;
}

/** What goes into the consensus machine and what comes out (design/architecture.md). */
import type { StoreWrite } from '../platform/index.ts';
import type { HardFinalityCert, Hash, MemberIndex, WaveCommitRecord } from '../types/index.ts';
import type { Equivocation } from './equivocation.ts';
import type { CommittedWave } from './wave-builder.ts';

/** As the event `message`. */
export interface MemberMessage {
  readonly from: MemberIndex;
  readonly bytes: Uint8Array;
}

export type ConsensusEvent =
  /** Once, before anything else. */
  | { readonly kind: 'start' }
  /** The time of the last `set-timer` has come. */
  | { readonly kind: 'timer' }
  /** Whether transactions wait to be put into a batch. */
  | { readonly kind: 'work'; readonly pending: boolean }
  /** A member sent a message, still in its frame; the platform checked its size. */
  | { readonly kind: 'message'; readonly from: MemberIndex; readonly bytes: Uint8Array }
  /** Messages with vertices that came together, in their order: one step and one write for all. */
  | { readonly kind: 'vertices'; readonly messages: readonly MemberMessage[] }
  /** A connection to a member was made, or made again. */
  | { readonly kind: 'connected'; readonly member: MemberIndex }
  /** The oldest committed wave not reported yet was executed and its writes are in the store. */
  | { readonly kind: 'wave-executed'; readonly record: WaveCommitRecord; readonly digest: Hash };

/** Carried out in order; a `persist` is complete before anything after it. */
export type ConsensusEffect =
  | { readonly kind: 'persist'; readonly writes: readonly StoreWrite[]; readonly sync: boolean }
  /** To every other member. */
  | { readonly kind: 'broadcast'; readonly message: Uint8Array }
  | { readonly kind: 'send'; readonly member: MemberIndex; readonly message: Uint8Array }
  /** Replaces the timer set before. */
  | { readonly kind: 'set-timer'; readonly atMonotonicMs: number }
  | { readonly kind: 'commit'; readonly wave: CommittedWave }
  /** Transactions of this member's batches that no wave can take any more: to be put in again. */
  | { readonly kind: 'returned'; readonly transactions: readonly Uint8Array[] }
  /** The certificate is in an earlier `persist` of the same step. */
  | { readonly kind: 'certified'; readonly cert: HardFinalityCert }
  /** A member contradicted itself; the evidence is in the `persist` of the same step. */
  | { readonly kind: 'equivocation'; readonly evidence: Equivocation }
  /** f + 1 members attest another state: this node must neither produce nor execute any more. */
  | { readonly kind: 'halt'; readonly reason: string };

/**
 * What happens to a node and what it wants done (design/architecture.md, "Core is sans-I/O"). The
 * platform hands events in one at a time and carries the effects of each out in order; a `persist` is
 * complete before the next effect starts.
 */
import type { PydeError } from '../bytes/index.ts';
import type { CommittedWave, Equivocation } from '../consensus/index.ts';
import type { ExecutedWave } from '../execution/index.ts';
import type { SignatureCheck, StoreWrite } from '../platform/index.ts';
import type {
  HardFinalityCert,
  PeerNumber,
  TxHash,
  ValidatorIndex,
  WaveCommitRecord,
} from '../types/index.ts';

/** What everybody hears: certificates of finality, and transactions on their way to a validator. */
export type GossipTopic = 'finality' | 'tx';

/** Whether gossip goes on to others; `reject` is the sender's fault. */
export type GossipVerdict = 'accept' | 'ignore' | 'reject';

/** Of a peer that was asked: what it said is not true, or it said nothing in time. */
export type PeerOffence = 'wrong-answer' | 'no-answer';

/** As the event `message`. */
export interface ValidatorMessage {
  readonly from: ValidatorIndex;
  readonly bytes: Uint8Array;
}

export type NodeEvent =
  | { readonly kind: 'start' }
  /** A transaction came in; answered by exactly one `reply` with the same request number. */
  | { readonly kind: 'submit'; readonly request: number; readonly bytes: Uint8Array }
  /** As `submit`, for what an earlier run of this node acknowledged. */
  | { readonly kind: 'readmit'; readonly request: number; readonly bytes: Uint8Array }
  /** The signature checks of a request are done; all valid or not. */
  | { readonly kind: 'verified'; readonly request: number; readonly valid: boolean }
  /** The checks could not be made (queue full, stopping). */
  | { readonly kind: 'unverified'; readonly request: number; readonly error: PydeError }
  /** The checks of a `verify-ahead`, one verdict each; undefined when they could not be made. */
  | {
      readonly kind: 'verified-ahead';
      readonly ticket: number;
      readonly verdicts: readonly boolean[] | undefined;
    }
  /** The waves of the last `execute`, in order, each durable; fewer when one had another digest. */
  | { readonly kind: 'executed'; readonly waves: readonly ExecutedWave[] }
  | { readonly kind: 'timer' }
  /** No more events are waiting: the time to propose what has gathered. */
  | { readonly kind: 'turn' }
  /** A validator sent a message; its size, and who it is from, were checked by the platform. */
  | { readonly kind: 'message'; readonly from: ValidatorIndex; readonly bytes: Uint8Array }
  /** Messages with vertices that came together, in their order: one step and one write for all. */
  | { readonly kind: 'vertices'; readonly messages: readonly ValidatorMessage[] }
  /** A connection to a validator was made, or made again. */
  | { readonly kind: 'connected'; readonly peer: ValidatorIndex }
  /** A peer that answers questions came; validators are among them, by another name. */
  | { readonly kind: 'peer-connected'; readonly peer: PeerNumber }
  | { readonly kind: 'peer-disconnected'; readonly peer: PeerNumber }
  /** To an `ask`, whose ticket it has; undefined when the peer refused or could not be asked. */
  | {
      readonly kind: 'answer';
      readonly peer: PeerNumber;
      readonly ticket: number;
      readonly bytes: Uint8Array | undefined;
    }
  /** Heard by gossip; answered by exactly one `gossip-verdict` with the same ticket. */
  | {
      readonly kind: 'gossip';
      readonly topic: GossipTopic;
      readonly ticket: number;
      readonly bytes: Uint8Array;
    };

export type Reply =
  | { readonly ok: true; readonly hash: TxHash }
  | { readonly ok: false; readonly error: PydeError };

export type NodeEffect =
  | { readonly kind: 'persist'; readonly writes: readonly StoreWrite[]; readonly sync: boolean }
  | { readonly kind: 'send'; readonly peer: ValidatorIndex; readonly message: Uint8Array }
  | { readonly kind: 'broadcast'; readonly message: Uint8Array }
  /** One question of a request protocol; answered by exactly one `answer` with the same ticket. */
  | {
      readonly kind: 'ask';
      readonly peer: PeerNumber;
      readonly ticket: number;
      readonly protocol: 'waves';
      readonly question: Uint8Array;
    }
  /** A peer's answer was of no use: it is to be scored down. */
  | { readonly kind: 'report'; readonly peer: PeerNumber; readonly offence: PeerOffence }
  | { readonly kind: 'publish'; readonly topic: GossipTopic; readonly message: Uint8Array }
  | {
      readonly kind: 'gossip-verdict';
      readonly ticket: number;
      readonly verdict: GossipVerdict;
    }
  | { readonly kind: 'set-timer'; readonly atMonotonicMs: number }
  | {
      readonly kind: 'verify';
      readonly request: number;
      readonly checks: readonly SignatureCheck[];
    }
  | { readonly kind: 'reply'; readonly request: number; readonly reply: Reply }
  /** Of transactions in waves that wait; answered by `verified-ahead`. Nothing waits for it. */
  | {
      readonly kind: 'verify-ahead';
      readonly ticket: number;
      readonly checks: readonly SignatureCheck[];
    }
  /** To be executed in order, after all that was handed out before. */
  | {
      readonly kind: 'execute';
      readonly waves: readonly CommittedWave[];
      /** For the executor's memory of what was verified; see `VerifiedTransactions`. */
      readonly verified: Uint8Array;
    }
  | { readonly kind: 'wave'; readonly record: WaveCommitRecord }
  | { readonly kind: 'finality'; readonly cert: HardFinalityCert }
  /** A validator contradicted itself; the evidence is in the store. */
  | { readonly kind: 'equivocation'; readonly evidence: Equivocation }
  | { readonly kind: 'halt'; readonly reason: string };

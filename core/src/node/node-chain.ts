/**
 * What a node needs of the chain, however it comes by its waves: as a member, from the DAG
 * (`chain.ts`), or without a key, from those who executed them (`followed-chain.ts`).
 */
import type { Committee } from '../finality/index.ts';
import type { Instant } from '../platform/index.ts';
import type {
  Address,
  Epoch,
  HardFinalityCert,
  Hash,
  MemberIndex,
  ValidatorIndex,
} from '../types/index.ts';
import type { CatchUpPhase } from './catch-up.ts';
import type { ChainEffect, ChainEvent } from './chain.ts';
import type { NodeEffect, NodeEvent } from './node-events.ts';

export type PeerEvent =
  | Extract<NodeEvent, { kind: 'peer-connected' | 'peer-disconnected' | 'answer' }>
  /** A certificate that holds was heard. */
  | { readonly kind: 'cert'; readonly cert: HardFinalityCert; readonly digest: Hash }
  /** One of an epoch that this node has not come to was heard; nobody knows whether it holds. */
  | { readonly kind: 'later-epoch' };

export type NodeChainEffect = ChainEffect | Extract<NodeEffect, { kind: 'ask' | 'report' }>;

export interface NodeChain {
  readonly epoch: Epoch;
  readonly phase: CatchUpPhase;
  /** Is this node a member of the current epoch? */
  readonly hasSeat: boolean;
  /** Whoever has no key knows no member: what it admits goes to all. */
  readonly forwards: 'to-home' | 'to-all';
  /** See `Epochs.homeOf`. */
  homeOf(from: Address, asked?: number): ValidatorIndex | undefined;
  /** See `Epochs.takesIn`. */
  takesIn(from: Address, asked: number): boolean;
  /** The anchor's seat, of the current epoch and the one before. */
  anchorOf(epoch: number, round: number): MemberIndex | undefined;
  /** Of the current epoch, its neighbours as far as they are known; undefined for any other. */
  committeeOf(epoch: number): Committee | undefined;
  /** This node's seat in an epoch that it knows. */
  seatIn(epoch: number): MemberIndex | undefined;
  /** See `Consensus.prepare`. */
  prepare(): boolean;
  step(event: ChainEvent, now: Instant): NodeChainEffect[];
  /** Of peers and of what is heard; absent where members alone are listened to. */
  peer?(event: PeerEvent, now: Instant): NodeChainEffect[];
}

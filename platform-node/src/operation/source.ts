/** What operation reads of a node: a few calls that cost nothing until somebody looks. */
import type { ConsensusStatus } from '@pyde/core/consensus';
import type { NodeMachine } from '@pyde/core/node';
import type { RpcBackend } from '@pyde/core/rpc';
import type { PeerStatus } from '../network/index.ts';

/** Where a node stands among the others. */
export interface NodeStanding {
  readonly phase: NodeMachine['phase'];
  /** The epoch that the node is in. */
  readonly epoch: number;
  /** The node has a validator's key. */
  readonly isValidator: boolean;
  /** And that validator is a member of the epoch. */
  readonly hasSeat: boolean;
  /** Why the node takes part no more, if it does not; reads go on. */
  readonly halted: string | undefined;
  readonly protocol: NodeMachine['protocol'];
  readonly consensus: ConsensusStatus;
}

export interface OperationSource
  extends Pick<
    RpcBackend,
    | 'genesis'
    | 'head'
    | 'certifiedHead'
    | 'onWave'
    | 'onFinality'
    | 'transactionStatus'
    | 'nodeInfo'
    | 'metrics'
  > {
  standing(): NodeStanding;
  /** Empty for a node without a network. */
  peers(): readonly Pick<PeerStatus, 'validator' | 'direction' | 'transport'>[];
}

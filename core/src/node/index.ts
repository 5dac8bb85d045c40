export type { ExecutedWave } from '../execution/index.ts';
export { checkDatabase, type Damage, type DatabaseReport } from './database-check.ts';
export { Epochs, type EpochsSetup } from './epochs.ts';
export { FollowedChain } from './followed-chain.ts';
export type {
  GossipTopic,
  GossipVerdict,
  NodeEffect,
  NodeEvent,
  PeerOffence,
  Reply,
  ValidatorMessage,
} from './node-events.ts';
export { NodeMachine, type NodeSetup } from './node-machine.ts';
export {
  type NodeOptions,
  type OpenFollower,
  type OpenNode,
  type OpenNodeErrorCode,
  openNode,
  writeGenesis,
} from './open-node.ts';
export { MAX_GOSSIP_BYTES } from './tx-gossip.ts';

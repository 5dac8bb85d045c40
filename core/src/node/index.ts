export type { ExecutedWave } from '../execution/index.ts';
export { checkDatabase, type Damage, type DatabaseReport } from './database-check.ts';
export { Epochs, type EpochsSetup } from './epochs.ts';
export {
  type NodeEffect,
  type NodeEvent,
  NodeMachine,
  type NodeSetup,
  type Reply,
} from './node-machine.ts';
export {
  type NodeOptions,
  type OpenNode,
  type OpenNodeErrorCode,
  openNode,
  writeGenesis,
} from './open-node.ts';

export type { ExecutedWave } from '../execution/index.ts';
export { checkDatabase, type Damage, type DatabaseReport } from './database-check.ts';
export {
  type NodeEffect,
  type NodeEvent,
  NodeMachine,
  type NodeSetup,
  type Reply,
  type ValidatorIndex,
} from './node-machine.ts';
export {
  firstBeacon,
  type NodeOptions,
  type OpenNode,
  type OpenNodeErrorCode,
  openNode,
  writeGenesis,
} from './open-node.ts';

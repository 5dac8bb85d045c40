export { checkDatabase, type Damage, type DatabaseReport } from './database-check.ts';
export {
  type ExecutedWave,
  type NodeEffect,
  type NodeEvent,
  NodeMachine,
  type NodeSetup,
  type Reply,
} from './node-machine.ts';

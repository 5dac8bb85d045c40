export { checkDatabase, type Damage, type DatabaseReport } from './database-check.ts';
export {
  type ExecutedWave,
  type NodeEffect,
  type NodeEvent,
  NodeMachine,
  type NodeSetup,
  type Reply,
  type ValidatorIndex,
} from './node-machine.ts';

export {
  type RunNodeErrorCode,
  type RunNodeOptions,
  type RunningNode,
  runNode,
  seatOf,
} from './run-node.ts';

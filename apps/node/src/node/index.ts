export { livePid } from './node-pid.ts';
export {
  type RunNodeErrorCode,
  type RunNodeOptions,
  type RunningNode,
  runNode,
  seatOf,
} from './run-node.ts';
export { stopSignal } from './stop-signal.ts';

export {
  LOG_FORMATS,
  LOG_LEVELS,
  type LogErrorCode,
  type LogFormat,
  type LogLevel,
  type LogOptions,
  type NodeLog,
  openLog,
} from './log.ts';
export { Operation, type OperationOptions } from './operation.ts';
export type { Hindrance } from './readiness.ts';
export type { NodeStanding, OperationSource } from './source.ts';

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

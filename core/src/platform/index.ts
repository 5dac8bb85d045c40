export { type Clock, type Instant, ManualClock } from './clock.ts';
export {
  type KeyValueStore,
  MemoryStore,
  prefixEnd,
  type RangeOptions,
  type StoreWrite,
} from './key-value-store.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export type { Machine } from './machine.ts';
export type { Random } from './random.ts';
export type { Transport } from './transport.ts';
export type { SignatureCheck, VerifySignatures, WorkerPool } from './worker-pool.ts';

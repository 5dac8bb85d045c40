export { type CallRequest, Frame } from './frame.ts';
export { HostFault } from './host-fault.ts';
export type { HostFunction, HostFunctions } from './host-functions.ts';
export { MAX_CALL_DEPTH, MAX_LIVE_PAGES, Machine, type MachineOptions } from './machine.ts';
export { MemoryPool, type MemoryPoolOptions, type MemoryShape, PAGE_BYTES } from './memory-pool.ts';
export { ModuleCache, type ModuleCacheOptions } from './module-cache.ts';
export type {
  HostTrapCode,
  Outcome,
  Returned,
  Reverted,
  TrapCode,
  TrapDetail,
  Trapped,
} from './outcome.ts';
export { type PreparedModule, prepareModule } from './prepared-module.ts';

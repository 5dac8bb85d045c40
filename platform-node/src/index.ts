export type { RuntimeErrorCode } from './runtime/kept-chain.ts';
export { type NetworkContext, NodeRuntime, type RuntimeOptions } from './runtime/node-runtime.ts';
export { frozenWallClock, systemClock, systemRandom } from './runtime/system-clock.ts';
export type { FileDamage } from './store/database-files.ts';
export { LevelStore, type StoreErrorCode } from './store/level-store.ts';

export { DagJoin, type DagJoinEffect, type DagJoinOptions } from './dag-join.ts';
export type { SyncErrorCode } from './error.ts';
export { WaveServer } from './serve-waves.ts';
export {
  type SyncedWave,
  WaveSync,
  type WaveSyncEffect,
  type WaveSyncOptions,
} from './wave-sync.ts';

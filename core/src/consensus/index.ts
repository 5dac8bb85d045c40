export type { Committee, Signer } from '../finality/index.ts';
export { AnchorSchedule } from './anchor-schedule.ts';
export {
  decodeClosing,
  decodeWantClosing,
  encodeClosing,
  encodeWantClosing,
} from './closing-message.ts';
export {
  Consensus,
  type ConsensusContext,
  type ConsensusStatus,
} from './consensus.ts';
export type { ConsensusErrorCode } from './error.ts';
export type { ConsensusEffect, ConsensusEvent } from './events.ts';
export { freshEpoch } from './fresh-epoch.ts';
export {
  frameMessage,
  MAX_MESSAGE_BYTES,
  type Message,
  type MessageKind,
  openMessage,
} from './message.ts';
export { ConsensusRecords, dropRecordsBefore } from './records.ts';
export { type Restored, restoreConsensus } from './restore.ts';
export type { CommittedWave } from './wave-builder.ts';

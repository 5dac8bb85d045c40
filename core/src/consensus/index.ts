export type { Committee, Signer } from '../finality/index.ts';
export { AnchorSchedule } from './anchor-schedule.ts';
export {
  decodeClosing,
  decodeWantClosing,
  encodeClosing,
  encodeWantClosing,
} from './closing-message.ts';
export { Consensus } from './consensus.ts';
export type { ConsensusContext, ConsensusStatus } from './context.ts';
export { coreOf } from './dag-vertex.ts';
export { type Equivocation, type EquivocationKind, EvidenceRecords } from './equivocation.ts';
export type { ConsensusErrorCode } from './error.ts';
export type { ConsensusEffect, ConsensusEvent, MemberMessage } from './events.ts';
export {
  decodeRefs,
  decodeRounds,
  decodeWantRounds,
  encodeRefs,
  encodeRounds,
  encodeWantRounds,
  MAX_NAMES_PER_MESSAGE,
  MAX_ROUNDS_PER_REQUEST,
} from './fetch-message.ts';
export { freshEpoch } from './fresh-epoch.ts';
export { isJoining, joinedEpoch, joiningMark, unjoinedEpoch } from './joined-epoch.ts';
export { gcRoundAfter } from './linearizer.ts';
export {
  frameMessage,
  isMessageOf,
  MAX_MESSAGE_BYTES,
  type Message,
  type MessageKind,
  maxMessageBytes,
  messageKind,
  openMessage,
  TAG_BYTES,
} from './message.ts';
export {
  decodeNewest,
  decodeWantNewest,
  encodeNewest,
  encodeWantNewest,
  type Newest,
  newestDigest,
  type UnsignedNewest,
} from './newest-message.ts';
export { ConsensusRecords, dropRecordsBefore } from './records.ts';
export { type Restored, restoreConsensus, type StoredVertex } from './restore.ts';
export { SeatSet } from './seat-set.ts';
export {
  hasSignedHere,
  higherMark,
  type ImportedMark,
  readFloor,
  readSigningMark,
  type SigningMark,
  signingMark,
  takeOver,
  writeSigningMark,
} from './signing-floor.ts';
export { OwnStore } from './standing-records.ts';
export {
  type FirstSeen,
  type NamedVertex,
  VERTEX_DOOR,
  type VertexDoor,
} from './vertex-door.ts';
export { type VertexRules, verifyVertex } from './vertex-verification.ts';
export type { CommittedWave } from './wave-builder.ts';

export { DagJoin, type DagJoinEffect, type DagJoinOptions } from './dag-join.ts';
export type { SyncErrorCode } from './error.ts';
export {
  type CertifiedWave,
  HeadFollow,
  type HeadFollowEffect,
  type HeadFollowOptions,
} from './head-follow.ts';
export { committeeAfter, drawnBy, seatedBy } from './next-committee.ts';
export { type AnswerOffence, PeerRanking } from './peer-ranking.ts';
export { QuestionPace } from './question-pace.ts';
export { RequestServer, type RequestServerSetup } from './request-server.ts';
export {
  type CertAnswer,
  decodeCertAnswer,
  decodeCertQuestion,
  decodeEpochAnswer,
  decodeEpochQuestion,
  decodeHeadAnswer,
  decodeProofAnswer,
  decodeProofQuestion,
  encodeCertAnswer,
  encodeCertQuestion,
  encodeEpochAnswer,
  encodeEpochQuestion,
  encodeHeadAnswer,
  encodeProofAnswer,
  encodeProofQuestion,
  type HeadAnswer,
  MAX_PROOF_KEYS,
  type ProofAnswer,
  type ProofEntry,
  type ProofQuestion,
  type RequestErrorCode,
  type RequestName,
} from './requests.ts';
export { WaveServer } from './serve-waves.ts';
export {
  decodeWantWaves,
  decodeWaves,
  encodeWantWaves,
  encodeWaves,
  type WantWaves,
  type WavePart,
  type Waves,
} from './wave-messages.ts';
export {
  type SyncedWave,
  WaveSync,
  type WaveSyncEffect,
  type WaveSyncOptions,
} from './wave-sync.ts';

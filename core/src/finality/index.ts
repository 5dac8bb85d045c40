export { committeeHash, type SeatedValidator } from '../validators/index.ts';
export {
  buildCert,
  type CertChecks,
  type CertErrorCode,
  type CertOptions,
  certChecks,
  encodeCert,
  type MemberSignature,
  signerBitmap,
  verifyCert,
} from './cert.ts';
export { verifyCertChain, verifyLink } from './cert-chain.ts';
export {
  type Committee,
  type CommitteeMember,
  genesisCommittee,
  maxFaulty,
  quorum,
  type Signer,
} from './committee.ts';
export {
  type HandOver,
  namedCommittee,
  verifyHandOver,
  verifyHandOverChain,
} from './hand-over.ts';
export {
  advanceHead,
  genesisHead,
  type HeadErrorCode,
  type HeadOptions,
  oldestTrustedMs,
  requireOfHead,
  requireRecent,
  type TrustedHead,
  WEAK_SUBJECTIVITY_MS,
} from './trusted-head.ts';
export { type AccountClaim, type VerifiedAccount, verifyAccount } from './verified-account.ts';

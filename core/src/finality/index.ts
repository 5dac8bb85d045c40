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

/**
 * The certificate over a wave record (design/consensus.md, "Finality"; docs/protocol/encoding.md,
 * "HardFinalityCert"): q members' signatures over the record's digest.
 *
 * A certificate comes from outside: it is believed only against a committee that the caller trusts.
 */
import { encode, PydeError } from '../bytes/index.ts';
import { falconVerifyBatch } from '../crypto/index.ts';
import type { SignatureCheck, VerifySignatures } from '../platform/index.ts';
import {
  type FalconSignature,
  type HardFinalityCert,
  type Hash,
  signerIndexes,
  type WaveCommitRecord,
  waveDigest,
  writeHardFinalityCert,
} from '../types/index.ts';
import { type Committee, quorum } from './committee.ts';

export type CertErrorCode =
  | 'cert.chain-id'
  | 'cert.epoch'
  | 'cert.genesis'
  | 'cert.bitmap-length'
  | 'cert.unknown-signer'
  | 'cert.duplicate-signer'
  | 'cert.signer-order'
  | 'cert.signature-count'
  | 'cert.quorum'
  | 'cert.signature'
  | 'cert.wave-gap'
  | 'cert.prev-digest'
  | 'cert.timestamp'
  | 'cert.anchor-round'
  | 'cert.not-closing'
  | 'cert.next-committee';

export interface CertOptions {
  readonly chainId: bigint;
  /** Default: FALCON-512 on this thread. */
  readonly verify?: VerifySignatures;
}

/** One member's signature over the digest of a wave. */
export interface MemberSignature {
  readonly member: number;
  readonly signature: FalconSignature;
}

/**
 * The certificate of `record` by `signatures`, which are in member order, one a member.
 * @throws PydeError `cert.unknown-signer`, `cert.duplicate-signer`, `cert.signer-order`,
 * `cert.quorum`. The signatures themselves are not checked: {@link verifyCert} does.
 */
export function buildCert(
  record: WaveCommitRecord,
  signatures: readonly MemberSignature[],
  size: number,
): HardFinalityCert {
  const signers = signerBitmap(
    signatures.map(({ member }) => member),
    size,
  );
  requireQuorum(signatures.length, size);
  return { record, signers, signatures: signatures.map(({ signature }) => signature) };
}

/**
 * The bitmap of an ascending list of members.
 * @throws PydeError `cert.unknown-signer`, `cert.duplicate-signer`, `cert.signer-order`
 */
export function signerBitmap(members: readonly number[], size: number): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(size / 8));
  let previous = -1;
  for (const member of members) {
    if (!Number.isInteger(member) || member < 0 || member >= size) throw unknown(member, size);
    if (member === previous) {
      throw refuse('cert.duplicate-signer', `member ${member} signs twice`, { member });
    }
    if (member < previous) {
      throw refuse('cert.signer-order', `member ${member} comes after member ${previous}`, {
        member,
        previous,
      });
    }
    const at = member >> 3;
    bitmap[at] = (bitmap[at] ?? 0) | (1 << (member & 7));
    previous = member;
  }
  return bitmap;
}

/** What is left to be checked of a certificate that keeps every other rule. */
export interface CertChecks {
  readonly digest: Hash;
  /** All must verify. */
  readonly checks: readonly SignatureCheck[];
  /** The member that each check is of. */
  readonly members: readonly number[];
}

/**
 * Checks that q members of `committee` signed `cert.record`.
 * @returns the record's digest
 * @throws PydeError with a code of {@link CertErrorCode}, one for each reason
 */
export function verifyCert(
  cert: HardFinalityCert,
  committee: Committee,
  { chainId, verify = falconVerifyBatch }: CertOptions,
): Hash {
  const { digest, checks, members } = certChecks(cert, committee, chainId);
  const bad = verify(checks).indexOf(false);
  if (bad >= 0) {
    const member = members[bad] ?? -1;
    throw refuse(
      'cert.signature',
      `the signature of member ${member} does not fit the record of wave ${cert.record.waveId}`,
      { member },
    );
  }
  return digest;
}

/**
 * Every rule of {@link verifyCert} but the signatures, for whoever has them checked elsewhere.
 * @throws PydeError as {@link verifyCert}, but for `cert.signature`
 */
export function certChecks(
  { record, signers, signatures }: HardFinalityCert,
  committee: Committee,
  chainId: bigint,
): CertChecks {
  const size = committee.members.length;
  if (record.chainId !== chainId) {
    throw refuse('cert.chain-id', `the record is of chain ${record.chainId}, not ${chainId}`);
  }
  if (record.epoch !== committee.epoch) {
    throw refuse(
      'cert.epoch',
      `the record is of epoch ${record.epoch}; the committee given is that of ${committee.epoch}`,
    );
  }
  if (record.waveId === 0n) {
    throw refuse(
      'cert.genesis',
      'wave 0 is genesis, which is trusted by its hash and signed by no one',
    );
  }
  if (signers.length !== Math.ceil(size / 8)) {
    throw refuse(
      'cert.bitmap-length',
      `the bitmap has ${signers.length} bytes where ${size} members need ${Math.ceil(size / 8)}`,
    );
  }
  const members = signerIndexes(signers);
  if (members.length !== signatures.length) {
    throw refuse(
      'cert.signature-count',
      `the bitmap names ${members.length} signers and ${signatures.length} signatures follow`,
    );
  }
  const digest = waveDigest(record);
  const checks = members.map((member, i) => {
    const publicKey = committee.members[member]?.publicKey;
    const signature = signatures[i];
    if (publicKey === undefined || signature === undefined) throw unknown(member, size);
    return { publicKey, message: digest, signature };
  });
  requireQuorum(members.length, size);
  return { digest, checks, members };
}

/** The stored and transmitted form. */
export const encodeCert = (cert: HardFinalityCert): Uint8Array =>
  encode((w) => writeHardFinalityCert(w, cert));

function requireQuorum(signers: number, size: number): void {
  if (signers >= quorum(size)) return;
  throw refuse('cert.quorum', `${signers} of ${size} members signed; ${quorum(size)} are needed`, {
    signers,
    needed: quorum(size),
  });
}

function unknown(member: number, size: number): PydeError<CertErrorCode> {
  return refuse('cert.unknown-signer', `there is no member ${member} in a committee of ${size}`, {
    member,
    size,
  });
}

export function refuse(
  code: CertErrorCode,
  message: string,
  details: Readonly<Record<string, number>> = {},
): PydeError<CertErrorCode> {
  return new PydeError(code, `certificate refused: ${message}`, details);
}

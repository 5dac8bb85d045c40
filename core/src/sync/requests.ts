/**
 * Questions that anybody may ask of any node, and their answers (design/light-client.md, "Request
 * protocols"; docs/protocol/network.md, "Questions"). A question and an answer travel alone, on a
 * stream that says what they are about. The layouts of `waves` are in `wave-messages.ts`.
 *
 * | Name | Question | Answer |
 * |---|---|---|
 * | head | nothing | { head u64, oldest_wave u64, oldest_state u64, cert Option<HardFinalityCert> } |
 * | cert | { wave u64 } | { records Vec<WaveCommitRecord>, cert HardFinalityCert } |
 * | epoch | { epoch u64 } | { closing HardFinalityCert, members Vec<{ index u16, key [897] }> } |
 * | proof | { wave u64, keys Vec<[65]> } | { wave u64, entries Vec<{ value Option<Vec<u8>>, proof Vec<u8> }> } |
 *
 * An answer is a claim: it is true once whoever asked has verified it, and not before.
 */
import { type BorshReader, decodeExactly, encode, PydeError } from '../bytes/index.ts';
import type { HandOver } from '../finality/index.ts';
import {
  decodeStateProof,
  encodeStateProof,
  MAX_PROOF_BYTES,
  STATE_KEY_BYTES,
  type StateKey,
  type StateProof,
  stateKeyBytes,
  stateKeyFromBytes,
} from '../state/index.ts';
import {
  type Epoch,
  exactNumber,
  FALCON_PUBLIC_KEY_BYTES,
  type HardFinalityCert,
  MAX_COMMITTEE_SIZE,
  readHardFinalityCert,
  readWaveCommitRecord,
  toEpoch,
  toFalconPublicKey,
  toValidatorIndex,
  type WaveCommitRecord,
  writeHardFinalityCert,
  writeWaveCommitRecord,
} from '../types/index.ts';

export const REQUEST_NAMES = [
  'head',
  'cert',
  'epoch',
  'proof',
  'waves',
  'peers',
  'events',
  'manifest',
  'chunk',
] as const;
export type RequestName = (typeof REQUEST_NAMES)[number];

/**
 * - `not-kept`: older than what this node keeps; the message and `oldest` say what it can serve;
 * - `not-yet`: of a wave or an epoch that this node has not come to, or that nothing certifies yet;
 * - `not-served`: not among the things that this node serves.
 */
export const REQUEST_ERROR_CODES = [
  'request.size',
  'request.not-kept',
  'request.not-yet',
  'request.not-served',
] as const;
export type RequestErrorCode = (typeof REQUEST_ERROR_CODES)[number];

export const requestError = (
  code: RequestErrorCode,
  message: string,
  details: Readonly<Record<string, number | string>> = {},
): PydeError<RequestErrorCode> => new PydeError(code, message, details);

/** Of a question; of an answer, which may hold one state value more than fills it. */
export const MAX_QUESTION_BYTES = 8 * 1024;
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** Entries of the state in one question. */
export const MAX_PROOF_KEYS = 64;
/** Records that lead to a certificate. */
export const MAX_LEADING_RECORDS = 1_024;
const LEAST_RECORD_BYTES = 500;
const LEAST_ENTRY_BYTES = 1 + 4 + 5;

export interface HeadAnswer {
  /** Newest wave that the node executed. */
  readonly head: bigint;
  /** Oldest wave of which it has the record and the transactions. */
  readonly oldestWave: bigint;
  /** Oldest wave after which it can still prove the state. */
  readonly oldestState: bigint;
  /** The newest that it holds; of `head` or a wave before. */
  readonly cert: HardFinalityCert | undefined;
}

export interface CertAnswer {
  /** From the wave asked for on, to the one before the certificate's; none if that is its own. */
  readonly records: readonly WaveCommitRecord[];
  readonly cert: HardFinalityCert;
}

export interface ProofQuestion {
  /** The state after this wave. */
  readonly wave: bigint;
  readonly keys: readonly StateKey[];
}

export interface ProofEntry {
  readonly value: Uint8Array | undefined;
  readonly proof: StateProof;
}

export interface ProofAnswer {
  readonly wave: bigint;
  /** Of the first keys asked for, in their order; at least one, fewer than all if they are large. */
  readonly entries: readonly ProofEntry[];
}

export const encodeHeadAnswer = (answer: HeadAnswer): Uint8Array =>
  encode((w) =>
    w
      .u64(answer.head)
      .u64(answer.oldestWave)
      .u64(answer.oldestState)
      .option(answer.cert, writeHardFinalityCert),
  );

/** @throws PydeError `request.size`, `borsh.*`, `cert.bitmap` */
export const decodeHeadAnswer = (bytes: Uint8Array): HeadAnswer =>
  answerOf(bytes, (r) => ({
    head: r.u64(),
    oldestWave: r.u64(),
    oldestState: r.u64(),
    cert: r.option(readHardFinalityCert),
  }));

export const encodeCertQuestion = (wave: bigint): Uint8Array => encode((w) => w.u64(wave));

/** @throws PydeError `request.size`, `borsh.*` */
export const decodeCertQuestion = (bytes: Uint8Array): bigint => questionOf(bytes, (r) => r.u64());

export const encodeCertAnswer = ({ records, cert }: CertAnswer): Uint8Array =>
  encode((w) => writeHardFinalityCert(w.vec(records, writeWaveCommitRecord), cert));

/** @throws PydeError `request.size`, `borsh.*`, `cert.bitmap` */
export const decodeCertAnswer = (bytes: Uint8Array): CertAnswer =>
  answerOf(bytes, (r) => ({
    records: r.vec(MAX_LEADING_RECORDS, LEAST_RECORD_BYTES, readWaveCommitRecord),
    cert: readHardFinalityCert(r),
  }));

export const encodeEpochQuestion = (epoch: Epoch): Uint8Array =>
  encode((w) => w.u64(BigInt(epoch)));

/** @throws PydeError `request.size`, `borsh.*`, `types.range` */
export const decodeEpochQuestion = (bytes: Uint8Array): Epoch =>
  questionOf(bytes, (r) => toEpoch(exactNumber(r.u64(), 'epoch')));

export const encodeEpochAnswer = ({ closing, members }: HandOver): Uint8Array =>
  encode((w) => {
    writeHardFinalityCert(w, closing);
    w.vec(members, (m, { index, publicKey }) => m.u16(index).fixed(publicKey));
  });

/** For `verifyHandOver`. @throws PydeError `request.size`, `borsh.*`, `cert.bitmap`, `types.*` */
export const decodeEpochAnswer = (bytes: Uint8Array): HandOver =>
  answerOf(bytes, (r) => ({
    closing: readHardFinalityCert(r),
    members: r.vec(MAX_COMMITTEE_SIZE, 2 + FALCON_PUBLIC_KEY_BYTES, (m) => ({
      index: toValidatorIndex(m.u16()),
      publicKey: toFalconPublicKey(m.fixed(FALCON_PUBLIC_KEY_BYTES)),
    })),
  }));

export const encodeProofQuestion = ({ wave, keys }: ProofQuestion): Uint8Array =>
  encode((w) => w.u64(wave).vec(keys, (k, key) => k.fixed(stateKeyBytes(key))));

/** @throws PydeError `request.size`, `borsh.*`, `state.*` */
export const decodeProofQuestion = (bytes: Uint8Array): ProofQuestion =>
  questionOf(bytes, (r) => ({
    wave: r.u64(),
    keys: r.vec(MAX_PROOF_KEYS, STATE_KEY_BYTES, (k) =>
      stateKeyFromBytes(k.fixed(STATE_KEY_BYTES)),
    ),
  }));

export const encodeProofAnswer = ({ wave, entries }: ProofAnswer): Uint8Array =>
  encode((w) =>
    w.u64(wave).vec(entries, (e, { value, proof }) => {
      e.option(value, (v, bytes) => v.bytes(bytes)).bytes(encodeStateProof(proof));
    }),
  );

/** For `verifyStateProof`. @throws PydeError `request.size`, `borsh.*`, `state.proof-*` */
export const decodeProofAnswer = (bytes: Uint8Array): ProofAnswer =>
  answerOf(bytes, (r) => ({
    wave: r.u64(),
    entries: r.vec(MAX_PROOF_KEYS, LEAST_ENTRY_BYTES, (e) => ({
      value: e.option((v) => v.bytes(MAX_ANSWER_BYTES)),
      proof: decodeStateProof(e.bytes(MAX_PROOF_BYTES)),
    })),
  }));

function questionOf<T>(bytes: Uint8Array, read: (reader: BorshReader) => T): T {
  return sizedOf(bytes, MAX_QUESTION_BYTES, 'a question', read);
}

function answerOf<T>(bytes: Uint8Array, read: (reader: BorshReader) => T): T {
  return sizedOf(bytes, MAX_ANSWER_BYTES, 'an answer', read);
}

function sizedOf<T>(
  bytes: Uint8Array,
  most: number,
  what: string,
  read: (reader: BorshReader) => T,
): T {
  if (bytes.length > most) {
    throw requestError('request.size', `${what} has at most ${most} bytes, got ${bytes.length}`, {
      bytes: bytes.length,
    });
  }
  return decodeExactly(bytes, read);
}

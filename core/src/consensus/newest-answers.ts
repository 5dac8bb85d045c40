/**
 * Answering and reading answers in recovery (design/consensus.md, "Recovery"). Every member answers,
 * also one that waits for answers itself; it says truly what its own store is worth.
 *
 * An answer is believed as far as its signatures go: that its author made the newest vertex it
 * shows, that this member made the copy it shows, and that the rest is the author's word.
 */
import { equalBytes } from '../bytes/index.ts';
import type { Committee, Signer } from '../finality/index.ts';
import type { StoreWrite, VerifySignatures } from '../platform/index.ts';
import { decodeVertex, type Hash, type MemberIndex, vertexHash } from '../types/index.ts';
import { consensusError } from './error.ts';
import {
  decodeNewest,
  decodeWantNewest,
  encodeNewest,
  newestDigest,
  type StoreStanding,
  type UnsignedNewest,
} from './newest-message.ts';
import type { AnsweredVertex, CheckedAnswer } from './recovery.ts';
import type { StandingRecords } from './standing-records.ts';
import { verifyVertex } from './vertex-verification.ts';

/** A signature an answer: one member gets no more of them than this lets through. */
export const LEAST_ANSWER_GAP_MS = 100;

export interface AnsweringMember {
  readonly chainId: bigint;
  readonly committee: Committee;
  readonly self: MemberIndex;
  readonly signer: Signer;
}

export interface NewestHeld {
  readonly standing: StoreStanding;
  /** The newest own vertex; undefined when none was made in this epoch. */
  readonly own: Uint8Array | undefined;
  /** The newest one held of the member that asks. */
  readonly yours: Uint8Array | undefined;
}

export class NewestAnswers {
  readonly #member: AnsweringMember;
  readonly #records: StandingRecords;
  /** When each member was answered last. */
  readonly #answeredMs = new Map<MemberIndex, number>();

  constructor(member: AnsweringMember, records: StandingRecords) {
    this.#member = member;
    this.#records = records;
  }

  /**
   * The answer to `want-newest`; undefined when the asker had one just now.
   * @returns writes that must be durable before the answer is sent
   * @throws PydeError when the bytes are no such message, or are of no member
   */
  answer(
    from: MemberIndex,
    bytes: Uint8Array,
    held: NewestHeld,
    nowMs: number,
  ): { readonly writes: readonly StoreWrite[]; readonly newest: Uint8Array } | undefined {
    const { chainId, committee, signer, self } = this.#member;
    const { nonce, storeId } = decodeWantNewest(bytes);
    const asker = committee.members[from]?.address;
    if (asker === undefined || from === self) {
      throw consensusError('consensus.author', `no other member ${from} asks`);
    }
    const lastMs = this.#answeredMs.get(from);
    if (lastMs !== undefined && nowMs < lastMs + LEAST_ANSWER_GAP_MS) return undefined;
    this.#answeredMs.set(from, nowMs);
    const known = this.#records.knownStore(asker);
    const unsigned: UnsignedNewest = {
      nonce,
      epoch: committee.epoch,
      standing: held.standing,
      otherStore: known !== undefined && !equalBytes(known, storeId),
      own: held.own,
      yours: held.yours,
    };
    const signature = signer.sign(newestDigest(chainId, asker, unsigned));
    return {
      writes: known === undefined ? [this.#records.putKnownStore(asker, storeId)] : [],
      newest: encodeNewest({ ...unsigned, signature }),
    };
  }
}

export interface AnswerRules {
  readonly chainId: bigint;
  readonly committee: Committee;
  readonly self: MemberIndex;
  /** That of this start. */
  readonly nonce: Hash;
  readonly verify: VerifySignatures;
}

/**
 * Reads an answer, and checks everything in it that is signed. The vertices of an answer about
 * another epoch say nothing here and are not read.
 * @returns the answer, and the answering member's vertex as it came, to be taken in like any other
 * @throws PydeError `consensus.*`, `borsh.*`, `vertex.*`
 */
export function checkNewest(
  from: MemberIndex,
  bytes: Uint8Array,
  rules: AnswerRules,
): { readonly answer: CheckedAnswer; readonly vertex: Uint8Array | undefined } {
  const { chainId, committee, self, nonce, verify } = rules;
  const newest = decodeNewest(bytes);
  const publicKey = committee.members[from]?.publicKey;
  const asker = committee.members[self]?.address;
  if (publicKey === undefined || asker === undefined || from === self) {
    throw consensusError('consensus.author', `no other member ${from} answers`);
  }
  if (!equalBytes(newest.nonce, nonce)) {
    throw consensusError('consensus.nonce', 'an answer to a question that was not asked');
  }
  const message = newestDigest(chainId, asker, newest);
  if (verify([{ publicKey, message, signature: newest.signature }])[0] !== true) {
    throw consensusError('consensus.signature', `the answer is not signed by member ${from}`);
  }
  const { epoch, standing, otherStore } = newest;
  const isHere = epoch === committee.epoch;
  const own = isHere ? checkVertex(newest.own, from, rules) : undefined;
  const yours = isHere ? checkVertex(newest.yours, self, rules) : undefined;
  const answer = { epoch, standing, otherStore, own, yours };
  return { answer, vertex: isHere ? newest.own : undefined };
}

function checkVertex(
  bytes: Uint8Array | undefined,
  author: MemberIndex,
  rules: AnswerRules,
): AnsweredVertex | undefined {
  if (bytes === undefined) return undefined;
  const vertex = decodeVertex(bytes);
  if (vertex.author !== author) {
    throw consensusError('consensus.author', `a vertex of ${vertex.author}, not of ${author}`);
  }
  const name = vertexHash(vertex);
  verifyVertex(vertex, name, rules);
  return { round: vertex.round, author, name };
}

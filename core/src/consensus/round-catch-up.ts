/**
 * Catching up by whole rounds (docs/protocol/consensus.md, "What is missing"): a member that sees a
 * vertex far above what it has accepted asks one other for all vertices of the rounds between,
 * rather than for one generation of ancestors after another. What comes is judged like everything
 * else; whoever answers nothing new is followed by the next member, ever more slowly.
 */
import { type MemberIndex, toMemberIndex } from '../types/index.ts';
import { encodeWantRounds, MAX_ROUNDS_PER_REQUEST } from './fetch-message.ts';
import { frameMessage } from './message.ts';
import { ANCESTOR_LEAD_ROUNDS, type Request } from './synchroniser.ts';

export const CATCH_UP_ANSWER_MS = 1_000;
/** Members without news are followed by the next after this, doubled each time. */
const FIRST_PAUSE_MS = 250;
export const LAST_CATCH_UP_PAUSE_MS = 4_000;

export interface CatchUpOptions {
  readonly size: number;
  readonly self: MemberIndex | undefined;
  highestRound(): number;
}

/** What came of an answer. */
export interface RoundsAnswer {
  readonly complete: boolean;
  /** Something in it was not known. */
  readonly news: boolean;
  /** The place of its last vertex. */
  readonly last: { readonly round: number; readonly author: number } | undefined;
}

interface Asked {
  readonly member: MemberIndex;
  readonly deadlineMs: number;
}

export class RoundCatchUp {
  readonly #options: CatchUpOptions;
  /** The highest round of a valid vertex, and the member to ask for what is below it. */
  #seenRound = 0;
  #member: MemberIndex = toMemberIndex(0);
  #asked: Asked | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #notBeforeMs = 0;
  /** Behind the last vertex of an answer that was cut off. */
  #cursor: { readonly round: number; readonly author: number } | undefined;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /** A valid vertex of this round waits. */
  saw(round: number, from: MemberIndex): void {
    if (round <= this.#seenRound) return;
    this.#seenRound = round;
    if (this.#asked === undefined) this.#member = from;
  }

  /** Is an answer of this member waited for? */
  expects(member: MemberIndex): boolean {
    return this.#asked?.member === member;
  }

  /** The answer that was waited for was taken in. */
  answered({ complete, news, last }: RoundsAnswer, nowMs: number): void {
    if (this.#asked === undefined) return;
    this.#asked = undefined;
    const isCutOff = !complete && last !== undefined;
    this.#cursor = isCutOff ? { round: last.round, author: last.author + 1 } : undefined;
    if (news) this.#pauseMs = FIRST_PAUSE_MS;
    else this.#passOn(nowMs);
  }

  poll(nowMs: number): Request | undefined {
    if (this.#asked !== undefined && this.#asked.deadlineMs <= nowMs) {
      this.#asked = undefined;
      this.#passOn(nowMs);
    }
    if (this.#asked !== undefined || !this.#isFarBehind || nowMs < this.#notBeforeMs)
      return undefined;
    const highestRound = this.#options.highestRound();
    const { round, author } = this.#cursor ?? { round: Math.max(1, highestRound), author: 0 };
    const toRound = Math.min(this.#seenRound, round + MAX_ROUNDS_PER_REQUEST - 1);
    if (toRound < round) {
      this.#cursor = undefined;
      return undefined;
    }
    const member = this.#member;
    this.#asked = { member, deadlineMs: nowMs + CATCH_UP_ANSWER_MS };
    const want = { fromRound: round, fromAuthor: author, toRound };
    return { to: member, message: frameMessage('want-rounds', encodeWantRounds(want)) };
  }

  get nextDueMs(): number | undefined {
    if (this.#asked !== undefined) return this.#asked.deadlineMs;
    return this.#isFarBehind ? this.#notBeforeMs : undefined;
  }

  get #isFarBehind(): boolean {
    return this.#seenRound > this.#options.highestRound() + ANCESTOR_LEAD_ROUNDS + 1;
  }

  #passOn(nowMs: number): void {
    const { size, self } = this.#options;
    this.#cursor = undefined;
    this.#notBeforeMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LAST_CATCH_UP_PAUSE_MS);
    const next = (this.#member + 1) % size;
    this.#member = toMemberIndex(next === self ? (next + 1) % size : next);
  }
}

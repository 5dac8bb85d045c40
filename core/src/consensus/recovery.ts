/**
 * From which round on a member may make vertices after a start (design/consensus.md, "Recovery").
 * It asks all others for their newest own vertex and for their copy of its own newest, and waits
 * for q − 1 of them. A member whose store holds all that it ever made goes on at its next round;
 * one whose store was lost or is stale goes on at R + 2, R being the highest round among answered
 * vertices that it has accepted since.
 *
 * Why R + 2 is safe. Say the lost store held an own vertex of round r. For it q authors of r − 1 were
 * held, of which q − 1 at least are others, and honest ones had kept theirs before they sent it. The
 * q − 1 others that answer share with these at least 2(q − 1) − (n − 1) = n − 2f − 1 ≥ f members;
 * this member is one of the f faulty, so one of those shared is honest and answers round r − 1 or
 * higher. Only answers whose vertex was accepted count, so R ≥ r − 1, and r ≤ R + 1.
 *
 * New or wiped? An empty store looks the same whether its member never ran or lost everything. So a
 * store draws an id when it is first used, the others keep the first id that they see of a member,
 * and a member makes nothing before q − 1 others said that they know it by this id alone. By the
 * same count of shared members, one of any q − 1 others knows the id of the store that was wiped,
 * while a chain that starts finds q − 1 members that know no other.
 *
 * It trusts nothing in an answer that is not signed: answers come in checked (`newest-answers.ts`).
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import { maxFaulty, quorum } from '../finality/index.ts';
import {
  type Epoch,
  type MemberIndex,
  type ParentRef,
  type Round,
  toMemberIndex,
  type VertexHash,
} from '../types/index.ts';
import type { StoreStanding } from './newest-message.ts';

/** A valid vertex that an answer carried. */
export interface AnsweredVertex extends ParentRef {
  readonly round: Round;
}

/** An answer whose signature, and whose vertices' signatures, were checked. */
export interface CheckedAnswer {
  readonly epoch: Epoch;
  readonly standing: StoreStanding;
  readonly otherStore: boolean;
  readonly own: AnsweredVertex | undefined;
  readonly yours: AnsweredVertex | undefined;
}

export interface RecoveryOptions {
  readonly size: number;
  readonly self: MemberIndex;
  readonly epoch: Epoch;
  readonly standing: StoreStanding;
  /** The newest own vertex of this epoch in the store. */
  readonly own: { readonly round: Round; readonly name: VertexHash } | undefined;
  /** The member went on since the node started, and a new epoch begins: nobody need be asked. */
  readonly isUnderWay: boolean;
  /** The vertex up to which the key has signed elsewhere (`signing-floor.ts`). */
  readonly floor: { readonly epoch: Epoch; readonly round: number } | undefined;
}

/** Members that have not given an answer that counts are asked again, at first after so long. */
export const FIRST_ASK_AGAIN_MS = 250;
/** The time to the next asking doubles up to this. */
export const LAST_ASK_AGAIN_MS = 4_000;

export class Recovery {
  readonly #options: RecoveryOptions;
  /** Others whose answers are waited for: q − 1. */
  readonly #needed: number;
  readonly #answers = new Map<MemberIndex, CheckedAnswer>();
  #own: RecoveryOptions['own'];
  #standing: StoreStanding;
  #resumeRound: number | undefined;
  #askAgainMs = FIRST_ASK_AGAIN_MS;
  #nextAskMs = 0;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#needed = quorum(options.size) - 1;
    this.#standing = options.standing;
    this.#own = options.own;
    if (options.isUnderWay) this.#resume(this.#nextOwnRound);
    // A committee of one has nobody to ask, and nobody whom a second vertex could deceive.
    if (options.size === 1) this.#resume(this.#nextOwnRound);
  }

  /** What this member says of its store: changes are to be kept before anything is sent. */
  get standing(): StoreStanding {
    return this.#standing;
  }

  /** The lowest round in which a vertex may be made; undefined while none may. */
  get resumeRound(): number | undefined {
    return this.#resumeRound;
  }

  /** Others whose answers count by now, for whoever watches. */
  counted(isAccepted: (vertex: AnsweredVertex) => boolean): number {
    let counted = 0;
    for (const answer of this.#answers.values()) if (this.#counts(answer, isAccepted)) counted++;
    return counted;
  }

  /** When {@link takeDue} has somebody to ask; undefined when nobody need be asked any more. */
  get nextAskMs(): number | undefined {
    return this.#resumeRound === undefined ? this.#nextAskMs : undefined;
  }

  /** Whom to ask now: all whose answer does not count yet. */
  takeDue(nowMs: number, isAccepted: (vertex: AnsweredVertex) => boolean): MemberIndex[] {
    if (this.#resumeRound !== undefined || nowMs < this.#nextAskMs) return [];
    this.#nextAskMs = nowMs + this.#askAgainMs;
    this.#askAgainMs = Math.min(2 * this.#askAgainMs, LAST_ASK_AGAIN_MS);
    const due: MemberIndex[] = [];
    for (let seat = 0; seat < this.#options.size; seat++) {
      const member = toMemberIndex(seat);
      if (this.#asks(member, isAccepted)) due.push(member);
    }
    return due;
  }

  /** A connection was made: is its member to be asked? */
  shallAsk(member: MemberIndex, isAccepted: (vertex: AnsweredVertex) => boolean): boolean {
    return this.#resumeRound === undefined && this.#asks(member, isAccepted);
  }

  /**
   * A member answered. Of each the newest answer stands, but never in place of one that counts: an
   * answer holds for as long as this start does.
   */
  take(
    from: MemberIndex,
    answer: CheckedAnswer,
    isAccepted: (vertex: AnsweredVertex) => boolean,
  ): void {
    if (from === this.#options.self || from >= this.#options.size) return;
    const known = this.#answers.get(from);
    if (known === undefined || !this.#counts(known, isAccepted)) this.#answers.set(from, answer);
    if (answer.yours !== undefined) this.ownVertexSeen(answer.yours);
  }

  /**
   * A valid vertex of this member came from outside. Nobody else can sign it: if the store does not
   * hold it, and its round is not over for this member, the store is stale, whatever it seemed.
   */
  ownVertexSeen({ round, name }: Pick<AnsweredVertex, 'round' | 'name'>): void {
    if (this.#options.size === 1) return;
    const own = this.#own;
    if (own !== undefined && round === own.round && equalBytes(name, own.name)) return;
    if (round < (this.#resumeRound ?? own?.round ?? 0)) return;
    this.#standing = 'lost';
    this.#resumeRound = undefined;
  }

  /** After answers came in or vertices were accepted. @returns true when it resumes just now */
  settle(isAccepted: (vertex: AnsweredVertex) => boolean): boolean {
    if (this.#resumeRound !== undefined) return false;
    if (this.#standing === 'new') {
      let strangers = 0;
      for (const { otherStore } of this.#answers.values()) if (otherStore) strangers++;
      if (strangers > maxFaulty(this.#options.size)) this.#standing = 'lost';
    }
    if (this.counted(isAccepted) < this.#needed) return false;
    if (this.#standing === 'lost') {
      const round = Math.max(this.#highestAnswered(isAccepted) + 2, this.#nextOwnRound);
      return this.#resume(round);
    }
    this.#standing = 'whole';
    return this.#resume(this.#nextOwnRound);
  }

  /** A vertex was made after the resumption: the store holds what counts from now on. */
  produced(own: { readonly round: Round; readonly name: VertexHash }): void {
    invariant(
      this.#resumeRound !== undefined && own.round >= this.#resumeRound,
      `nothing is made below round ${this.#resumeRound}`,
    );
    this.#own = own;
    this.#standing = 'whole';
    this.#resumeRound = own.round + 1;
  }

  get #nextOwnRound(): number {
    return (this.#own?.round ?? 0) + 1;
  }

  /** @returns false in an epoch of which the floor leaves no round */
  #resume(round: number): boolean {
    const { epoch, floor } = this.#options;
    if (floor !== undefined && floor.epoch > epoch) return false;
    const least = floor?.epoch === epoch ? floor.round + 1 : 0;
    this.#resumeRound = Math.max(round, least);
    return true;
  }

  #asks(member: MemberIndex, isAccepted: (vertex: AnsweredVertex) => boolean): boolean {
    if (member === this.#options.self) return false;
    const answer = this.#answers.get(member);
    return answer === undefined || !this.#counts(answer, isAccepted);
  }

  #counts(answer: CheckedAnswer, isAccepted: (vertex: AnsweredVertex) => boolean): boolean {
    const { epoch } = this.#options;
    // Of a later epoch it says nothing about this one, which is over there.
    if (answer.epoch > epoch || answer.standing === 'lost') return false;
    switch (this.#standing) {
      case 'new':
        return !answer.otherStore;
      case 'whole':
        return true;
      case 'lost':
        // In an earlier epoch, it has made nothing in this one.
        if (answer.standing === 'new') return false;
        return answer.epoch < epoch || answer.own === undefined || isAccepted(answer.own);
      default:
        return this.#standing satisfies never;
    }
  }

  #highestAnswered(isAccepted: (vertex: AnsweredVertex) => boolean): number {
    let highest = 0;
    for (const answer of this.#answers.values()) {
      if (answer.epoch !== this.#options.epoch || answer.standing === 'lost') continue;
      for (const vertex of [answer.own, answer.yours]) {
        if (vertex !== undefined && isAccepted(vertex)) highest = Math.max(highest, vertex.round);
      }
    }
    return highest;
  }
}

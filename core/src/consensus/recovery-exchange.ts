/**
 * Recovery of one member in one epoch (design/consensus.md, "Recovery"): its questions, the answers to
 * those of others, and what is written of it. When it may go on is `recovery.ts`'s; what is signed and
 * checked, `newest-answers.ts`'s.
 */
import type { Committee, Signer } from '../finality/index.ts';
import type { StoreWrite, VerifySignatures } from '../platform/index.ts';
import { type MemberIndex, type Round, toRound, type VertexHash } from '../types/index.ts';
import type { Dag } from './dag.ts';
import type { EffectList } from './effect-list.ts';
import { frameMessage } from './message.ts';
import { checkNewest, NewestAnswers } from './newest-answers.ts';
import { encodeWantNewest } from './newest-message.ts';
import type { ConsensusRecords } from './records.ts';
import { type AnsweredVertex, Recovery } from './recovery.ts';
import type { OwnStore } from './standing-records.ts';

export interface ExchangeOptions {
  readonly chainId: bigint;
  readonly committee: Committee;
  readonly self: MemberIndex;
  readonly signer: Signer;
  readonly verify: VerifySignatures;
  readonly store: OwnStore;
  /** The newest own vertex of this epoch that the store names. */
  readonly own: { readonly round: Round; readonly name: VertexHash } | undefined;
  /** Accepted with its ancestry, or below what the DAG keeps. */
  isAccepted(vertex: AnsweredVertex): boolean;
}

/** What others are told. */
export interface HeldVertices {
  /** The newest own vertex; undefined when none was made, or when its bytes are gone. */
  readonly own: Uint8Array | undefined;
  /** Of the member that asks. */
  readonly yours: Uint8Array | undefined;
}

export class RecoveryExchange {
  readonly #options: ExchangeOptions;
  readonly #recovery: Recovery;
  readonly #answers: NewestAnswers;
  readonly #isAccepted: (vertex: AnsweredVertex) => boolean;
  #hasOwn: boolean;

  constructor(options: ExchangeOptions) {
    const { committee, self, store, own } = options;
    this.#options = options;
    this.#isAccepted = (vertex) => options.isAccepted(vertex);
    this.#hasOwn = own !== undefined;
    this.#recovery = new Recovery({
      size: committee.members.length,
      self,
      epoch: committee.epoch,
      standing: store.standing,
      own,
      isUnderWay: store.hasResumed && store.standing === 'whole',
      floor: store.floor,
    });
    this.#answers = new NewestAnswers(options, store.records);
  }

  /** The lowest round in which a vertex may be made; undefined while none may. */
  get resumeRound(): number | undefined {
    return this.#recovery.resumeRound;
  }

  get nextDueMs(): number | undefined {
    return this.#recovery.nextAskMs;
  }

  /** Asks whoever is due. */
  poll(effects: EffectList, nowMs: number): void {
    for (const member of this.#recovery.takeDue(nowMs, this.#isAccepted))
      this.#ask(member, effects);
  }

  connected(member: MemberIndex, effects: EffectList): void {
    if (this.#recovery.shallAsk(member, this.#isAccepted)) this.#ask(member, effects);
  }

  /** Answers `want-newest`. @throws PydeError as `NewestAnswers.answer` */
  asked(
    from: MemberIndex,
    bytes: Uint8Array,
    held: HeldVertices,
    effects: EffectList,
    nowMs: number,
  ): void {
    // Whoever made a vertex and cannot show it has nothing to say of its newest.
    const standing = this.#hasOwn && held.own === undefined ? 'lost' : this.#recovery.standing;
    const answer = this.#answers.answer(from, bytes, { ...held, standing }, nowMs);
    if (answer === undefined) return;
    if (answer.writes.length > 0) effects.persist(answer.writes, true);
    this.#keep(effects);
    const message = frameMessage('newest', answer.newest);
    effects.add({ kind: 'send', member: from, message });
  }

  /**
   * Takes `newest`.
   * @returns the vertex in it, to be taken in like any other
   * @throws PydeError as `checkNewest`
   */
  answered(from: MemberIndex, bytes: Uint8Array): Uint8Array | undefined {
    const { store } = this.#options;
    const rules = { ...this.#options, nonce: store.nonce };
    const { answer, vertex } = checkNewest(from, bytes, rules);
    this.#recovery.take(from, answer, this.#isAccepted);
    return vertex;
  }

  /** A valid vertex of this member that the DAG does not hold came from outside. */
  ownVertexSeen(vertex: { readonly round: Round; readonly name: VertexHash }): void {
    this.#recovery.ownVertexSeen(vertex);
  }

  /** After messages were taken and vertices accepted. */
  settle(effects: EffectList): void {
    this.#recovery.settle(this.#isAccepted);
    this.#keep(effects);
  }

  /** @returns what is to be written with the vertex */
  produced(own: { readonly round: Round; readonly name: VertexHash }): StoreWrite[] {
    this.#recovery.produced(own);
    this.#hasOwn = true;
    const { store } = this.#options;
    store.standing = this.#recovery.standing;
    store.hasResumed = true;
    return store.takeWrites();
  }

  /** The standing of the store is durable before anything that rests on it is sent. */
  #keep(effects: EffectList): void {
    const { store } = this.#options;
    store.standing = this.#recovery.standing;
    const isWhole = store.standing === 'whole' && this.#recovery.resumeRound !== undefined;
    if (isWhole) store.hasResumed = true;
    const writes = store.takeWrites();
    if (writes.length > 0) effects.persist(writes, true);
  }

  #ask(member: MemberIndex, effects: EffectList): void {
    this.#keep(effects);
    const { nonce, id } = this.#options.store;
    const message = frameMessage('want-newest', encodeWantNewest({ nonce, storeId: id }));
    effects.add({ kind: 'send', member: member, message });
  }
}

/** A member's newest accepted vertex, as it was sent. */
export function newestBytesOf(
  member: MemberIndex,
  dag: Dag,
  records: ConsensusRecords,
): Uint8Array | undefined {
  const round = toRound(dag.newestRoundOf(member));
  const [vertex] = dag.of(round, member);
  return vertex === undefined ? undefined : records.vertexBytes(round, vertex);
}

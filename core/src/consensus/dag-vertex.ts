/**
 * What the DAG keeps of a vertex and of a round. A member of a large committee holds some ten
 * thousands of vertices, so nearly everything about the first vertex of an author lies in sets of
 * seats of its round, and what few vertices have is made when it is needed.
 */
import type {
  BatchRef,
  MemberIndex,
  ParentRef,
  Round,
  Vertex,
  VertexHash,
} from '../types/index.ts';
import { SeatSet } from './seat-set.ts';

export const NO_VERTICES: readonly DagVertex[] = [];
const NO_SEATS = new SeatSet();

/** What is kept of a vertex itself; whoever runs many members may make it once for all. */
export interface VertexCore extends ParentRef {
  readonly round: Round;
  readonly timestampMs: bigint;
  readonly batches: readonly BatchRef[];
}

export const coreOf = (
  { round, author, timestampMs, batches }: Pick<Vertex, Exclude<keyof VertexCore, 'name'>>,
  name: VertexHash,
): VertexCore => ({ round, author, name, timestampMs, batches });

/** Of a vertex in a slot. */
interface Tally {
  votes: number;
  certificates: number;
  voters: SeatSet | undefined;
}

/** Of a vertex that is not the first of its author; the others are in sets of their round. */
interface Marks {
  emitted: boolean;
  referred: boolean;
}

/** What is kept of an accepted vertex; the DAG alone writes to it. */
export class DagVertex {
  readonly core: VertexCore;
  readonly #at: DagRound;
  /** The vertex of the slot one round below that is among the parents. */
  vote: DagVertex | undefined = undefined;
  /** The vertex of the slot two rounds below that q of the parents vote for. */
  certifies: DagVertex | undefined = undefined;
  weakParents: readonly DagVertex[] = NO_VERTICES;
  /** Authors whose first vertex of the round below is a parent; nobody changes the set. */
  firstParents: SeatSet = NO_SEATS;
  /** Parents that are not the first of their author. */
  otherParents: readonly DagVertex[] = NO_VERTICES;
  #tally: Tally | undefined = undefined;
  readonly #marks: Marks | undefined;

  constructor(core: VertexCore, at: DagRound) {
    this.core = core;
    this.#at = at;
    const isFirst = at.first(core.author) === undefined;
    this.#marks = isFirst ? undefined : { emitted: false, referred: false };
  }

  get round(): Round {
    return this.core.round;
  }

  get author(): MemberIndex {
    return this.core.author;
  }

  get name(): VertexHash {
    return this.core.name;
  }

  get timestampMs(): bigint {
    return this.core.timestampMs;
  }

  get batches(): readonly BatchRef[] {
    return this.core.batches;
  }

  /** Is it the first that was accepted of its author and round? */
  get isFirst(): boolean {
    return this.#marks === undefined;
  }

  /** Authors whose vertices of the round above all vote for it. */
  get votes(): number {
    return this.#tally?.votes ?? 0;
  }

  set votes(votes: number) {
    this.#counted.votes = votes;
  }

  /** Authors that have a certificate for it two rounds above. */
  get certificates(): number {
    return this.#tally?.certificates ?? 0;
  }

  set certificates(certificates: number) {
    this.#counted.certificates = certificates;
  }

  /** Authors whose first vertex of the round above votes for it; undefined while there is none. */
  get voters(): SeatSet | undefined {
    return this.#tally?.voters;
  }

  addVoter(author: MemberIndex): void {
    this.#counted.voters ??= new SeatSet();
    this.#counted.voters.add(author);
  }

  /** By author, looked up one by one; none once the round below is gone. */
  get parents(): readonly DagVertex[] {
    return this.#parentsWithout(undefined);
  }

  /** Parents that are part of no committed wave. */
  get waitingParents(): readonly DagVertex[] {
    return this.#parentsWithout(this.#at.below?.emitted);
  }

  /** Part of a wave that was committed. */
  get emitted(): boolean {
    return this.#marks?.emitted ?? this.#at.emitted.has(this.author);
  }

  set emitted(emitted: boolean) {
    if (this.#marks !== undefined) this.#marks.emitted = emitted;
    else if (emitted) this.#at.emitted.add(this.author);
    else this.#at.emitted.remove(this.author);
  }

  /** Parent of some accepted vertex. */
  get referred(): boolean {
    return this.#marks?.referred ?? this.#at.referred.has(this.author);
  }

  set referred(referred: boolean) {
    if (this.#marks !== undefined) this.#marks.referred = referred;
    else if (referred) this.#at.referred.add(this.author);
    else this.#at.referred.remove(this.author);
  }

  /** Nothing older stays reachable from it. */
  cut(): void {
    this.firstParents = NO_SEATS;
    this.otherParents = NO_VERTICES;
    this.weakParents = NO_VERTICES;
    this.vote = undefined;
    this.certifies = undefined;
  }

  get #counted(): Tally {
    this.#tally ??= { votes: 0, certificates: 0, voters: undefined };
    return this.#tally;
  }

  #parentsWithout(seats: SeatSet | undefined): readonly DagVertex[] {
    const { below } = this.#at;
    if (below === undefined) return this.otherParents;
    if (seats?.hasAll(this.firstParents) === true) return this.otherParents;
    const found = this.firstParents.list(seats).flatMap((seat) => below.first(seat) ?? []);
    if (this.otherParents.length === 0) return found;
    return [...found, ...this.otherParents].sort((a, b) => a.author - b.author);
  }
}

/** One round: the seat of its anchor, and the vertices. */
export class DagRound {
  readonly anchor: MemberIndex;
  /** Authors whose first vertex here is the one that the door saw first. */
  readonly known = new SeatSet();
  /** Authors whose first vertex is emitted, or referred to. */
  readonly emitted = new SeatSet();
  readonly referred = new SeatSet();
  /** The round below, until it is dropped. */
  below: DagRound | undefined;
  /** By author. */
  readonly #firsts: (DagVertex | undefined)[];
  /** Those after the first, by author. */
  #others: Map<number, DagVertex[]> | undefined = undefined;
  #authors = 0;

  constructor(anchor: MemberIndex, size: number, below: DagRound | undefined) {
    this.anchor = anchor;
    this.below = below;
    this.#firsts = Array.from({ length: size }, () => undefined);
  }

  /** How many distinct authors have a vertex. */
  get authors(): number {
    return this.#authors;
  }

  /** The first vertex that was accepted of an author. */
  first(author: number): DagVertex | undefined {
    return this.#firsts[author];
  }

  /** A member's vertices, first accepted first. */
  of(author: number): readonly DagVertex[] {
    const first = this.#firsts[author];
    if (first === undefined) return NO_VERTICES;
    const others = this.#others?.get(author);
    return others === undefined ? [first] : [first, ...others];
  }

  /** The first vertices of all authors, by author. */
  firstVertices(): DagVertex[] {
    return this.#firsts.filter((vertex) => vertex !== undefined);
  }

  /** All vertices, by author. */
  vertices(): DagVertex[] {
    const firsts = this.firstVertices();
    return this.#others === undefined ? firsts : firsts.flatMap(({ author }) => this.of(author));
  }

  add(vertex: DagVertex): void {
    const { author } = vertex;
    if (vertex.isFirst) {
      this.#firsts[author] = vertex;
      this.#authors++;
      return;
    }
    this.#others ??= new Map();
    const others = this.#others.get(author);
    if (others === undefined) this.#others.set(author, [vertex]);
    else others.push(vertex);
  }
}

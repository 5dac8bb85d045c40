/**
 * The DAG of accepted vertices of one epoch, by round and author (design/consensus.md, "Vertex").
 *
 * A vertex comes in only when its parents are in; whoever inserts has checked that. Votes and
 * certificates depend on parents alone, so they are worked out once, at insertion. Equivocators may
 * have several vertices in one round: everything here counts authors, never vertices.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import {
  type BatchRef,
  type Epoch,
  genesisVertexHash,
  type Hash,
  type MemberIndex,
  type ParentRef,
  type Round,
  toMemberIndex,
  toRound,
  type UnsignedVertex,
  type VertexHash,
} from '../types/index.ts';
import type { AnchorSchedule } from './anchor-schedule.ts';
import { SeatSet } from './seat-set.ts';
import type { FirstSeen } from './vertex-door.ts';

const NO_VERTICES: readonly DagVertex[] = [];
const NO_SEATS = new SeatSet();

/** What is kept of an accepted vertex; {@link Dag} alone writes to it. */
export class DagVertex {
  readonly round: Round;
  readonly author: MemberIndex;
  readonly name: VertexHash;
  readonly timestampMs: bigint;
  readonly batches: readonly BatchRef[];
  /** The vertex of the slot one round below that is among the parents. */
  vote: DagVertex | undefined = undefined;
  /** The vertex of the slot two rounds below that q of the parents vote for. */
  certifies: DagVertex | undefined = undefined;
  weakParents: readonly DagVertex[] = NO_VERTICES;
  /** Authors whose vertices of the round above all vote for it. */
  votes = 0;
  /** Authors that have a certificate for it two rounds above. */
  certificates = 0;
  /** Of a vertex in a slot: authors whose first vertex of the round above votes for it. */
  voters: SeatSet | undefined = undefined;
  /** Authors whose first vertex of the round below is a parent; nobody changes the set. */
  firstParents: SeatSet = NO_SEATS;
  /** Parents that are not the first of their author. */
  otherParents: readonly DagVertex[] = NO_VERTICES;
  readonly #at: DagRound;
  readonly #isFirst: boolean;
  /** Of those that are not the first of their author. */
  #emitted = false;
  #referred = false;

  constructor(vertex: PlacedVertex, at: DagRound) {
    this.round = vertex.round;
    this.author = vertex.author;
    this.name = vertex.name;
    this.timestampMs = vertex.timestampMs;
    this.batches = vertex.batches;
    this.#at = at;
    this.#isFirst = !at.byAuthor.has(vertex.author);
  }

  /** Is it the first that was accepted of its author and round? */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** By author, looked up one by one; none once the round below is gone. */
  get parents(): readonly DagVertex[] {
    return this.#parentsWithout(undefined);
  }

  set parents(parents: readonly DagVertex[]) {
    this.firstParents = NO_SEATS;
    this.otherParents = parents;
  }

  /** Parents that are part of no committed wave. */
  get waitingParents(): readonly DagVertex[] {
    return this.#parentsWithout(this.#at.below?.emitted);
  }

  /** Part of a wave that was committed. */
  get emitted(): boolean {
    return this.#isFirst ? this.#at.emitted.has(this.author) : this.#emitted;
  }

  set emitted(emitted: boolean) {
    if (!this.#isFirst) this.#emitted = emitted;
    else if (emitted) this.#at.emitted.add(this.author);
    else this.#at.emitted.remove(this.author);
  }

  /** Parent of some accepted vertex. */
  get referred(): boolean {
    return this.#isFirst ? this.#at.referred.has(this.author) : this.#referred;
  }

  set referred(referred: boolean) {
    if (!this.#isFirst) this.#referred = referred;
    else if (referred) this.#at.referred.add(this.author);
    else this.#at.referred.remove(this.author);
  }

  #parentsWithout(seats: SeatSet | undefined): readonly DagVertex[] {
    const firsts = this.#at.below?.firsts;
    if (firsts === undefined) return this.otherParents;
    if (seats?.hasAll(this.firstParents) === true) return this.otherParents;
    const found = this.firstParents.list(seats).flatMap((seat) => firsts[seat] ?? []);
    if (this.otherParents.length === 0) return found;
    return [...found, ...this.otherParents].sort((a, b) => a.author - b.author);
  }
}

type PlacedVertex = Pick<DagVertex, 'round' | 'author' | 'name' | 'timestampMs' | 'batches'>;

/** One round: the seat of its anchor, and the vertices. */
export interface DagRound {
  readonly anchor: MemberIndex;
  /** In order of acceptance. */
  readonly byAuthor: Map<MemberIndex, DagVertex[]>;
  /** By author. */
  readonly firsts: (DagVertex | undefined)[];
  /** Authors whose first vertex here is the one that the door saw first. */
  readonly known: SeatSet;
  /** Authors whose first vertex is emitted, or referred to. */
  readonly emitted: SeatSet;
  readonly referred: SeatSet;
  /** The round below, until it is dropped. */
  below: DagRound | undefined;
}

export interface DagOptions {
  readonly schedule: Pick<AnchorSchedule, 'anchorOf'>;
  readonly size: number;
  readonly quorum: number;
  readonly epoch: Epoch;
  /** The epoch's starting digest, which names the vertices of round 0. */
  readonly start: Hash;
  /** Timestamp of the vertices of round 0. */
  readonly startTimestampMs: bigint;
}

export class Dag {
  readonly #schedule: DagOptions['schedule'];
  readonly #quorum: number;
  readonly #rounds = new Map<number, DagRound>();
  /** Highest accepted round of each member. */
  readonly #newest: number[];
  /** Vertices with batches that no wave has carried yet. */
  readonly #payload = new Set<DagVertex>();
  #lowestRound: number;
  #highestRound: number;

  /** @param lowestRound 0 for a fresh DAG: it then holds the n vertices of round 0 */
  constructor(options: DagOptions, lowestRound: number) {
    this.#schedule = options.schedule;
    this.#quorum = options.quorum;
    this.#newest = Array.from({ length: options.size }, () => 0);
    this.#lowestRound = lowestRound;
    this.#highestRound = lowestRound;
    if (lowestRound > 0) return;
    for (let seat = 0; seat < options.size; seat++) {
      const author = toMemberIndex(seat);
      const name = genesisVertexHash(options.start, options.epoch, author);
      const timestampMs = options.startTimestampMs;
      const vertex = this.#place({ round: toRound(0), author, name, timestampMs, batches: [] });
      vertex.emitted = true;
      vertex.referred = true;
    }
  }

  /** Rounds below it are gone. */
  get lowestRound(): number {
    return this.#lowestRound;
  }

  get highestRound(): number {
    return this.#highestRound;
  }

  round(round: number): DagRound | undefined {
    return this.#rounds.get(round);
  }

  /** How many distinct authors have a vertex in `round`. */
  authors(round: number): number {
    return this.#rounds.get(round)?.byAuthor.size ?? 0;
  }

  /** A member's vertices of one round, first accepted first. */
  of(round: number, author: MemberIndex): readonly DagVertex[] {
    return this.#rounds.get(round)?.byAuthor.get(author) ?? NO_VERTICES;
  }

  find(round: number, { author, name }: ParentRef): DagVertex | undefined {
    return named(this.#rounds.get(round)?.byAuthor.get(author), name);
  }

  /** The vertices in the slot of `round`; none for round 0, which has no slot. */
  slot(round: number): readonly DagVertex[] {
    const at = this.#rounds.get(round);
    return at === undefined || round === 0
      ? NO_VERTICES
      : (at.byAuthor.get(at.anchor) ?? NO_VERTICES);
  }

  /** The seat of the anchor of `round`, whether or not a vertex of the round is held. */
  anchorOf(round: number): MemberIndex {
    return this.#rounds.get(round)?.anchor ?? this.#schedule.anchorOf(round);
  }

  /** The highest round in which a vertex of `author` was accepted. */
  newestRoundOf(author: MemberIndex): number {
    return this.#newest[author] ?? 0;
  }

  /** Are all parents of a vertex of `round` here, as far as the door can tell? */
  holdsParents(round: number, seen: FirstSeen | undefined): boolean {
    const below = this.#rounds.get(round - 1);
    return seen?.parents !== undefined && below?.known.hasAll(seen.parents) === true;
  }

  /**
   * Accepts a vertex; ancestors that are not held are left out of its links.
   * @param seen what the door says of it and its parents, which spares looking each of them up
   */
  insert(vertex: UnsignedVertex, name: VertexHash, seen?: FirstSeen): DagVertex {
    const { round, author } = vertex;
    const same = this.of(round, author);
    invariant(
      same.every(({ name: other }) => !equalBytes(other, name)),
      'a vertex is accepted once',
    );
    const before = same.length === 0 ? NO_VERTICES : [...same];
    const { timestampMs, batches } = vertex;
    const placed = this.#place({ round, author, name, timestampMs, batches }, seen?.isFirst);
    const below = this.#rounds.get(round - 1);
    if (seen?.parents !== undefined && this.holdsParents(round, seen)) {
      placed.firstParents = seen.parents;
    } else if (below !== undefined) {
      this.#link(placed, vertex.parents, below);
    }
    below?.referred.addAll(placed.firstParents);
    for (const parent of placed.otherParents) parent.referred = true;
    if (vertex.weakParents.length > 0) {
      placed.weakParents = vertex.weakParents.flatMap((p) => this.find(p.round, p) ?? []);
      for (const parent of placed.weakParents) parent.referred = true;
    }
    if (round > 1 && below !== undefined) placed.vote = voteOf(placed, below);
    placed.certifies = this.#certifiedBy(placed);
    if (placed.isFirst && placed.vote !== undefined) {
      placed.vote.voters ??= new SeatSet();
      placed.vote.voters.add(author);
    }
    count(placed, before);
    if (batches.length > 0) this.#payload.add(placed);
    return placed;
  }

  markEmitted(vertex: DagVertex): void {
    vertex.emitted = true;
    this.#payload.delete(vertex);
  }

  /**
   * True while a vertex with batches waits for a wave that may still take it: one that others refer
   * to, or of the two newest rounds, which can still become a parent.
   */
  hasPayloadWaiting(): boolean {
    for (const vertex of this.#payload) {
      if (vertex.referred || vertex.round + 1 >= this.#highestRound) return true;
    }
    return false;
  }

  /**
   * Drops rounds below `below`, at most `maxRounds` of them, the lowest first.
   * @returns the vertices dropped, with their links cut so that nothing older stays reachable
   */
  prune(below: number, maxRounds: number): DagVertex[] {
    const dropped: DagVertex[] = [];
    const end = Math.min(below, this.#highestRound, this.#lowestRound + maxRounds);
    for (; this.#lowestRound < end; this.#lowestRound++) {
      const round = this.#rounds.get(this.#lowestRound);
      this.#rounds.delete(this.#lowestRound);
      const above = this.#rounds.get(this.#lowestRound + 1);
      if (above !== undefined) above.below = undefined;
      for (const vertices of round?.byAuthor.values() ?? []) {
        for (const vertex of vertices) {
          vertex.parents = NO_VERTICES;
          vertex.weakParents = NO_VERTICES;
          vertex.voters = undefined;
          vertex.vote = undefined;
          vertex.certifies = undefined;
          this.#payload.delete(vertex);
          dropped.push(vertex);
        }
      }
    }
    return dropped;
  }

  /** Drops rounds however new, at most `maxRounds` of them, the lowest first. */
  drop(maxRounds: number): DagVertex[] {
    const dropped = this.prune(this.#highestRound, maxRounds);
    if (dropped.length > 0 || this.#lowestRound > this.#highestRound) return dropped;
    const newest = [...(this.#rounds.get(this.#highestRound)?.byAuthor.values() ?? [])].flat();
    this.#rounds.delete(this.#highestRound);
    this.#lowestRound = this.#highestRound + 1;
    return newest;
  }

  #place(vertex: PlacedVertex, isKnown = false): DagVertex {
    const { round, author } = vertex;
    const at = this.#rounds.get(round) ?? this.#openRound(round);
    const placed = new DagVertex(vertex, at);
    if (placed.isFirst) {
      at.byAuthor.set(author, [placed]);
      at.firsts[author] = placed;
      if (isKnown) at.known.add(author);
    } else {
      at.byAuthor.get(author)?.push(placed);
    }
    if (round > this.newestRoundOf(author)) this.#newest[author] = round;
    if (round > this.#highestRound) this.#highestRound = round;
    return placed;
  }

  #openRound(number: Round): DagRound {
    const round: DagRound = {
      anchor: this.#schedule.anchorOf(number),
      byAuthor: new Map(),
      firsts: Array.from({ length: this.#newest.length }, () => undefined),
      known: new SeatSet(),
      emitted: new SeatSet(),
      referred: new SeatSet(),
      below: this.#rounds.get(number - 1),
    };
    const above = this.#rounds.get(number + 1);
    if (above !== undefined) above.below = round;
    this.#rounds.set(number, round);
    return round;
  }

  #link(vertex: DagVertex, parents: readonly ParentRef[], below: DagRound): void {
    const firsts = new SeatSet();
    const others: DagVertex[] = [];
    for (const { author, name } of parents) {
      const first = below.firsts[author];
      if (first === undefined) continue;
      if (equalBytes(first.name, name)) {
        firsts.add(author);
        continue;
      }
      const other = named(below.byAuthor.get(author), name);
      if (other !== undefined) others.push(other);
    }
    vertex.firstParents = firsts;
    if (others.length > 0) vertex.otherParents = others;
  }

  /** Two vertices of a slot cannot both have q votes among parents that are one an author. */
  #certifiedBy({ round, firstParents, otherParents }: DagVertex): DagVertex | undefined {
    for (const candidate of this.slot(round - 2)) {
      let count = candidate.voters?.common(firstParents) ?? 0;
      for (const { vote } of otherParents) if (vote === candidate) count++;
      const certified = count >= this.#quorum ? candidate : undefined;
      if (certified !== undefined) return certified;
    }
    return undefined;
  }
}

/** The parent that is the anchor of its round. */
function voteOf({ firstParents, otherParents }: DagVertex, below: DagRound): DagVertex | undefined {
  if (firstParents.has(below.anchor)) return below.firsts[below.anchor];
  return otherParents.find(({ author }) => author === below.anchor);
}

function named(
  vertices: readonly DagVertex[] | undefined,
  name: VertexHash,
): DagVertex | undefined {
  if (vertices === undefined) return undefined;
  for (const vertex of vertices) if (equalBytes(vertex.name, name)) return vertex;
  return undefined;
}

/**
 * Keeps the counts of what a new vertex votes for and certifies, by author.
 * @param same the author's vertices of the round so far
 */
function count({ vote, certifies }: DagVertex, same: readonly DagVertex[]): void {
  const [first] = same;
  if (first === undefined) {
    if (vote !== undefined) vote.votes++;
  } else if (first.vote !== undefined && first.vote !== vote) {
    // Until now this author voted for one vertex alone.
    if (same.every((other) => other.vote === first.vote)) first.vote.votes--;
  }
  if (certifies !== undefined && same.every((other) => other.certifies !== certifies)) {
    certifies.certificates++;
  }
}

/**
 * The DAG of accepted vertices of one epoch, by round and author (design/consensus.md, "Vertex").
 *
 * A vertex comes in only when its parents are in; whoever inserts has checked that. Votes and
 * certificates depend on parents alone, so they are worked out once, at insertion. Equivocators may
 * have several vertices in one round: everything here counts authors, never vertices.
 */
import { equalBytes, invariant } from '../bytes/index.ts';
import {
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
import { coreOf, DagRound, DagVertex, NO_VERTICES, type VertexCore } from './dag-vertex.ts';
import { SeatSet } from './seat-set.ts';
import type { FirstSeen } from './vertex-door.ts';

export { type DagRound, DagVertex } from './dag-vertex.ts';

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
    return this.#rounds.get(round)?.authors ?? 0;
  }

  /** A member's vertices of one round, first accepted first. */
  of(round: number, author: MemberIndex): readonly DagVertex[] {
    return this.#rounds.get(round)?.of(author) ?? NO_VERTICES;
  }

  /** The first vertex that was accepted of a member in a round. */
  first(round: number, author: MemberIndex): DagVertex | undefined {
    return this.#rounds.get(round)?.first(author);
  }

  find(round: number, { author, name }: ParentRef): DagVertex | undefined {
    const at = this.#rounds.get(round);
    const first = at?.first(author);
    if (at === undefined || first === undefined) return undefined;
    return equalBytes(first.name, name) ? first : named(at.of(author), name);
  }

  /** The vertices in the slot of `round`; none for round 0, which has no slot. */
  slot(round: number): readonly DagVertex[] {
    const at = this.#rounds.get(round);
    return at === undefined || round === 0 ? NO_VERTICES : at.of(at.anchor);
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
    const before = this.of(round, author);
    invariant(named(before, name) === undefined, 'a vertex is accepted once');
    const { batches } = vertex;
    const placed = this.#place(seen?.core ?? coreOf(vertex, name), seen?.isFirst);
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
    if (placed.isFirst) placed.vote?.addVoter(author);
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
      for (const vertex of round?.vertices() ?? []) {
        vertex.cut();
        this.#payload.delete(vertex);
        dropped.push(vertex);
      }
    }
    return dropped;
  }

  /** Drops rounds however new, at most `maxRounds` of them, the lowest first. */
  drop(maxRounds: number): DagVertex[] {
    const dropped = this.prune(this.#highestRound, maxRounds);
    if (dropped.length > 0 || this.#lowestRound > this.#highestRound) return dropped;
    const newest = this.#rounds.get(this.#highestRound)?.vertices() ?? [];
    this.#rounds.delete(this.#highestRound);
    this.#lowestRound = this.#highestRound + 1;
    return newest;
  }

  #place(core: VertexCore, isKnown = false): DagVertex {
    const { round, author } = core;
    const at = this.#rounds.get(round) ?? this.#openRound(round);
    const placed = new DagVertex(core, at);
    at.add(placed);
    if (placed.isFirst && isKnown) at.known.add(author);
    if (round > this.newestRoundOf(author)) this.#newest[author] = round;
    if (round > this.#highestRound) this.#highestRound = round;
    return placed;
  }

  #openRound(number: Round): DagRound {
    const anchor = this.#schedule.anchorOf(number);
    const round = new DagRound(anchor, this.#newest.length, this.#rounds.get(number - 1));
    const above = this.#rounds.get(number + 1);
    if (above !== undefined) above.below = round;
    this.#rounds.set(number, round);
    return round;
  }

  #link(vertex: DagVertex, parents: readonly ParentRef[], below: DagRound): void {
    const firsts = new SeatSet();
    const others: DagVertex[] = [];
    for (const { author, name } of parents) {
      const first = below.first(author);
      if (first === undefined) continue;
      if (equalBytes(first.name, name)) {
        firsts.add(author);
        continue;
      }
      const other = named(below.of(author), name);
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
  if (firstParents.has(below.anchor)) return below.first(below.anchor);
  return otherParents.find(({ author }) => author === below.anchor);
}

function named(vertices: readonly DagVertex[], name: VertexHash): DagVertex | undefined {
  for (const vertex of vertices) if (equalBytes(vertex.name, name)) return vertex;
  return undefined;
}

/**
 * Keeps the counts of what a new vertex votes for and certifies, by author.
 * @param same the author's vertices of the round so far
 */
function count(vertex: DagVertex, same: readonly DagVertex[]): void {
  const [first] = same;
  if (first !== undefined) {
    countAnother(vertex, first, same);
    return;
  }
  const { vote, certifies } = vertex;
  if (vote !== undefined) vote.votes++;
  if (certifies !== undefined) certifies.certificates++;
}

function countAnother(
  { vote, certifies }: DagVertex,
  first: DagVertex,
  same: readonly DagVertex[],
): void {
  if (first.vote !== undefined && first.vote !== vote) {
    // Until now this author voted for one vertex alone.
    if (same.every((other) => other.vote === first.vote)) first.vote.votes--;
  }
  if (certifies !== undefined && same.every((other) => other.certifies !== certifies)) {
    certifies.certificates++;
  }
}

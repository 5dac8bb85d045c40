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

export interface DagVertex {
  readonly round: Round;
  readonly author: MemberIndex;
  readonly name: VertexHash;
  readonly timestampMs: bigint;
  readonly batches: readonly BatchRef[];
  /** Links and flags below are written by {@link Dag} alone. */
  parents: readonly DagVertex[];
  weakParents: readonly DagVertex[];
  /** The vertex of the slot one round below that is among the parents. */
  vote: DagVertex | undefined;
  /** The vertex of the slot two rounds below that q of the parents vote for. */
  certifies: DagVertex | undefined;
  /** Part of a wave that was committed. */
  emitted: boolean;
  /** Parent of some accepted vertex. */
  referred: boolean;
  /** Authors whose vertices of the round above all vote for it. */
  votes: number;
  /** Authors that have a certificate for it two rounds above. */
  certificates: number;
}

/** One round: the seat of its anchor, and by author the vertices in order of acceptance. */
export interface DagRound {
  readonly anchor: MemberIndex;
  readonly byAuthor: Map<MemberIndex, DagVertex[]>;
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

const NO_VERTICES: readonly DagVertex[] = [];

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
      this.#place({
        round: toRound(0),
        author,
        name: genesisVertexHash(options.start, options.epoch, author),
        timestampMs: options.startTimestampMs,
        batches: [],
        parents: NO_VERTICES,
        weakParents: NO_VERTICES,
        vote: undefined,
        certifies: undefined,
        emitted: true,
        referred: true,
        votes: 0,
        certificates: 0,
      });
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

  /** Are all parents and weak parents here? */
  holdsAncestorsOf(vertex: UnsignedVertex): boolean {
    return (
      vertex.parents.every((parent) => this.find(vertex.round - 1, parent) !== undefined) &&
      vertex.weakParents.every((parent) => this.find(parent.round, parent) !== undefined)
    );
  }

  /** Accepts a vertex; ancestors that are not held are left out of its links. */
  insert(vertex: UnsignedVertex, name: VertexHash): DagVertex {
    const { round, author, timestampMs, batches } = vertex;
    const same = this.of(round, author);
    invariant(
      same.every(({ name: other }) => !equalBytes(other, name)),
      'a vertex is accepted once',
    );
    const anchor = round > 1 ? this.anchorOf(round - 1) : undefined;
    const parents: DagVertex[] = [];
    let vote: DagVertex | undefined;
    const below = this.#rounds.get(round - 1)?.byAuthor;
    for (const { author: parentAuthor, name: parentName } of vertex.parents) {
      const parent = named(below?.get(parentAuthor), parentName);
      if (parent === undefined) continue;
      parent.referred = true;
      if (parent.author === anchor) vote = parent;
      parents.push(parent);
    }
    const weakParents = vertex.weakParents.flatMap((p) => this.find(p.round, p) ?? []);
    for (const parent of weakParents) parent.referred = true;
    const placed: DagVertex = {
      round,
      author,
      name,
      timestampMs,
      batches,
      parents,
      weakParents,
      vote,
      certifies: this.#certifiedBy(parents),
      emitted: false,
      referred: false,
      votes: 0,
      certificates: 0,
    };
    count(placed, same);
    this.#place(placed);
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
      for (const vertices of round?.byAuthor.values() ?? []) {
        for (const vertex of vertices) {
          vertex.parents = NO_VERTICES;
          vertex.weakParents = NO_VERTICES;
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

  #place(vertex: DagVertex): void {
    let round = this.#rounds.get(vertex.round);
    if (round === undefined) {
      round = { anchor: this.#schedule.anchorOf(vertex.round), byAuthor: new Map() };
      this.#rounds.set(vertex.round, round);
    }
    const same = round.byAuthor.get(vertex.author);
    if (same === undefined) round.byAuthor.set(vertex.author, [vertex]);
    else same.push(vertex);
    this.#newest[vertex.author] = Math.max(this.newestRoundOf(vertex.author), vertex.round);
    this.#highestRound = Math.max(this.#highestRound, vertex.round);
  }

  /** Two vertices of a slot cannot both have q votes among parents that are one an author. */
  #certifiedBy(parents: readonly DagVertex[]): DagVertex | undefined {
    let candidate: DagVertex | undefined;
    let votes = 0;
    // More than half of the parents vote for it, if any is certified: the majority vote finds it.
    for (const { vote } of parents) {
      if (votes === 0) candidate = vote;
      votes += vote === candidate ? 1 : -1;
    }
    if (candidate === undefined) return undefined;
    let count = 0;
    for (const { vote } of parents) if (vote === candidate) count++;
    return count >= this.#quorum ? candidate : undefined;
  }
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

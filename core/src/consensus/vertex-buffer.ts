/**
 * Valid vertices that cannot be accepted yet: an ancestor or a batch is missing, or the timestamp
 * lies ahead (design/consensus.md, "Vertex"). Bounded by author, so that no member can crowd out
 * another; of a full author's vertices the highest round gives way, because low rounds unblock the
 * rest. An ancestor of a full author takes a place of whoever needs it: else whoever fills its own
 * places with what can never be accepted would keep out what others made on top of the rest.
 *
 * Nothing here is searched: every missing name knows the vertices that wait for it, and a vertex
 * counts what it misses, so that what comes in touches only what it was missed by.
 */
import { equalBytes } from '../bytes/index.ts';
import {
  type BatchHash,
  type BatchRef,
  type MemberIndex,
  toRound,
  type Vertex,
  type VertexHash,
  type WeakParentRef,
} from '../types/index.ts';
import { nameKey } from './name-key.ts';
import { RefMap } from './ref-map.ts';
import type { NamedVertex } from './vertex-door.ts';

export type BufferedVertex = NamedVertex;

/** A waiting vertex. */
export interface Child {
  readonly vertex: Vertex;
  readonly name: VertexHash;
  /** As it came. */
  readonly entry: BufferedVertex;
  /** The member that sent it. */
  readonly from: MemberIndex;
  /** The member whose places it takes one of. */
  readonly charged: number;
  /** How many ancestors are not held, and how many batches. */
  missingVertices: number;
  missingBatches: number;
  /** Where it stands while it misses nothing. */
  queue: Child[] | undefined;
}

export interface MissingVertex {
  readonly kind: 'vertex';
  readonly ref: WeakParentRef;
  /** In order of arrival; never empty. */
  readonly children: ReadonlySet<Child>;
}

export interface MissingBatch {
  readonly kind: 'batch';
  readonly hash: BatchHash;
  readonly children: ReadonlySet<Child>;
}

export type Missing = MissingVertex | MissingBatch;

/**
 * Is told of every missing thing that is not here, and when it is, or nobody waits for it any more:
 * held, or waiting here itself. One that loses its place here is missing again.
 */
export interface MissingObserver {
  want(missing: Missing): void;
  settle(missing: Missing): void;
}

export const MAX_BUFFERED_PER_AUTHOR = 32;

const NO_CHILDREN: readonly Child[] = [];

interface Waiting<K, M extends Missing> {
  get(key: K): Waited<M> | undefined;
  delete(key: K): unknown;
}

type Waited<M extends Missing> = M & {
  readonly children: Set<Child>;
  /** The observer was told of it, and not of its end. */
  isWanted: boolean;
};

export class VertexBuffer {
  readonly #observer: MissingObserver;
  /** By the member whose places they take, in round order. */
  readonly #places = new Map<number, Child[]>();
  /** By author, in round order. */
  readonly #byAuthor = new Map<number, Child[]>();
  readonly #vertices = new RefMap<Waited<MissingVertex>>();
  readonly #batches = new Map<string, Waited<MissingBatch>>();
  /** Those that miss nothing, lowest round first. */
  readonly #whole: Child[] = [];
  /** Whole ones that wait for the clock, the earliest first. */
  readonly #early: Child[] = [];
  #size = 0;

  constructor(observer: MissingObserver) {
    this.#observer = observer;
  }

  get size(): number {
    return this.#size;
  }

  /** The vertex of (round, author), if one waits. */
  get(round: number, author: number): BufferedVertex | undefined {
    for (const child of this.#byAuthor.get(author) ?? NO_CHILDREN) {
      if (child.vertex.round === round) return child;
    }
    return undefined;
  }

  find({ round, author, name }: WeakParentRef): BufferedVertex | undefined {
    for (const child of this.#byAuthor.get(author) ?? NO_CHILDREN) {
      if (child.vertex.round === round && equalBytes(child.name, name)) return child.entry;
    }
    return undefined;
  }

  /** Does a waiting vertex name this one as an ancestor? */
  needs(ref: WeakParentRef): boolean {
    return this.#vertices.get(ref) !== undefined;
  }

  /** The missing batch of this name, if a waiting vertex refers to it. */
  needsBatch(hash: BatchHash): MissingBatch | undefined {
    return this.#batches.get(nameKey(hash));
  }

  /** @returns the vertex that found no room: none, another, or the added one */
  add(
    entry: BufferedVertex,
    from: MemberIndex,
    missingVertices: readonly WeakParentRef[],
    missingBatches: readonly BatchRef[],
  ): BufferedVertex | undefined {
    const child: Child = {
      vertex: entry.vertex,
      name: entry.name,
      entry,
      from,
      charged: this.#chargedFor(entry),
      missingVertices: 0,
      missingBatches: 0,
      queue: undefined,
    };
    const { author, round } = entry.vertex;
    const places = this.#places.get(child.charged) ?? [];
    const isFull = places.length >= MAX_BUFFERED_PER_AUTHOR;
    const highest = isFull ? places.at(-1) : undefined;
    // What misses nothing waits for nobody, and must not stay out for those that do.
    const isWhole = missingVertices.length === 0 && missingBatches.length === 0;
    if (highest !== undefined && highest.vertex.round <= round && !isWhole) return entry;
    const own = this.#byAuthor.get(author) ?? [];
    if (places.length === 0) this.#places.set(child.charged, places);
    if (own.length === 0) this.#byAuthor.set(author, own);
    insertByRound(places, child);
    insertByRound(own, child);
    this.#size++;
    if (!this.#vertices.isEmpty) {
      this.#found(this.#vertices.get({ round, author, name: entry.name }));
    }
    for (const ref of missingVertices) this.#missVertex(child, ref);
    this.missBatches(child, missingBatches);
    if (highest !== undefined) this.#giveUp(highest);
    return highest;
  }

  /** Its author while that has room, then whoever needs it. */
  #chargedFor({ vertex: { round, author }, name }: BufferedVertex): number {
    if (this.#hasRoom(author)) return author;
    let other: number = author;
    for (const { charged } of this.#vertices.get({ round, author, name })?.children ?? []) {
      if (this.#hasRoom(charged)) return charged;
      if (other === author) other = charged;
    }
    return other;
  }

  #hasRoom(of: number): boolean {
    return (this.#places.get(of)?.length ?? 0) < MAX_BUFFERED_PER_AUTHOR;
  }

  /** Whoever waits for this vertex waits for it no longer: it was accepted, or counts as held. */
  holdVertex(ref: WeakParentRef): void {
    const missing = this.#vertices.get(ref);
    if (missing === undefined) return;
    this.#vertices.delete(ref);
    this.#found(missing);
    for (const child of missing.children) {
      child.missingVertices--;
      this.#judge(child);
    }
  }

  holdBatch(hash: BatchHash): void {
    const key = nameKey(hash);
    const missing = this.#batches.get(key);
    if (missing === undefined) return;
    this.#batches.delete(key);
    this.#found(missing);
    for (const child of missing.children) {
      child.missingBatches--;
      this.#judge(child);
    }
  }

  /** Batches of a vertex that are missing, or missing again. */
  missBatches(child: Child, refs: readonly BatchRef[]): void {
    for (const { hash } of refs) {
      const key = nameKey(hash);
      let missing = this.#batches.get(key);
      const isNew = missing === undefined;
      missing ??= { kind: 'batch', hash, children: new Set(), isWanted: false };
      if (!missing.children.has(child)) child.missingBatches++;
      missing.children.add(child);
      if (!isNew) continue;
      this.#batches.set(key, missing);
      this.#want(missing);
    }
    this.#judge(child);
  }

  /** The lowest vertex that misses nothing and is stamped at most `latestMs`; it stays here. */
  nextWhole(latestMs: bigint): Child | undefined {
    for (let first = this.#early[0]; first !== undefined; first = this.#early[0]) {
      if (first.vertex.timestampMs > latestMs) break;
      this.#early.shift();
      enqueue(this.#whole, first, byRound);
    }
    for (let first = this.#whole[0]; first !== undefined; first = this.#whole[0]) {
      if (first.vertex.timestampMs <= latestMs) return first;
      this.#whole.shift();
      enqueue(this.#early, first, byTimestamp);
    }
    return undefined;
  }

  /** Takes a vertex out, because it is accepted. */
  take(child: Child): void {
    this.#remove(child);
  }

  /** Forgets vertices below `round`. */
  dropBelow(round: number): void {
    for (const own of this.#byAuthor.values()) {
      for (let first = own[0]; first !== undefined; first = own[0]) {
        if (first.vertex.round >= round) break;
        this.#giveUp(first);
      }
    }
  }

  /** The smallest timestamp among those that wait for nothing but the clock. */
  get nextTimestampMs(): bigint | undefined {
    return this.#early[0]?.vertex.timestampMs;
  }

  #missVertex(child: Child, ref: WeakParentRef): void {
    let missing = this.#vertices.get(ref);
    const isNew = missing === undefined;
    missing ??= { kind: 'vertex', ref, children: new Set(), isWanted: false };
    if (!missing.children.has(child)) child.missingVertices++;
    missing.children.add(child);
    if (!isNew) return;
    this.#vertices.set(ref, missing);
    if (this.find(ref) === undefined) this.#want(missing);
  }

  #want(missing: Missing & { isWanted: boolean }): void {
    missing.isWanted = true;
    this.#observer.want(missing);
  }

  /** It is here, or nobody waits for it any more. */
  #found(missing: (Missing & { isWanted: boolean }) | undefined): void {
    if (missing?.isWanted !== true) return;
    missing.isWanted = false;
    this.#observer.settle(missing);
  }

  #unmiss<K, M extends Missing>(among: Waiting<K, M>, key: K, child: Child): void {
    const missing = among.get(key);
    if (missing?.children.delete(child) !== true || missing.children.size > 0) return;
    among.delete(key);
    this.#found(missing);
  }

  /** Puts a vertex among the whole ones, or takes it from there. */
  #judge(child: Child): void {
    const isWhole = child.missingVertices === 0 && child.missingBatches === 0;
    if (isWhole === (child.queue !== undefined)) return;
    if (isWhole) enqueue(this.#whole, child, byRound);
    else unqueue(child);
  }

  /** Loses its place without being accepted: whoever waits for it misses it again. */
  #giveUp(child: Child): void {
    this.#remove(child);
    const { round, author } = child.vertex;
    const missing = this.#vertices.get({ round, author, name: child.name });
    if (missing !== undefined) this.#want(missing);
  }

  #remove(child: Child): void {
    const { vertex } = child;
    removeFrom(this.#places.get(child.charged), child);
    removeFrom(this.#byAuthor.get(vertex.author), child);
    this.#size--;
    unqueue(child);
    if (child.missingVertices > 0) {
      const round = toRound(vertex.round - 1);
      for (const { author, name } of vertex.parents) {
        this.#unmiss(this.#vertices, { round, author, name }, child);
      }
      for (const weak of vertex.weakParents) this.#unmiss(this.#vertices, weak, child);
    }
    if (child.missingBatches === 0) return;
    for (const { hash } of vertex.batches) this.#unmiss(this.#batches, nameKey(hash), child);
  }
}

/** Behind those of the same round. */
function insertByRound(children: Child[], child: Child): void {
  const last = children.at(-1);
  if (last === undefined || last.vertex.round <= child.vertex.round) {
    children.push(child);
    return;
  }
  let at = 0;
  while ((children[at]?.vertex.round ?? 0) <= child.vertex.round) at++;
  children.splice(at, 0, child);
}

function removeFrom(children: Child[] | undefined, child: Child): void {
  if (children === undefined) return;
  // Nearly always the only one, or the first.
  if (children[0] === child) children.shift();
  else if (children.includes(child)) children.splice(children.indexOf(child), 1);
}

const byRound = (a: Child, b: Child): boolean => a.vertex.round > b.vertex.round;
const byTimestamp = (a: Child, b: Child): boolean => a.vertex.timestampMs > b.vertex.timestampMs;

/** Behind all that it does not come before; few wait at a time, and mostly it is the last. */
function enqueue(queue: Child[], child: Child, after: (a: Child, b: Child) => boolean): void {
  let at = queue.length;
  for (let last = queue[at - 1]; last !== undefined && after(last, child); last = queue[at - 1])
    at--;
  if (at === queue.length) queue.push(child);
  else queue.splice(at, 0, child);
  child.queue = queue;
}

function unqueue(child: Child): void {
  removeFrom(child.queue, child);
  child.queue = undefined;
}

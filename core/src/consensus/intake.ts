/**
 * The door for vertices and batches of other members (design/consensus.md, "Vertex"): they are
 * decoded, judged and buffered here, or refused. Nothing of it is trusted. Unrequested, there is
 * room for one vertex of an author and round inside the GC window; another one is let in only when
 * a waiting vertex names it as an ancestor.
 */
import { equalBytes } from '../bytes/index.ts';
import type { Instant } from '../platform/index.ts';
import {
  type BatchRef,
  batchHash,
  decodeVertex,
  type MemberIndex,
  toRound,
  type Vertex,
  type WeakParentRef,
} from '../types/index.ts';
import type { BatchStore } from './batch-store.ts';
import type { Dag } from './dag.ts';
import type { Equivocation, Equivocations } from './equivocation.ts';
import { consensusError } from './error.ts';
import type { VertexRef } from './fetch-message.ts';
import type { HeldNames } from './held-names.ts';
import type { ConsensusRecords } from './records.ts';
import { type BufferedVertex, type MissingObserver, VertexBuffer } from './vertex-buffer.ts';
import type { NamedVertex, VertexDoor } from './vertex-door.ts';
import type { VertexRules } from './vertex-verification.ts';

const NOTHING: readonly never[] = [];

/** A vertex stamped further ahead of the local clock waits. */
export const MAX_CLOCK_LEAD_MS = 2_000;

export interface IntakeOptions extends VertexRules {
  readonly self: MemberIndex | undefined;
  readonly gcRounds: number;
  readonly door: VertexDoor;
  /** Two vertices of one author and round. */
  onEquivocation(equivocation: Equivocation): void;
}

export interface IntakeParts {
  readonly dag: Dag;
  readonly batches: BatchStore;
  readonly records: ConsensusRecords;
  readonly held: HeldNames;
  readonly equivocations: Equivocations;
  /** Asks for what waiting vertices miss. */
  readonly observer: MissingObserver;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #parts: IntakeParts;
  readonly #buffer: VertexBuffer;

  constructor(options: IntakeOptions, parts: IntakeParts) {
    this.#options = options;
    this.#parts = parts;
    this.#buffer = new VertexBuffer(parts.observer);
  }

  /** Valid vertices that wait. */
  get waiting(): number {
    return this.#buffer.size;
  }

  find(ref: VertexRef): BufferedVertex | undefined {
    return this.#buffer.find(ref);
  }

  /**
   * @returns the vertex when it waits now, undefined when it was known
   * @throws PydeError with the reason why it is refused
   */
  receiveVertex(bytes: Uint8Array, from: MemberIndex): Vertex | undefined {
    return this.receiveOpened(this.#options.door.open(bytes), from);
  }

  /** As {@link receiveVertex}, of what the door opened. */
  receiveOpened(entry: NamedVertex, from: MemberIndex): Vertex | undefined {
    const { dag } = this.#parts;
    const { vertex, name } = entry;
    const { round, author } = vertex;
    const ref = { round, author, name };
    if (dag.find(round, ref) !== undefined || this.#buffer.find(ref) !== undefined)
      return undefined;
    const isNeeded = this.#buffer.needs(ref);
    this.#requireRoom(ref, isNeeded);
    const other = this.#other(ref);
    if (other !== undefined) this.#contradict(other, entry, isNeeded);
    this.#options.door.judge(entry, this.#options);
    const missing = this.#missing(entry);
    const missingBatches = this.#missingBatches(vertex);
    if (this.#buffer.add(entry, from, missing, missingBatches) === entry) {
      throw consensusError('consensus.buffer-full', `too many vertices of member ${author} wait`);
    }
    return vertex;
  }

  /** One that is wanted and finds no room is asked for again. */
  receiveBatch(bytes: Uint8Array, from: MemberIndex): void {
    const { batches } = this.#parts;
    const hash = batchHash(bytes);
    const missing = this.#buffer.needsBatch(hash);
    if (missing === undefined) {
      batches.putLoose(from, hash, bytes);
      return;
    }
    let isKept = false;
    for (const { vertex, missingVertices } of missing.children) {
      if (!vertex.batches.some((ref) => isRefTo(ref, hash, bytes))) continue;
      isKept = batches.putWanted(vertex.author, hash, bytes, missingVertices === 0);
      if (isKept) break;
    }
    if (isKept) this.#buffer.holdBatch(hash);
  }

  /** Hands every vertex that may be accepted now to `accept`, lowest round first. */
  drain(now: Instant, accept: (entry: BufferedVertex) => void): void {
    const latestMs = latestTimestamp(now);
    for (;;) {
      const child = this.#buffer.nextWhole(latestMs);
      if (child === undefined) return;
      // Batches that nobody had to keep may have gone meanwhile.
      const gone = this.#unloaded(child.vertex);
      if (gone.length > 0) {
        this.#buffer.missBatches(child, gone);
        continue;
      }
      this.#buffer.take(child);
      accept(child.entry);
      const { vertex, name } = child;
      this.hold({ round: vertex.round, author: vertex.author, name });
    }
  }

  /** A vertex was accepted, or counts as held. */
  hold(ref: VertexRef): void {
    this.#buffer.holdVertex(ref);
  }

  /** How long until the clock lets another waiting vertex in; undefined if none waits for it. */
  nextDueMs(now: Instant): number | undefined {
    const dueMs = this.#buffer.nextTimestampMs;
    return dueMs === undefined ? undefined : Math.max(0, Number(dueMs - latestTimestamp(now)));
  }

  /** Forgets waiting vertices whose parents can come no more. */
  dropBelow(round: number): void {
    this.#buffer.dropBelow(round);
  }

  #requireRoom({ round, author }: VertexRef, isNeeded: boolean): void {
    const { dag } = this.#parts;
    if (author === this.#options.self && !isNeeded) {
      throw consensusError(
        'consensus.own-vertex',
        `a vertex of this member's own round ${round} that its store does not hold`,
      );
    }
    const highest = dag.highestRound + this.#options.gcRounds;
    if (round > highest && !isNeeded) {
      throw consensusError('consensus.round-too-high', `round ${round} is above ${highest}`);
    }
    if (round <= dag.lowestRound && round > 0) {
      throw consensusError(
        'consensus.round-too-low',
        `round ${round} is not above ${dag.lowestRound}`,
      );
    }
  }

  /** Another vertex of the same author and round that was let in. */
  #other({ round, author }: VertexRef): Vertex | undefined {
    const { dag, records } = this.#parts;
    const accepted = dag.first(round, author);
    if (accepted === undefined) return this.#buffer.get(round, author)?.vertex;
    const bytes = records.vertexBytes(accepted.round, accepted);
    return bytes === undefined ? this.#buffer.get(round, author)?.vertex : decodeVertex(bytes);
  }

  /** A second vertex is evidence once, if it is valid; unless it is needed it is refused. */
  #contradict(other: Vertex, entry: NamedVertex, isNeeded: boolean): void {
    const { vertex } = entry;
    const { author, round } = vertex;
    const { equivocations } = this.#parts;
    if (equivocations.isNews({ kind: 'vertex', author, at: BigInt(round) })) {
      this.#options.door.judge(entry, this.#options);
      const found = equivocations.vertices(other, vertex);
      if (found !== undefined) this.#options.onEquivocation(found);
    }
    if (isNeeded) return;
    throw consensusError(
      'consensus.second-vertex',
      `member ${author} made two vertices of round ${round}`,
    );
  }

  #missing({ vertex, seen }: NamedVertex): readonly WeakParentRef[] {
    const { dag, held } = this.#parts;
    const { round, parents, weakParents } = vertex;
    const holdsParents = dag.holdsParents(round, seen);
    if (holdsParents && weakParents.length === 0) return NOTHING;
    const missing: WeakParentRef[] = [];
    if (!holdsParents) {
      const below = toRound(round - 1);
      const at = dag.round(below);
      const known = seen?.parents === undefined ? undefined : at?.known;
      for (const parent of parents) {
        if (known?.has(parent.author) === true) continue;
        // Nearly always the one vertex of its author.
        const first = at?.first(parent.author);
        if (first !== undefined && equalBytes(first.name, parent.name)) continue;
        const ref = { round: below, author: parent.author, name: parent.name };
        if (!held.holds(ref)) missing.push(ref);
      }
    }
    for (const weak of weakParents) if (!held.holds(weak)) missing.push(weak);
    return missing;
  }

  #missingBatches({ batches: refs }: Vertex): readonly BatchRef[] {
    if (refs.length === 0) return NOTHING;
    const { batches } = this.#parts;
    return refs.filter((ref) => !batches.holds(ref) && !batches.isStored(ref.hash));
  }

  #unloaded({ batches: refs }: Vertex): readonly BatchRef[] {
    return refs.length === 0 ? NOTHING : refs.filter((ref) => !this.#loadBatch(ref));
  }

  /** Sees to it that the batch is in memory; one of an earlier vertex may be in the store only. */
  #loadBatch(ref: BatchRef): boolean {
    const { batches, records } = this.#parts;
    if (batches.holds(ref)) return true;
    const bytes = batches.isStored(ref.hash) ? records.batch(ref.hash) : undefined;
    if (bytes?.length !== ref.bytes) return false;
    batches.put(ref.hash, bytes);
    return true;
  }
}

const isRefTo = (ref: BatchRef, hash: Uint8Array, bytes: Uint8Array): boolean =>
  ref.bytes === bytes.length && equalBytes(ref.hash, hash);

const latestTimestamp = (now: Instant): bigint =>
  BigInt(Math.floor(now.unixMs) + MAX_CLOCK_LEAD_MS);

/**
 * Valid vertices that cannot be accepted yet: a parent or a batch is missing, or the timestamp lies
 * ahead (design/consensus.md, "Vertex"). Bounded by author, so that no member can crowd out another;
 * of a full author's vertices the highest round gives way, because low rounds unblock the rest.
 */
import { equalBytes } from '../bytes/index.ts';
import type { BatchHash, ParentRef, Vertex, VertexHash } from '../types/index.ts';

export interface BufferedVertex {
  readonly vertex: Vertex;
  readonly name: VertexHash;
}

export const MAX_BUFFERED_PER_AUTHOR = 32;

export class VertexBuffer {
  /** By author, in round order. */
  readonly #byAuthor = new Map<number, BufferedVertex[]>();

  get size(): number {
    let size = 0;
    for (const vertices of this.#byAuthor.values()) size += vertices.length;
    return size;
  }

  /** The vertex of (round, author), if one waits. */
  get(round: number, author: number): BufferedVertex | undefined {
    return this.#byAuthor.get(author)?.find(({ vertex }) => vertex.round === round);
  }

  holds(author: number, name: VertexHash): boolean {
    const vertices = this.#byAuthor.get(author) ?? [];
    return vertices.some((waiting) => equalBytes(waiting.name, name));
  }

  /** Does a waiting vertex name this one as an ancestor? */
  needs(round: number, { author, name }: ParentRef): boolean {
    for (const { vertex } of this.#all()) {
      const named = (parent: ParentRef): boolean =>
        parent.author === author && equalBytes(parent.name, name);
      if (vertex.round === round + 1 && vertex.parents.some(named)) return true;
      if (vertex.weakParents.some((weak) => weak.round === round && named(weak))) return true;
    }
    return false;
  }

  needsBatch(hash: BatchHash): boolean {
    for (const { vertex } of this.#all()) {
      if (vertex.batches.some((batch) => equalBytes(batch.hash, hash))) return true;
    }
    return false;
  }

  /** @returns the vertex that found no room: none, another, or the added one */
  add(entry: BufferedVertex): BufferedVertex | undefined {
    const vertices = this.#byAuthor.get(entry.vertex.author) ?? [];
    this.#byAuthor.set(entry.vertex.author, vertices);
    const after = vertices.findIndex(({ vertex }) => vertex.round > entry.vertex.round);
    vertices.splice(after < 0 ? vertices.length : after, 0, entry);
    return vertices.length > MAX_BUFFERED_PER_AUTHOR ? vertices.pop() : undefined;
  }

  /** Takes out, lowest round first, every vertex that `ready` says yes to when its turn comes. */
  drain(ready: (entry: BufferedVertex) => boolean, take: (entry: BufferedVertex) => void): void {
    const byRound = [...this.#all()].sort((a, b) => a.vertex.round - b.vertex.round);
    for (const entry of byRound) {
      if (!ready(entry)) continue;
      this.#remove(entry);
      take(entry);
    }
  }

  /** Forgets vertices below `round`. @returns those forgotten */
  dropBelow(round: number): BufferedVertex[] {
    const dropped = [...this.#all()].filter(({ vertex }) => vertex.round < round);
    for (const entry of dropped) this.#remove(entry);
    return dropped;
  }

  /** The smallest timestamp among waiting vertices that is above `timestampMs`. */
  nextTimestampAfter(timestampMs: bigint): bigint | undefined {
    let next: bigint | undefined;
    for (const { vertex } of this.#all()) {
      if (vertex.timestampMs <= timestampMs) continue;
      if (next === undefined || vertex.timestampMs < next) next = vertex.timestampMs;
    }
    return next;
  }

  *#all(): Generator<BufferedVertex> {
    for (const vertices of this.#byAuthor.values()) yield* vertices;
  }

  #remove(entry: BufferedVertex): void {
    const vertices = this.#byAuthor.get(entry.vertex.author) ?? [];
    const at = vertices.indexOf(entry);
    if (at >= 0) vertices.splice(at, 1);
  }
}

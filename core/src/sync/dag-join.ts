/**
 * From executed waves back into the DAG (design/consensus.md, "Waves", "A joiner…"): of the rounds
 * above the GC round, the ancestries of the anchors committed at the last round R and, if there was
 * one, at R − 1. They hold every vertex that a wave up to the head carried and a later one could
 * carry again, and count as emitted.
 *
 * Both anchors are named by records that a certificate vouches for, and every vertex names its
 * parents by hash: what is fetched is believed by its name alone, whoever sends it. First one peer is
 * asked for the whole rounds, then, by name, others for what is missing of the ancestries.
 */
import { isPydeError, toHex } from '../bytes/index.ts';
import {
  decodeRounds,
  encodeRefs,
  encodeWantRounds,
  frameMessage,
  MAX_NAMES_PER_MESSAGE,
  MAX_ROUNDS_PER_REQUEST,
  type StoredVertex,
} from '../consensus/index.ts';
import type { Instant } from '../platform/index.ts';
import { decodeVertex, toRound, vertexHash, type WeakParentRef } from '../types/index.ts';
import { PeerRanking } from './peer-ranking.ts';

export interface DagJoinOptions {
  /** Whom to ask. */
  readonly peers: readonly number[];
  /** The committed anchors of R and R − 1, by certified records. */
  readonly anchors: readonly WeakParentRef[];
  /** Vertices at or below it are in no later wave. */
  readonly gcRound: number;
  /** Members of the epoch's committee. */
  readonly size: number;
}

export type DagJoinEffect =
  | { readonly kind: 'send'; readonly peer: number; readonly message: Uint8Array }
  | { readonly kind: 'set-timer'; readonly atMonotonicMs: number }
  /** Both ancestries, lowest round first. */
  | { readonly kind: 'joined'; readonly vertices: readonly StoredVertex[] }
  /** Nobody serves them: they lie below what others keep, and there are newer waves to follow. */
  | { readonly kind: 'out-of-reach' };

export const JOIN_ANSWER_MS = 1_000;
/** Questions in a row that brought nothing, for each peer, before the join is given up. */
const MAX_VAIN_ASKS_PER_PEER = 3;

interface Asked {
  readonly peer: number;
  readonly dueMs: number;
  /** Of the question those that did not come yet; undefined when rounds were asked. */
  readonly names: Set<string> | undefined;
}

export class DagJoin {
  readonly #options: DagJoinOptions;
  readonly #ranking: PeerRanking;
  /** By name: what was asked for and came, and what is still missing. */
  readonly #vertices = new Map<string, StoredVertex>();
  readonly #missing = new Map<string, WeakParentRef>();
  /** Vertices of whole rounds that nobody named yet; bounded by what the rounds can hold. */
  readonly #unnamed = new Map<string, StoredVertex>();
  #asked: Asked | undefined;
  /** Where the rounds go on; undefined when they are all here, or names are asked for. */
  #cursor: { readonly round: number; readonly author: number } | undefined;
  #vain = 0;
  #isDone = false;

  constructor(options: DagJoinOptions) {
    this.#options = options;
    this.#ranking = new PeerRanking(options.peers);
    this.#cursor = { round: options.gcRound + 1, author: 0 };
    for (const anchor of options.anchors) this.#need(anchor);
  }

  start(now: Instant): DagJoinEffect[] {
    return this.#advance(now);
  }

  timer(now: Instant): DagJoinEffect[] {
    if (this.#asked !== undefined && now.monotonicMs >= this.#asked.dueMs) {
      this.#ranking.slow(this.#asked.peer);
      this.#vain++;
      this.#cursor = undefined;
      this.#asked = undefined;
    }
    return this.#advance(now);
  }

  /** An answer to `want-rounds`. */
  rounds(peer: number, bytes: Uint8Array, now: Instant): DagJoinEffect[] {
    if (this.#asked?.peer !== peer || this.#cursor === undefined) return [];
    this.#asked = undefined;
    const last = this.#takeRounds(peer, bytes);
    this.#cursor = last;
    return this.#advance(now);
  }

  /** A vertex, asked for by name or not. */
  vertex(bytes: Uint8Array, now: Instant): DagJoinEffect[] {
    const found = read(bytes);
    if (found === undefined || !this.#place(found)) return [];
    this.#vain = 0;
    // The next question is asked when all that one brought is here, or time is up.
    if (this.#asked?.names?.size === 0) this.#asked = undefined;
    return this.#advance(now);
  }

  #advance(now: Instant): DagJoinEffect[] {
    if (this.#isDone) return [];
    if (this.#missing.size === 0) {
      this.#isDone = true;
      const vertices = [...this.#vertices.values()];
      vertices.sort((a, b) => a.vertex.round - b.vertex.round || a.vertex.author - b.vertex.author);
      return [{ kind: 'joined', vertices }];
    }
    if (this.#vain >= MAX_VAIN_ASKS_PER_PEER * this.#options.peers.length) {
      this.#isDone = true;
      return [{ kind: 'out-of-reach' }];
    }
    if (this.#asked !== undefined) return [];
    const peer = this.#ranking.best(() => true);
    if (peer === undefined) return [];
    const dueMs = now.monotonicMs + JOIN_ANSWER_MS;
    const missing = [...this.#missing].slice(0, MAX_NAMES_PER_MESSAGE);
    const names = this.#cursor === undefined ? new Set(missing.map(([key]) => key)) : undefined;
    this.#asked = { peer, dueMs, names };
    const message = this.#question(missing.map(([, ref]) => ref));
    return [
      { kind: 'send', peer, message },
      { kind: 'set-timer', atMonotonicMs: dueMs },
    ];
  }

  #question(missing: readonly WeakParentRef[]): Uint8Array {
    const cursor = this.#cursor;
    if (cursor === undefined) return frameMessage('want-vertices', encodeRefs(missing));
    const fromRound = cursor.round;
    const highest = Math.max(...this.#options.anchors.map(({ round }) => round));
    const toRound = Math.min(highest, fromRound + MAX_ROUNDS_PER_REQUEST - 1);
    const want = { fromRound, fromAuthor: cursor.author, toRound };
    return frameMessage('want-rounds', encodeWantRounds(want));
  }

  /** @returns where the rounds go on, if there are more */
  #takeRounds(peer: number, bytes: Uint8Array): { round: number; author: number } | undefined {
    const { gcRound, anchors, size } = this.#options;
    const highest = Math.max(...anchors.map(({ round }) => round));
    const room = 2 * size * (highest - gcRound);
    let last: StoredVertex | undefined;
    try {
      const { complete, vertices } = decodeRounds(bytes);
      for (const one of vertices) {
        const found = read(one);
        if (found === undefined) return undefined;
        const { round, author } = found.vertex;
        if (round <= gcRound || round > highest || author >= size) return undefined;
        last = found;
        if (!this.#place(found) && this.#unnamed.size < room) {
          this.#unnamed.set(toHex(found.name), found);
        }
      }
      this.#ranking.right(peer);
      if (last === undefined) {
        this.#vain++;
        return undefined;
      }
      this.#vain = 0;
      const { round, author } = last.vertex;
      if (!complete) return { round, author: author + 1 };
      return round < highest ? { round: round + 1, author: 0 } : undefined;
    } catch (error) {
      if (!isPydeError(error)) throw error;
      this.#ranking.wrong(peer);
      return undefined;
    }
  }

  /** Takes a vertex that was missing, and what is known of its ancestors. @returns false for others */
  #place(first: StoredVertex): boolean {
    const stack = [first];
    let isWanted = false;
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const key = toHex(next.name);
      if (!this.#missing.delete(key)) continue;
      isWanted = true;
      this.#asked?.names?.delete(key);
      this.#vertices.set(key, next);
      for (const ref of ancestorsOf(next)) {
        this.#need(ref);
        const known = this.#unnamed.get(toHex(ref.name));
        if (known !== undefined) stack.push(known);
      }
    }
    return isWanted;
  }

  #need(ref: WeakParentRef): void {
    if (ref.round <= this.#options.gcRound) return;
    const key = toHex(ref.name);
    if (!this.#vertices.has(key)) this.#missing.set(key, ref);
  }
}

/** Round 0 is above no GC round, so that its vertices are never asked for. */
function ancestorsOf({ vertex }: StoredVertex): WeakParentRef[] {
  const round = vertex.round - 1;
  const parents = vertex.parents.map((ref) => ({ ...ref, round: toRound(round) }));
  return [...parents, ...vertex.weakParents];
}

function read(bytes: Uint8Array): StoredVertex | undefined {
  try {
    const vertex = decodeVertex(bytes);
    const name = vertexHash(vertex);
    return { vertex, name };
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
}

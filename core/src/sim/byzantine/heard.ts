/** What a faulty member remembers of what it heard: vertices by place, and messages to say again. */
import { isPydeError } from '../../bytes/index.ts';
import { openMessage } from '../../consensus/index.ts';
import {
  decodeVertex,
  type ParentRef,
  toMemberIndex,
  type Vertex,
  vertexHash,
} from '../../types/index.ts';
import type { Prng } from '../prng.ts';

const KEPT_ROUNDS = 128;
const KEPT_MESSAGES = 256;
/** Larger ones are not kept for replays. */
const MAX_KEPT_BYTES = 64 * 1024;

export class Heard {
  readonly #prng: Prng;
  /** By epoch and round, then author: the first that was heard. */
  readonly #rounds = new Map<string, Map<number, ParentRef>>();
  readonly #messages: Uint8Array[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** First vertices of a round, by author. */
  round(epoch: number, round: number): readonly ParentRef[] {
    const byAuthor = this.#rounds.get(placeOf(epoch, round))?.values() ?? [];
    return [...byAuthor].sort((a, b) => a.author - b.author);
  }

  /** Some message that somebody sent, not always a new one. */
  someMessage(): Uint8Array | undefined {
    return this.#prng.pick(this.#messages);
  }

  take(message: Uint8Array): void {
    if (message.length > MAX_KEPT_BYTES) return;
    if (this.#messages.length < KEPT_MESSAGES) this.#messages.push(message);
    else if (this.#prng.chance(100_000)) {
      this.#messages[this.#prng.below(KEPT_MESSAGES)] = message;
    }
    const vertex = vertexOf(message);
    if (vertex !== undefined) this.takeVertex(vertex);
  }

  takeVertex(vertex: Omit<Vertex, 'signature'>): void {
    const place = placeOf(vertex.epoch, vertex.round);
    const known = this.#rounds.get(place) ?? new Map<number, ParentRef>();
    this.#rounds.set(place, known);
    const { author } = vertex;
    if (!known.has(author)) {
      known.set(author, { author: toMemberIndex(author), name: vertexHash(vertex) });
    }
    for (const oldest of this.#rounds.keys()) {
      if (this.#rounds.size <= KEPT_ROUNDS) break;
      this.#rounds.delete(oldest);
    }
  }
}

const placeOf = (epoch: number, round: number): string => `${epoch} ${round}`;

/** Undefined for any other message. */
export function vertexOf(message: Uint8Array): Vertex | undefined {
  try {
    const { kind, bytes } = openMessage(message);
    return kind === 'vertex' ? decodeVertex(bytes) : undefined;
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
}

/**
 * The name seen first of every author and round, so that members who hold it can compare sets of
 * seats instead of names. Once given a place has its name for ever: of rounds that were forgotten
 * nothing is first again.
 */
import { equalBytes } from '../bytes/index.ts';
import { coreOf, type FirstSeen, SeatSet } from '../consensus/index.ts';
import { MAX_COMMITTEE_SIZE, type Vertex, type VertexHash } from '../types/index.ts';

/** Of one epoch; more than members keep. */
const KEPT_ROUNDS = 4_096;
/** An epoch and the one before; vertices of others are sent by nobody honest. */
const KEPT_EPOCHS = 2;

/** By round, then author. */
class EpochNames {
  readonly #rounds = new Map<number, (VertexHash | undefined)[]>();
  /** Below it nothing is known any more. */
  #lowest = 0;
  #highest = 0;

  /** @returns whether `name` is the first of its place */
  isFirst(round: number, author: number, name: VertexHash): boolean {
    if (author >= MAX_COMMITTEE_SIZE || round < this.#lowest) return false;
    const names = this.#rounds.get(round) ?? this.#open(round);
    if (names === undefined) return false;
    const first = names[author];
    if (first === undefined) names[author] = name;
    return first === undefined || equalBytes(first, name);
  }

  get(round: number, author: number): VertexHash | undefined {
    return this.#rounds.get(round)?.[author];
  }

  /** Rounds far above all others come from liars, and would drive out what is needed. */
  #open(round: number): (VertexHash | undefined)[] | undefined {
    if (round > this.#highest + KEPT_ROUNDS / 2) return undefined;
    this.#highest = Math.max(this.#highest, round);
    const names = Array.from({ length: MAX_COMMITTEE_SIZE }, () => undefined);
    this.#rounds.set(round, names);
    for (; this.#lowest < this.#highest - KEPT_ROUNDS; this.#lowest++) {
      this.#rounds.delete(this.#lowest);
    }
    return names;
  }
}

export class FirstNames {
  readonly #epochs = new Map<number, EpochNames>();
  #newest = 0;

  see(vertex: Vertex, name: VertexHash): FirstSeen {
    const { epoch, round, author, parents } = vertex;
    const core = coreOf(vertex, name);
    const names = this.#of(epoch);
    if (names === undefined) return { isFirst: false, parents: undefined, core };
    const isFirst = names.isFirst(round, author, name);
    const seats = new SeatSet();
    for (const parent of parents) {
      if (!names.isFirst(round - 1, parent.author, parent.name)) {
        return { isFirst, parents: undefined, core };
      }
      seats.add(parent.author);
    }
    return { isFirst, parents: seats, core };
  }

  /** The name seen first of a place, while it is known. */
  get(epoch: number, round: number, author: number): VertexHash | undefined {
    return this.#epochs.get(epoch)?.get(round, author);
  }

  #of(epoch: number): EpochNames | undefined {
    if (epoch <= this.#newest - KEPT_EPOCHS || epoch > this.#newest + 1) return undefined;
    const known = this.#epochs.get(epoch) ?? new EpochNames();
    this.#epochs.set(epoch, known);
    this.#newest = Math.max(this.#newest, epoch);
    this.#epochs.delete(this.#newest - KEPT_EPOCHS);
    return known;
  }
}

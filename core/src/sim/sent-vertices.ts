/**
 * Every vertex that was ever sent, read off the wire by the simulator itself: who made it, when it
 * first left, what it names. What a node says of itself is judged against this.
 */
import { concatBytes, isPydeError, u64BigEndian } from '../bytes/index.ts';
import { isMessageOf, type NamedVertex, type VertexDoor } from '../consensus/index.ts';
import { TABLE } from '../state/index.ts';
import type { Vertex, VertexHash } from '../types/index.ts';
import { ByteMap } from './byte-map.ts';

export interface SentVertex {
  readonly vertex: Vertex;
  readonly name: VertexHash;
  readonly sentUs: number;
  /** Where its author keeps it. */
  readonly key: Uint8Array;
  emitted: boolean;
}

/** Beyond two GC windows: what is older is asked for by nobody. */
const ADDED_ROUNDS = 80;
/** More rounds than an epoch has. */
const EPOCH_ROUNDS = 2 ** 32;

export class SentVertices {
  readonly #door: VertexDoor;
  readonly #byMessage = new WeakMap<Uint8Array, SentVertex>();
  readonly #byName = new ByteMap<SentVertex>();
  /** By epoch and round, those first that were seen first. */
  readonly #byRound = new Map<number, SentVertex[]>();

  readonly #keptRounds: number;

  /** @param door by which members open vertices */
  constructor(door: VertexDoor, gcRounds: number) {
    this.#door = door;
    this.#keptRounds = 2 * gcRounds + ADDED_ROUNDS;
  }

  get(name: Uint8Array): SentVertex | undefined {
    return this.#byName.get(name);
  }

  /** The vertex of a message that carries one; undefined for any other. */
  see(message: Uint8Array, nowUs: number): SentVertex | undefined {
    const seen = this.#byMessage.get(message);
    if (seen !== undefined) return seen;
    const opened = this.#open(message);
    if (opened === undefined) return undefined;
    const { vertex, name } = opened;
    const sent = this.#byName.get(name) ?? this.#add(vertex, name, nowUs);
    this.#byMessage.set(message, sent);
    return sent;
  }

  #add(vertex: Vertex, name: VertexHash, sentUs: number): SentVertex {
    const { epoch, round, author } = vertex;
    const key = concatBytes(
      Uint8Array.of(TABLE.vertices),
      u64BigEndian(BigInt(epoch)),
      u64BigEndian(BigInt(round)),
      Uint8Array.of(author >> 8, author & 255),
      name,
    );
    const sent: SentVertex = { vertex, name, sentUs, key, emitted: false };
    this.#byName.set(name, sent);
    const place = epoch * EPOCH_ROUNDS + round;
    const ofRound = this.#byRound.get(place) ?? [];
    this.#byRound.set(place, ofRound);
    ofRound.push(sent);
    if (this.#byRound.size > this.#keptRounds) this.#forgetOldest();
    return sent;
  }

  #forgetOldest(): void {
    for (const [place, vertices] of this.#byRound) {
      for (const { name } of vertices) this.#byName.delete(name);
      this.#byRound.delete(place);
      return;
    }
  }

  /**
   * What the wave of `anchor` carries by the rule (design/consensus.md, "Waves"): its ancestry
   * strictly above the GC round that no wave before it carried.
   */
  takeWave(anchor: VertexHash, gcRound: number): SentVertex[] {
    const taken: SentVertex[] = [];
    const first = this.#byName.get(anchor);
    const stack = first === undefined ? [] : [first];
    for (let sent = stack.pop(); sent !== undefined; sent = stack.pop()) {
      if (sent.emitted || sent.vertex.round <= gcRound) continue;
      sent.emitted = true;
      taken.push(sent);
      for (const { name } of [...sent.vertex.parents, ...sent.vertex.weakParents]) {
        const parent = this.#byName.get(name);
        if (parent !== undefined && !parent.emitted) stack.push(parent);
      }
    }
    return taken;
  }

  #open(message: Uint8Array): NamedVertex | undefined {
    if (!isMessageOf('vertex', message)) return undefined;
    try {
      return this.#door.openMessage(message);
    } catch (error) {
      if (isPydeError(error)) return undefined;
      throw error;
    }
  }
}

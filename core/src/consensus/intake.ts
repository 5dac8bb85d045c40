/**
 * The door for what other members send: bytes are decoded, judged and buffered here, or refused and
 * counted by their code. Nothing of it is trusted; a refusal never throws past this file.
 */
import { isPydeError } from '../bytes/index.ts';
import type { Instant } from '../platform/index.ts';
import { batchHash, decodeVertex, type MemberIndex, vertexHash } from '../types/index.ts';
import type { BatchStore } from './batch-store.ts';
import type { Dag } from './dag.ts';
import { consensusError } from './error.ts';
import { openMessage } from './message.ts';
import { type BufferedVertex, VertexBuffer } from './vertex-buffer.ts';
import { type VertexRules, verifyVertex } from './vertex-verification.ts';

/** A vertex stamped further ahead of the local clock waits. */
export const MAX_CLOCK_LEAD_MS = 2_000;

export interface IntakeOptions extends VertexRules {
  readonly self: MemberIndex | undefined;
  readonly gcRounds: number;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #dag: Dag;
  readonly #batches: BatchStore;
  readonly #buffer = new VertexBuffer();
  readonly #refused = new Map<string, number>();

  constructor(options: IntakeOptions, dag: Dag, batches: BatchStore) {
    this.#options = options;
    this.#dag = dag;
    this.#batches = batches;
  }

  /** Messages not taken, by error code. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  /** Valid vertices that wait. */
  get waiting(): number {
    return this.#buffer.size;
  }

  /** A message of another member, in its frame. */
  receive(message: Uint8Array, from: MemberIndex): void {
    this.#countRefusal(() => {
      const { kind, bytes } = openMessage(message);
      if (kind === 'vertex') this.#admitVertex(bytes);
      else if (kind === 'batch') this.#batches.putLoose(from, batchHash(bytes), bytes);
      else throw consensusError('consensus.message', `nothing here takes a message ${kind}`);
    });
  }

  /** Hands every vertex that may be accepted now to `accept`, lowest round first. */
  drain(now: Instant, accept: (entry: BufferedVertex) => void): void {
    const latestMs = latestTimestamp(now);
    this.#buffer.drain(
      ({ vertex }) =>
        vertex.timestampMs <= latestMs &&
        this.#dag.holdsAncestorsOf(vertex) &&
        vertex.batches.every(({ hash }) => this.#batches.has(hash)),
      accept,
    );
  }

  /** How long until the clock lets another waiting vertex in; undefined if none waits for it. */
  nextDueMs(now: Instant): number | undefined {
    const latestMs = latestTimestamp(now);
    const dueMs = this.#buffer.nextTimestampAfter(latestMs);
    return dueMs === undefined ? undefined : Number(dueMs - latestMs);
  }

  /** Forgets waiting vertices whose parents can come no more. */
  dropBelow(round: number): void {
    this.#buffer.dropBelow(round);
  }

  #admitVertex(bytes: Uint8Array): void {
    const vertex = decodeVertex(bytes);
    const { round, author } = vertex;
    const name = vertexHash(vertex);
    const ref = { author, name };
    if (this.#dag.find(round, ref) !== undefined || this.#buffer.holds(author, name)) return;
    if (author === this.#options.self) {
      throw consensusError(
        'consensus.own-vertex',
        `a vertex of this member's own round ${round} that its store does not hold`,
      );
    }
    const highest = this.#dag.highestRound + this.#options.gcRounds;
    if (round > highest) {
      throw consensusError('consensus.round-too-high', `round ${round} is above ${highest}`);
    }
    const lowest = this.#dag.lowestRound;
    if (round <= lowest && round > 0) {
      throw consensusError('consensus.round-too-low', `round ${round} is not above ${lowest}`);
    }
    const hasOther =
      this.#dag.of(round, author).length > 0 || this.#buffer.get(round, author) !== undefined;
    if (hasOther && !this.#buffer.needs(round, ref)) {
      throw consensusError(
        'consensus.second-vertex',
        `member ${author} made two vertices of round ${round}`,
      );
    }
    verifyVertex(vertex, name, this.#options);
    const entry = { vertex, name };
    if (this.#buffer.add(entry) === entry) {
      throw consensusError('consensus.buffer-full', `too many vertices of member ${author} wait`);
    }
  }

  #countRefusal(receive: () => void): void {
    try {
      receive();
    } catch (error) {
      if (!isPydeError(error)) throw error;
      this.#refused.set(error.code, (this.#refused.get(error.code) ?? 0) + 1);
    }
  }
}

const latestTimestamp = (now: Instant): bigint =>
  BigInt(Math.floor(now.unixMs) + MAX_CLOCK_LEAD_MS);

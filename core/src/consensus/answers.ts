/**
 * What this member gives to others that ask (docs/protocol/consensus.md, "What is missing"): what it
 * accepted, from the DAG and the store, and valid vertices that wait. Each member may draw only so
 * many bytes in a time; what is above that is not answered, and asked of another.
 */
import { encodeVertex, type MemberIndex } from '../types/index.ts';
import type { BatchStore } from './batch-store.ts';
import type { Dag, DagVertex } from './dag.ts';
import {
  decodeHashes,
  decodeRefs,
  decodeWantRounds,
  encodeRefs,
  encodeRounds,
  MAX_ANSWER_BYTES,
  MAX_VERTICES_PER_ANSWER,
  type VertexRef,
} from './fetch-message.ts';
import type { HeldNames } from './held-names.ts';
import { frameMessage, type MessageKind } from './message.ts';
import type { ConsensusRecords } from './records.ts';
import type { BufferedVertex } from './vertex-buffer.ts';
import type { VertexDoor } from './vertex-door.ts';

/** What one member may draw at once, and how fast that comes back. */
export const MAX_DRAWN_BYTES = 32 * 1024 * 1024;
export const DRAWN_BYTES_PER_MS = 16 * 1024;
/** Looking something up counts as so many bytes, found or not. */
const LOOKUP_BYTES = 512;
/** Batches of one answer, in bytes; the last one may go over. */
export const MAX_BATCH_ANSWER_BYTES = 8 * 1024 * 1024;

export interface AnswerSources {
  readonly door: Pick<VertexDoor, 'frame'>;
  readonly dag: Dag;
  readonly batches: BatchStore;
  readonly records: ConsensusRecords;
  readonly held: HeldNames;
  /** A valid vertex that waits. */
  waiting(ref: VertexRef): BufferedVertex | undefined;
}

interface Allowance {
  bytes: number;
  atMs: number;
}

export class Answers {
  readonly #sources: AnswerSources;
  readonly #allowances = new Map<MemberIndex, Allowance>();

  constructor(sources: AnswerSources) {
    this.#sources = sources;
  }

  /**
   * The messages that answer one.
   * @throws PydeError `borsh.*`, `consensus.message` when it cannot be read
   */
  to(kind: MessageKind, bytes: Uint8Array, from: MemberIndex, nowMs: number): Uint8Array[] {
    const allowance = this.#allowance(from, nowMs);
    if (allowance.bytes <= 0) return [];
    const answers = this.#answer(kind, bytes, allowance);
    for (const answer of answers) allowance.bytes -= answer.length;
    return answers;
  }

  #answer(kind: MessageKind, bytes: Uint8Array, allowance: Allowance): Uint8Array[] {
    switch (kind) {
      case 'want-vertices': {
        const refs = decodeRefs(bytes);
        allowance.bytes -= refs.length * LOOKUP_BYTES;
        const found = take(refs, MAX_ANSWER_BYTES, (ref) => this.#vertex(ref));
        return found.map((vertex) => this.#sources.door.frame(vertex));
      }
      case 'want-batches': {
        const { batches, records } = this.#sources;
        const hashes = decodeHashes(bytes);
        allowance.bytes -= hashes.length * LOOKUP_BYTES;
        const found = take(
          hashes,
          MAX_BATCH_ANSWER_BYTES,
          (hash) => batches.bytesOf(hash) ?? records.batch(hash),
        );
        return found.map((batch) => frameMessage('batch', batch));
      }
      case 'want-accepted': {
        const refs = decodeRefs(bytes);
        allowance.bytes -= refs.length * LOOKUP_BYTES;
        const accepted = refs.filter((ref) => this.#sources.held.wasAccepted(ref));
        return accepted.length === 0 ? [] : [frameMessage('accepted', encodeRefs(accepted))];
      }
      case 'want-rounds':
        return [this.#rounds(bytes)];
      default:
        return [];
    }
  }

  #vertex(ref: VertexRef): Uint8Array | undefined {
    const { dag, records, waiting } = this.#sources;
    if (dag.find(ref.round, ref) !== undefined) return records.vertexBytes(ref.round, ref);
    const vertex = waiting(ref)?.vertex;
    return vertex === undefined ? undefined : encodeVertex(vertex);
  }

  /** Vertices in order of round and author, of an equivocator the first accepted one. */
  #rounds(bytes: Uint8Array): Uint8Array {
    const { dag, records } = this.#sources;
    const { fromRound, fromAuthor, toRound } = decodeWantRounds(bytes);
    const vertices: Uint8Array[] = [];
    let size = 0;
    for (let round = fromRound; round <= Math.min(toRound, dag.highestRound); round++) {
      for (const vertex of firstVertices(dag, round)) {
        if (round === fromRound && vertex.author < fromAuthor) continue;
        if (size >= MAX_ANSWER_BYTES || vertices.length === MAX_VERTICES_PER_ANSWER) {
          return frameMessage('rounds', encodeRounds({ complete: false, vertices }));
        }
        const found = records.vertexBytes(vertex.round, vertex);
        if (found === undefined) continue;
        vertices.push(found);
        size += found.length;
      }
    }
    return frameMessage('rounds', encodeRounds({ complete: true, vertices }));
  }

  #allowance(of: MemberIndex, nowMs: number): Allowance {
    const known = this.#allowances.get(of) ?? { bytes: MAX_DRAWN_BYTES, atMs: nowMs };
    this.#allowances.set(of, known);
    const regained = Math.floor((nowMs - known.atMs) * DRAWN_BYTES_PER_MS);
    known.bytes = Math.min(MAX_DRAWN_BYTES, known.bytes + regained);
    known.atMs = nowMs;
    return known;
  }
}

/** What is found, until there are `maxBytes` of it. */
function take<T>(
  items: readonly T[],
  maxBytes: number,
  find: (item: T) => Uint8Array | undefined,
): Uint8Array[] {
  const found: Uint8Array[] = [];
  let size = 0;
  for (const item of items) {
    if (size >= maxBytes) break;
    const bytes = find(item);
    if (bytes === undefined) continue;
    found.push(bytes);
    size += bytes.length;
  }
  return found;
}

/** Round 0 is nobody's to give. */
function firstVertices(dag: Dag, round: number): DagVertex[] {
  return round === 0 ? [] : (dag.round(round)?.firstVertices() ?? []);
}

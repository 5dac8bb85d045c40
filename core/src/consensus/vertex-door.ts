/**
 * From the bytes of a vertex to what is judged and kept. All of it follows from the bytes alone, so
 * whoever runs many members in one process, as the simulator does, may remember it for all of them:
 * a member on its own sees each vertex once and remembers nothing.
 */
import type { StoreWrite } from '../platform/index.ts';
import { decodeVertex, encodedVertexHash, type Vertex, type VertexHash } from '../types/index.ts';
import type { VertexCore } from './dag-vertex.ts';
import { frameMessage, openMessage } from './message.ts';
import type { SeatSet } from './seat-set.ts';
import { type VertexRules, verifyVertex } from './vertex-verification.ts';

/**
 * How a vertex and its parents lie among those that the door saw first of their author and round.
 * Names that differ are never the first of one place, so that sets of seats stand for names.
 */
export interface FirstSeen {
  /** It is the first of its author and round. */
  readonly isFirst: boolean;
  /** Authors of the parents, if each of them is the first of its place. */
  readonly parents: SeatSet | undefined;
  /** What members keep of it, one object for all. */
  readonly core: VertexCore;
}

export interface NamedVertex {
  readonly vertex: Vertex;
  readonly name: VertexHash;
  /** Absent from a door that remembers nothing. */
  readonly seen?: FirstSeen;
}

export interface VertexRecords {
  putVertex(vertex: Vertex, name: VertexHash): StoreWrite;
}

export interface VertexDoor {
  /** Decoded and named, not judged. @throws PydeError `borsh.*`, `types.*`, `vertex.*` */
  open(bytes: Uint8Array): NamedVertex;
  /**
   * The vertex of a message in its frame.
   * @throws PydeError as {@link VertexDoor.open}, and `consensus.message`
   */
  openMessage(message: Uint8Array): NamedVertex;
  /** An own vertex, which comes through no door. */
  own(vertex: Vertex, name: VertexHash): NamedVertex;
  /** Judges what was opened. @throws PydeError as {@link verifyVertex} */
  judge(named: NamedVertex, rules: VertexRules): void;
  /** The message that carries a vertex, from its bytes. */
  frame(bytes: Uint8Array): Uint8Array;
  /** The record that keeps the vertex, as `records` makes it. */
  record(named: NamedVertex, records: VertexRecords): StoreWrite;
}

export const VERTEX_DOOR: VertexDoor = {
  open: (bytes) => {
    const vertex = decodeVertex(bytes);
    return { vertex, name: encodedVertexHash(bytes) };
  },
  openMessage: (message) => VERTEX_DOOR.open(openMessage(message).bytes),
  own: (vertex, name) => ({ vertex, name }),
  judge: ({ vertex, name }, rules) => verifyVertex(vertex, name, rules),
  frame: (bytes) => frameMessage('vertex', bytes),
  record: ({ vertex, name }, records) => records.putVertex(vertex, name),
};

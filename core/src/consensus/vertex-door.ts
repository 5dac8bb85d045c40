/**
 * From the bytes of a vertex to what is judged and kept. All of it follows from the bytes alone, so
 * whoever runs many members in one process, as the simulator does, may remember it for all of them:
 * a member on its own sees each vertex once and remembers nothing.
 */
import type { StoreWrite } from '../platform/index.ts';
import { decodeVertex, type Vertex, type VertexHash, vertexHash } from '../types/index.ts';

export interface NamedVertex {
  readonly vertex: Vertex;
  readonly name: VertexHash;
}

export interface VertexDoor {
  /** Decoded and named, not judged. @throws PydeError `borsh.*`, `types.*`, `vertex.*` */
  open(bytes: Uint8Array): NamedVertex;
  /** The record that keeps the vertex, as `make` makes it. */
  record(vertex: Vertex, make: () => StoreWrite): StoreWrite;
}

export const VERTEX_DOOR: VertexDoor = {
  open: (bytes) => {
    const vertex = decodeVertex(bytes);
    return { vertex, name: vertexHash(vertex) };
  },
  record: (_, make) => make(),
};

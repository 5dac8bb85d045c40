/**
 * The door for vertices, remembered for all members of a simulation: every one of them gets the very
 * same bytes, and what they mean depends on nothing else. Named by where the bytes lie, so that only
 * what was sent as one message is taken for one.
 */
import { type NamedVertex, VERTEX_DOOR, type VertexDoor } from '../consensus/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import type { Vertex, VertexHash } from '../types/index.ts';
import { ByteMap } from './byte-map.ts';

interface KnownBytes extends NamedVertex {
  readonly offset: number;
  readonly length: number;
}

const MAX_NAMES = 262_144;

/** Bytes that are sent are never changed. */
export function sharedDoor(): VertexDoor {
  const known = new WeakMap<ArrayBufferLike, KnownBytes>();
  const records = new WeakMap<Vertex, StoreWrite>();
  const names = new ByteMap<VertexHash>();
  return {
    open: (bytes) => {
      const { buffer, byteOffset: offset, length } = bytes;
      const seen = known.get(buffer);
      if (seen?.offset === offset && seen.length === length) return seen;
      const { vertex, name } = withOneNameEach(VERTEX_DOOR.open(bytes), names);
      const opened = { vertex, name, offset, length };
      known.set(buffer, opened);
      return opened;
    },
    record: (vertex, make) => {
      const seen = records.get(vertex);
      if (seen !== undefined) return seen;
      const record = make();
      records.set(vertex, record);
      return record;
    },
  };
}

/** Equal names become one object, so that comparing them takes no look at their bytes. */
function withOneNameEach({ vertex, name }: NamedVertex, names: ByteMap<VertexHash>): NamedVertex {
  if (names.size > MAX_NAMES) names.clear();
  const one = (of: VertexHash): VertexHash => {
    const known = names.get(of);
    if (known === undefined) names.set(of, of);
    return known ?? of;
  };
  const parents = vertex.parents.map((parent) => ({ ...parent, name: one(parent.name) }));
  const weakParents = vertex.weakParents.map((weak) => ({ ...weak, name: one(weak.name) }));
  return { vertex: { ...vertex, parents, weakParents }, name: one(name) };
}

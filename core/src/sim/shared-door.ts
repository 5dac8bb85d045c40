/**
 * The door for vertices, remembered for all members of a simulation: every one of them gets the very
 * same bytes, and what they mean depends on nothing else. Named by where the bytes lie, so that only
 * what was sent as one message is taken for one.
 */
import {
  type FirstSeen,
  type NamedVertex,
  VERTEX_DOOR,
  type VertexDoor,
} from '../consensus/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import type { Vertex, VertexHash } from '../types/index.ts';
import { ByteMap } from './byte-map.ts';
import { FirstNames } from './first-names.ts';

/** Bytes that are sent are never changed. */
export function sharedDoor(): VertexDoor {
  const known = new WeakMap<ArrayBufferLike, OpenedVertex>();
  const firsts = new FirstNames();
  const names = new ByteMap<VertexHash>();
  return {
    open: (bytes) => {
      const { buffer, byteOffset: offset, length } = bytes;
      const before = known.get(buffer);
      if (before?.offset === offset && before.length === length) return before;
      const { vertex, name } = withOneNameEach(VERTEX_DOOR.open(bytes), names);
      const opened = new OpenedVertex(vertex, name, firsts.see(vertex, name), offset, length);
      known.set(buffer, opened);
      return opened;
    },
    own: (vertex, name) => {
      const own = withOneNameEach({ vertex, name }, names);
      return new OpenedVertex(own.vertex, own.name, firsts.see(own.vertex, own.name), 0, 0);
    },
    record: (named, make) => {
      if (!(named instanceof OpenedVertex)) return make();
      named.record ??= make();
      return named.record;
    },
  };
}

class OpenedVertex implements NamedVertex {
  readonly vertex: Vertex;
  readonly name: VertexHash;
  readonly seen: FirstSeen;
  readonly offset: number;
  readonly length: number;
  record: StoreWrite | undefined = undefined;

  constructor(vertex: Vertex, name: VertexHash, seen: FirstSeen, offset: number, length: number) {
    this.vertex = vertex;
    this.name = name;
    this.seen = seen;
    this.offset = offset;
    this.length = length;
  }
}

const MAX_NAMES = 262_144;

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

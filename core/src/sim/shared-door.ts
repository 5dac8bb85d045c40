/**
 * The door for vertices, remembered for all members of a simulation: every one of them gets the very
 * same bytes, and what they mean depends on nothing else. Named by where the bytes lie, so that only
 * what was sent as one message is taken for one.
 */
import { type NamedVertex, VERTEX_DOOR, type VertexDoor } from '../consensus/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import type { Vertex } from '../types/index.ts';

interface KnownBytes extends NamedVertex {
  readonly offset: number;
  readonly length: number;
}

/** Bytes that are sent are never changed. */
export function sharedDoor(): VertexDoor {
  const known = new WeakMap<ArrayBufferLike, KnownBytes>();
  const records = new WeakMap<Vertex, StoreWrite>();
  return {
    open: (bytes) => {
      const { buffer, byteOffset: offset, length } = bytes;
      const seen = known.get(buffer);
      if (seen?.offset === offset && seen.length === length) return seen;
      const opened = { ...VERTEX_DOOR.open(bytes), offset, length };
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

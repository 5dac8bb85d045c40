/**
 * The door for vertices, remembered for all members of a simulation: every one of them gets the very
 * same bytes, and what they mean depends on nothing else. Named by where the bytes lie, so that only
 * what was sent as one message is taken for one.
 */
import { equalBytes } from '../bytes/index.ts';
import {
  type FirstSeen,
  type NamedVertex,
  openMessage,
  TAG_BYTES,
  VERTEX_DOOR,
  type VertexDoor,
  verifyVertex,
} from '../consensus/index.ts';
import type { Committee } from '../finality/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import type { Vertex, VertexHash } from '../types/index.ts';
import { ByteMap } from './byte-map.ts';
import { FirstNames } from './first-names.ts';

/** Bytes that are sent are never changed. */
export function sharedDoor(): VertexDoor {
  const known = new WeakMap<ArrayBufferLike, OpenedVertex>();
  const firsts = new FirstNames();
  const names = new ByteMap<VertexHash>();
  const rings = new Rings();
  const frames = new WeakMap<ArrayBufferLike, Frame>();
  const open = (bytes: Uint8Array): NamedVertex => {
    const { buffer, byteOffset: offset, length } = bytes;
    const before = known.get(buffer);
    if (before?.offset === offset && before.length === length) return before;
    const { vertex, name } = withOneNameEach(VERTEX_DOOR.open(bytes), names, firsts);
    const opened = new OpenedVertex(vertex, name, firsts.see(vertex, name), offset, length);
    known.set(buffer, opened);
    return opened;
  };
  return {
    open,
    openMessage: (message) => {
      const { buffer, byteOffset, length } = message;
      const before = known.get(buffer);
      if (before?.offset === byteOffset + TAG_BYTES && before.length === length - TAG_BYTES) {
        return before;
      }
      return open(openMessage(message).bytes);
    },
    own: (vertex, name) => {
      const own = withOneNameEach({ vertex, name }, names, firsts);
      return new OpenedVertex(own.vertex, own.name, firsts.see(own.vertex, own.name), 0, 0);
    },
    judge: (named, rules) => {
      const ring = rings.of(rules);
      if (named instanceof OpenedVertex && named.validIn === ring) return;
      verifyVertex(named.vertex, named.name, rules);
      if (named instanceof OpenedVertex) named.validIn = ring;
    },
    frame: (bytes) => {
      const before = frames.get(bytes.buffer);
      if (before?.offset === bytes.byteOffset && before.length === bytes.length) {
        return before.message;
      }
      const message = VERTEX_DOOR.frame(bytes);
      frames.set(bytes.buffer, { offset: bytes.byteOffset, length: bytes.length, message });
      return message;
    },
    record: (named, records) => {
      if (!(named instanceof OpenedVertex)) return VERTEX_DOOR.record(named, records);
      named.record ??= VERTEX_DOOR.record(named, records);
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
  validIn: Ring | undefined = undefined;

  constructor(vertex: Vertex, name: VertexHash, seen: FirstSeen, offset: number, length: number) {
    this.vertex = vertex;
    this.name = name;
    this.seen = seen;
    this.offset = offset;
    this.length = length;
  }
}

interface Frame {
  readonly offset: number;
  readonly length: number;
  readonly message: Uint8Array;
}

/** What a vertex is judged by, apart from itself. */
interface Ring {
  readonly chainId: bigint;
  readonly committee: Committee;
}

const MAX_RINGS = 16;

/** Members read their committees from their own stores: equal ones become one object. */
class Rings {
  readonly #known: Ring[] = [];
  readonly #byCommittee = new WeakMap<Committee, Ring>();

  of({ chainId, committee }: Ring): Ring {
    const known = this.#byCommittee.get(committee);
    if (known?.chainId === chainId) return known;
    const equal = this.#known.find((ring) => ring.chainId === chainId && isSame(ring, committee));
    const ring = equal ?? { chainId, committee };
    if (equal === undefined) this.#known.push(ring);
    if (this.#known.length > MAX_RINGS) this.#known.shift();
    this.#byCommittee.set(committee, ring);
    return ring;
  }
}

const isSame = ({ committee: { epoch, members } }: Ring, other: Committee): boolean =>
  epoch === other.epoch &&
  members.length === other.members.length &&
  members.every(({ publicKey }, i) => {
    const key = other.members[i]?.publicKey;
    return key !== undefined && equalBytes(publicKey, key);
  });

const MAX_NAMES = 262_144;

/** Equal names become one object, so that comparing them takes no look at their bytes. */
function withOneNameEach(
  { vertex, name }: NamedVertex,
  names: ByteMap<VertexHash>,
  firsts: FirstNames,
): NamedVertex {
  if (names.size > MAX_NAMES) names.clear();
  const one = (of: VertexHash): VertexHash => {
    const known = names.get(of);
    if (known === undefined) names.set(of, of);
    return known ?? of;
  };
  const below = vertex.round - 1;
  const parents = vertex.parents.map(({ author, name }) => {
    const first = firsts.get(vertex.epoch, below, author);
    const isFirst = first !== undefined && equalBytes(first, name);
    return { author, name: isFirst ? first : one(name) };
  });
  const weakParents = vertex.weakParents.map(({ round, author, name }) => ({
    ...{ round, author },
    name: one(name),
  }));
  return { vertex: { ...vertex, parents, weakParents }, name: one(name) };
}

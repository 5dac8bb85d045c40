/**
 * The messages with which members ask each other for what they miss (docs/protocol/consensus.md,
 * "Messages"). Vertices and batches that are asked for by name come as plain `vertex` and `batch`.
 *
 * want-vertices, want-accepted, accepted: vec of { round u64, author u16, name [32] }.
 * want-batches: vec of names. want-rounds: { from_round u64, from_author u16, to_round u64 }.
 * rounds: { complete bool, vec of vertices, each as bytes }, in order of round and author.
 */
import { type BorshReader, decodeExactly, encode } from '../bytes/index.ts';
import {
  type BatchHash,
  exactNumber,
  HASH_BYTES,
  MAX_VERTEX_BYTES,
  toBatchHash,
  toMemberIndex,
  toRound,
  toVertexHash,
  type WeakParentRef,
} from '../types/index.ts';
import { consensusError } from './error.ts';

/** A vertex by its place and name. */
export type VertexRef = WeakParentRef;

/** Names in one message: more than the parents of a vertex. */
export const MAX_NAMES_PER_MESSAGE = 256;
/** Rounds that one request may span. */
export const MAX_ROUNDS_PER_REQUEST = 64;
/** Vertices in one answer, and their bytes; the last one may go over. */
export const MAX_VERTICES_PER_ANSWER = 1_024;
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** Vertices from (`fromRound`, `fromAuthor`) on, up to and with `toRound`. */
export interface WantRounds {
  readonly fromRound: number;
  readonly fromAuthor: number;
  readonly toRound: number;
}

export interface Rounds {
  /** There is no more of what was asked. */
  readonly complete: boolean;
  /** Encoded vertices. */
  readonly vertices: readonly Uint8Array[];
}

const REF_BYTES = 8 + 2 + HASH_BYTES;

export const encodeRefs = (refs: readonly VertexRef[]): Uint8Array =>
  encode((w) =>
    w.vec(refs, (v, { round, author, name }) => v.u64(BigInt(round)).u16(author).fixed(name)),
  );

/** @throws PydeError `borsh.*` */
export const decodeRefs = (bytes: Uint8Array): VertexRef[] =>
  decodeExactly(bytes, (r) =>
    r.vec(MAX_NAMES_PER_MESSAGE, REF_BYTES, (v) => ({
      round: toRound(exactNumber(v.u64(), 'round')),
      author: toMemberIndex(v.u16()),
      name: toVertexHash(v.fixed(HASH_BYTES)),
    })),
  );

export const encodeHashes = (hashes: readonly BatchHash[]): Uint8Array =>
  encode((w) => w.vec(hashes, (v, hash) => v.fixed(hash)));

/** @throws PydeError `borsh.*` */
export const decodeHashes = (bytes: Uint8Array): BatchHash[] =>
  decodeExactly(bytes, (r) =>
    r.vec(MAX_NAMES_PER_MESSAGE, HASH_BYTES, (v) => toBatchHash(v.fixed(HASH_BYTES))),
  );

export const encodeWantRounds = ({ fromRound, fromAuthor, toRound: to }: WantRounds): Uint8Array =>
  encode((w) => w.u64(BigInt(fromRound)).u16(fromAuthor).u64(BigInt(to)));

/** @throws PydeError `borsh.*`, `consensus.message` for too many rounds */
export function decodeWantRounds(bytes: Uint8Array): WantRounds {
  const want = decodeExactly(bytes, (r) => ({
    fromRound: exactNumber(r.u64(), 'round'),
    fromAuthor: r.u16(),
    toRound: exactNumber(r.u64(), 'round'),
  }));
  const count = want.toRound - want.fromRound + 1;
  if (count < 1 || count > MAX_ROUNDS_PER_REQUEST) {
    throw consensusError(
      'consensus.message',
      `a request spans 1 to ${MAX_ROUNDS_PER_REQUEST} rounds, not ${count}`,
    );
  }
  return want;
}

export const encodeRounds = ({ complete, vertices }: Rounds): Uint8Array =>
  encode((w) => w.bool(complete).vec(vertices, (v, bytes) => v.bytes(bytes)));

/** @throws PydeError `borsh.*`; the vertices are not looked at */
export const decodeRounds = (bytes: Uint8Array): Rounds =>
  decodeExactly(bytes, (r) => ({
    complete: r.bool(),
    vertices: r.vec(MAX_VERTICES_PER_ANSWER, 4, readVertexBytes),
  }));

const readVertexBytes = (reader: BorshReader): Uint8Array => reader.bytes(MAX_VERTEX_BYTES);

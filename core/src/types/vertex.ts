/**
 * A vertex of the DAG (design/consensus.md, "Vertex"): one a member and round, ≤ 64 KiB, named by
 * Blake3 of its bytes without the signature, so that a name exists before the signature does.
 *
 * The seven lists of the key ceremony have their places in the layout; until sealed transactions
 * exist each of them must be empty.
 */
import {
  type BorshReader,
  type BorshWriter,
  decodeExactly,
  encode,
  PydeError,
} from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Attestation, readAttestation, writeAttestation } from './attestation.ts';
import {
  type BatchHash,
  type Epoch,
  exactNumber,
  FALCON_SIGNATURE_BYTES,
  type FalconSignature,
  HASH_BYTES,
  type Hash,
  type MemberIndex,
  type Round,
  toBatchHash,
  toEpoch,
  toFalconSignature,
  toMemberIndex,
  toRound,
  toVertexHash,
  type VertexHash,
} from './brand.ts';

export const MAX_VERTEX_BYTES = 64 * 1024;
export const MAX_COMMITTEE_SIZE = 128;
export const MAX_WEAK_PARENTS = 8;
export const MAX_VERTEX_BATCHES = 256;
export const MAX_VERTEX_ATTESTATIONS = 8;

/** A parent of the round before. */
export interface ParentRef {
  readonly author: MemberIndex;
  readonly name: VertexHash;
}

/** An older tip that nobody refers to yet. */
export interface WeakParentRef extends ParentRef {
  readonly round: Round;
}

export interface BatchRef {
  readonly hash: BatchHash;
  /** Size of the batch's encoding. */
  readonly bytes: number;
  /** How many transactions it holds. */
  readonly count: number;
}

export interface UnsignedVertex {
  readonly chainId: bigint;
  readonly epoch: Epoch;
  readonly round: Round;
  readonly author: MemberIndex;
  readonly timestampMs: bigint;
  /** Ordered by author, one an author. */
  readonly parents: readonly ParentRef[];
  readonly weakParents: readonly WeakParentRef[];
  readonly batches: readonly BatchRef[];
  readonly attestations: readonly Attestation[];
}

export interface Vertex extends UnsignedVertex {
  readonly signature: FalconSignature;
}

/** transportKeys, deals, dealAcks, complaints, answers, audits, reveals: in this order. */
const CEREMONY_LISTS = 7;

function writeUnsigned(writer: BorshWriter, vertex: UnsignedVertex): void {
  writer
    .u64(vertex.chainId)
    .u64(BigInt(vertex.epoch))
    .u64(BigInt(vertex.round))
    .u16(vertex.author)
    .u64(vertex.timestampMs)
    .vec(vertex.parents, (w, parent) => w.u16(parent.author).fixed(parent.name))
    .vec(vertex.weakParents, (w, parent) =>
      w.u64(BigInt(parent.round)).u16(parent.author).fixed(parent.name),
    )
    .vec(vertex.batches, (w, batch) => w.fixed(batch.hash).u32(batch.bytes).u32(batch.count))
    .vec(vertex.attestations, writeAttestation);
  for (let list = 0; list < CEREMONY_LISTS; list++) writer.u32(0);
}

function readUnsigned(reader: BorshReader): UnsignedVertex {
  const vertex: UnsignedVertex = {
    chainId: reader.u64(),
    epoch: toEpoch(exactNumber(reader.u64(), 'epoch')),
    round: toRound(exactNumber(reader.u64(), 'round')),
    author: toMemberIndex(reader.u16()),
    timestampMs: reader.u64(),
    parents: reader.vec(MAX_COMMITTEE_SIZE, 34, (r) => ({
      author: toMemberIndex(r.u16()),
      name: toVertexHash(r.fixed(HASH_BYTES)),
    })),
    weakParents: reader.vec(MAX_WEAK_PARENTS, 42, (r) => ({
      round: toRound(exactNumber(r.u64(), 'round')),
      author: toMemberIndex(r.u16()),
      name: toVertexHash(r.fixed(HASH_BYTES)),
    })),
    batches: reader.vec(MAX_VERTEX_BATCHES, 40, (r) => ({
      hash: toBatchHash(r.fixed(HASH_BYTES)),
      bytes: r.u32(),
      count: r.u32(),
    })),
    attestations: reader.vec(MAX_VERTEX_ATTESTATIONS, 40 + FALCON_SIGNATURE_BYTES, readAttestation),
  };
  for (let list = 0; list < CEREMONY_LISTS; list++) {
    if (reader.u32() !== 0) {
      throw new PydeError(
        'vertex.ceremony',
        'this version carries no key-ceremony entries in vertices; upgrade to one that does',
        { list },
      );
    }
  }
  return vertex;
}

export function encodeVertex(vertex: Vertex): Uint8Array {
  return encode((w) => {
    writeUnsigned(w, vertex);
    w.fixed(vertex.signature);
  });
}

/** Size and shape only; whether it is valid is `consensus`'s question. @throws PydeError */
export function decodeVertex(bytes: Uint8Array): Vertex {
  if (bytes.length > MAX_VERTEX_BYTES) {
    throw new PydeError('vertex.size', `a vertex is at most ${MAX_VERTEX_BYTES} bytes`, {
      bytes: bytes.length,
    });
  }
  return decodeExactly(bytes, (r) => ({
    ...readUnsigned(r),
    signature: toFalconSignature(r.fixed(FALCON_SIGNATURE_BYTES)),
  }));
}

const VERTEX_DOMAIN = new TextEncoder().encode('pyde/vertex/1');

/** `Blake3("pyde/vertex/1" ‖ bytes without the signature)`; also what the signature signs. */
export function vertexHash(vertex: UnsignedVertex): VertexHash {
  return hashOfUnsigned(encode((w) => writeUnsigned(w, vertex)));
}

/** As {@link vertexHash}, of bytes that `decodeVertex` takes: a vertex has one encoding. */
export function encodedVertexHash(bytes: Uint8Array): VertexHash {
  return hashOfUnsigned(bytes.subarray(0, bytes.length - FALCON_SIGNATURE_BYTES));
}

function hashOfUnsigned(bytes: Uint8Array): VertexHash {
  return toVertexHash(blake3(VERTEX_DOMAIN, bytes));
}

/**
 * The name of a member's round-0 vertex: `Blake3("pyde/vertex/0" ‖ starting digest ‖ epoch ‖
 * author)`, integers u64 LE. It is never emitted; round 1 refers to it.
 */
export function genesisVertexHash(start: Hash, epoch: Epoch, author: MemberIndex): VertexHash {
  const domain = new TextEncoder().encode('pyde/vertex/0');
  const place = encode((w) => w.u64(BigInt(epoch)).u64(BigInt(author)));
  return toVertexHash(blake3(domain, start, place));
}

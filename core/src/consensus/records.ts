/**
 * What consensus keeps in the store (docs/protocol/consensus.md, "Records"): accepted vertices,
 * their batches, the last own vertex, certificates.
 *
 * vertices: round u64 BE ‖ author u16 BE ‖ name → vertex. batches: name → batch. certs: wave id u64
 * BE → certificate. consensus: "own" → { round u64, name [32] }.
 */
import { concatBytes, decodeExactly, encode, u64BigEndian } from '../bytes/index.ts';
import { encodeCert } from '../finality/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import {
  type BatchHash,
  decodeVertex,
  encodeVertex,
  exactNumber,
  HASH_BYTES,
  type HardFinalityCert,
  type ParentRef,
  type Round,
  toRound,
  toVertexHash,
  type Vertex,
  type VertexHash,
  type WaveId,
} from '../types/index.ts';

/** The last vertex that this member made. */
export interface OwnVertexRecord {
  readonly round: Round;
  readonly name: VertexHash;
}

const OWN_KEY = new TextEncoder().encode('own');

export class ConsensusRecords {
  readonly #vertices: Table;
  readonly #batches: Table;
  readonly #certs: Table;
  readonly #consensus: Table;

  constructor(store: KeyValueStore) {
    this.#vertices = new Table(store, TABLE.vertices);
    this.#batches = new Table(store, TABLE.batches);
    this.#certs = new Table(store, TABLE.certs);
    this.#consensus = new Table(store, TABLE.consensus);
  }

  putVertex(vertex: Vertex, name: VertexHash): StoreWrite {
    return this.#vertices.put(vertexKey(vertex.round, { ...vertex, name }), encodeVertex(vertex));
  }

  deleteVertex(round: Round, ref: ParentRef): StoreWrite {
    return this.#vertices.delete(vertexKey(round, ref));
  }

  /** All stored vertices, lowest round first. @throws PydeError when a record is damaged */
  async vertices(): Promise<{ readonly vertex: Vertex; readonly name: VertexHash }[]> {
    const found: { vertex: Vertex; name: VertexHash }[] = [];
    for await (const [key, bytes] of this.#vertices.range()) {
      found.push({ vertex: decodeVertex(bytes), name: toVertexHash(key.slice(-HASH_BYTES)) });
    }
    return found;
  }

  putBatch(hash: BatchHash, bytes: Uint8Array): StoreWrite {
    return this.#batches.put(hash, bytes);
  }

  deleteBatch(hash: BatchHash): StoreWrite {
    return this.#batches.delete(hash);
  }

  batch(hash: BatchHash): Uint8Array | undefined {
    return this.#batches.get(hash);
  }

  putCert(cert: HardFinalityCert): StoreWrite {
    return this.#certs.put(u64BigEndian(cert.record.waveId), encodeCert(cert));
  }

  hasCert(waveId: WaveId): boolean {
    return this.#certs.get(u64BigEndian(waveId)) !== undefined;
  }

  putOwn({ round, name }: OwnVertexRecord): StoreWrite {
    const value = encode((w) => w.u64(BigInt(round)).fixed(name));
    return this.#consensus.put(OWN_KEY, value);
  }

  own(): OwnVertexRecord | undefined {
    const bytes = this.#consensus.get(OWN_KEY);
    if (bytes === undefined) return undefined;
    return decodeExactly(bytes, (r) => ({
      round: toRound(exactNumber(r.u64(), 'round')),
      name: toVertexHash(r.fixed(HASH_BYTES)),
    }));
  }
}

function vertexKey(round: Round, { author, name }: ParentRef): Uint8Array {
  return concatBytes(u64BigEndian(BigInt(round)), Uint8Array.of(author >> 8, author & 0xff), name);
}

/**
 * What consensus keeps in the store (docs/protocol/consensus.md, "Records"): accepted vertices,
 * their batches, the last own vertex, certificates.
 *
 * vertices: epoch u64 BE ‖ round u64 BE ‖ author u16 BE ‖ name → vertex. batches: epoch u64 BE ‖ name
 * → batch. certs: wave id u64 BE → certificate. consensus: "own" ‖ epoch u64 BE → { round u64,
 * name [32] }.
 */
import {
  concatBytes,
  decodeExactly,
  encode,
  readU64BigEndian,
  u64BigEndian,
} from '../bytes/index.ts';
import { encodeCert } from '../finality/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import {
  type BatchHash,
  decodeVertex,
  type Epoch,
  encodeVertex,
  exactNumber,
  HASH_BYTES,
  type HardFinalityCert,
  type ParentRef,
  type Round,
  readHardFinalityCert,
  toRound,
  toVertexHash,
  type Vertex,
  type VertexHash,
  type WaveId,
} from '../types/index.ts';
import { EdgeRecords } from './edge-records.ts';
import { EvidenceRecords } from './equivocation.ts';

/** The last vertex that this member made. */
export interface OwnVertexRecord {
  readonly round: Round;
  readonly name: VertexHash;
}

const MAX_DELETIONS_PER_WRITE = 1_024;
const VERTEX_KEY_BYTES = 8 + 8 + 2 + HASH_BYTES;

/** Of the consensus table; an epoch follows. */
export const OWN_KEY = new TextEncoder().encode('own');
const JOINED_KEY = new TextEncoder().encode('joined');

/** The records of one epoch; certificates are those of all. */
export class ConsensusRecords {
  readonly #epoch: Uint8Array;
  readonly #ownKey: Uint8Array;
  readonly #joinedKey: Uint8Array;
  readonly #vertices: Table;
  readonly #batches: Table;
  readonly #certs: Table;
  readonly #consensus: Table;
  /** Of vertices that are gone. */
  readonly edge: EdgeRecords;
  /** Of all epochs. */
  readonly evidence: EvidenceRecords;

  constructor(store: KeyValueStore, epoch: Epoch) {
    this.#epoch = u64BigEndian(BigInt(epoch));
    this.#ownKey = concatBytes(OWN_KEY, this.#epoch);
    this.#joinedKey = concatBytes(JOINED_KEY, this.#epoch);
    this.#vertices = new Table(store, TABLE.vertices);
    this.#batches = new Table(store, TABLE.batches);
    this.#certs = new Table(store, TABLE.certs);
    this.#consensus = new Table(store, TABLE.consensus);
    this.edge = new EdgeRecords(store, epoch);
    this.evidence = new EvidenceRecords(store);
  }

  putVertex(vertex: Vertex, name: VertexHash): StoreWrite {
    const key = this.#vertexKey(vertex.round, { author: vertex.author, name });
    return this.#vertices.putLater(key, () => encodeVertex(vertex));
  }

  deleteVertex(round: Round, ref: ParentRef): StoreWrite {
    return this.#vertices.delete(this.#vertexKey(round, ref));
  }

  /** All stored vertices, lowest round first. @throws PydeError when a record is damaged */
  async vertices(): Promise<{ readonly vertex: Vertex; readonly name: VertexHash }[]> {
    const found: { vertex: Vertex; name: VertexHash }[] = [];
    for await (const [key, bytes] of this.#vertices.range({ prefix: this.#epoch })) {
      found.push({ vertex: decodeVertex(bytes), name: toVertexHash(key.slice(-HASH_BYTES)) });
    }
    return found;
  }

  putBatch(hash: BatchHash, bytes: Uint8Array): StoreWrite {
    return this.#batches.putLater(this.#batchKey(hash), () => bytes);
  }

  deleteBatch(hash: BatchHash): StoreWrite {
    return this.#batches.delete(this.#batchKey(hash));
  }

  batch(hash: BatchHash): Uint8Array | undefined {
    return this.#batches.get(this.#batchKey(hash));
  }

  putCert(cert: HardFinalityCert): StoreWrite {
    return this.#certs.putLater(u64BigEndian(cert.record.waveId), () => encodeCert(cert));
  }

  /** @throws PydeError when the record is damaged */
  cert(waveId: WaveId): HardFinalityCert | undefined {
    const bytes = this.#certs.get(u64BigEndian(waveId));
    return bytes === undefined ? undefined : decodeExactly(bytes, readHardFinalityCert);
  }

  hasCert(waveId: WaveId): boolean {
    return this.#certs.get(u64BigEndian(waveId)) !== undefined;
  }

  putOwn({ round, name }: OwnVertexRecord): StoreWrite {
    const value = encode((w) => w.u64(BigInt(round)).fixed(name));
    return this.#consensus.put(this.#ownKey, value);
  }

  own(): OwnVertexRecord | undefined {
    const bytes = this.#consensus.get(this.#ownKey);
    if (bytes === undefined) return undefined;
    return decodeExactly(bytes, (r) => ({
      round: toRound(exactNumber(r.u64(), 'round')),
      name: toVertexHash(r.fixed(HASH_BYTES)),
    }));
  }

  /** Own vertices up to `round` may be missing since the DAG was joined again. */
  putJoinedRound(round: Round): StoreWrite {
    return this.#consensus.put(this.#joinedKey, u64BigEndian(BigInt(round)));
  }

  /** Undefined when the DAG was never joined again: every own vertex must be there. */
  joinedRound(): Round | undefined {
    const bytes = this.#consensus.get(this.#joinedKey);
    if (bytes === undefined) return undefined;
    return toRound(exactNumber(readU64BigEndian(bytes), 'round'));
  }

  /** An accepted vertex, as it was sent. */
  vertexBytes(round: Round, ref: ParentRef): Uint8Array | undefined {
    return this.#vertices.get(this.#vertexKey(round, ref));
  }

  deleteOwn(): StoreWrite {
    return this.#consensus.delete(this.#ownKey);
  }

  /** Made for every vertex that comes and goes: filled in place. */
  #vertexKey(round: Round, { author, name }: ParentRef): Uint8Array {
    const key = new Uint8Array(VERTEX_KEY_BYTES);
    key.set(this.#epoch);
    for (let at = 15, rest: number = round; at >= 8; at--, rest = Math.floor(rest / 256)) {
      key[at] = rest % 256;
    }
    key[16] = author >> 8;
    key[17] = author & 0xff;
    key.set(name, 18);
    return key;
  }

  #batchKey(hash: BatchHash): Uint8Array {
    return concatBytes(this.#epoch, hash);
  }
}

/**
 * Deletes what is kept of epochs before `epoch`, at most so many records in one atomic write: a
 * crash may have come between an epoch and the end of its records.
 */
export async function dropRecordsBefore(store: KeyValueStore, epoch: Epoch): Promise<void> {
  const until = u64BigEndian(BigInt(epoch));
  const ranges = [
    { table: new Table(store, TABLE.vertices), range: { until } },
    { table: new Table(store, TABLE.batches), range: { until } },
    { table: new Table(store, TABLE.accepted), range: { until } },
    { table: new Table(store, TABLE.vouched), range: { until } },
    {
      table: new Table(store, TABLE.consensus),
      range: { prefix: OWN_KEY, until: concatBytes(OWN_KEY, until) },
    },
  ];
  for (const { table, range } of ranges) {
    let writes: StoreWrite[] = [];
    for await (const [key] of table.range(range)) {
      writes.push(table.delete(key));
      if (writes.length < MAX_DELETIONS_PER_WRITE) continue;
      await store.batch(writes, { sync: false });
      writes = [];
    }
    if (writes.length > 0) await store.batch(writes, { sync: false });
  }
}

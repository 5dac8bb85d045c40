/**
 * Evidence of members that contradict themselves (design/consensus.md, "Vertex", "Finality"): two
 * vertices of one author and round, or two vertices of one author that attest different digests of
 * one wave. Either is a pair of signed vertices; what an attestation signs does not name its wave,
 * so the vertex around it is part of the proof. Kept in the store and bounded by author: more of it
 * proves nothing new.
 *
 * evidence: epoch u64 BE ‖ author u16 BE ‖ kind u8 (0 vertex, 1 attestation) ‖ round or wave u64 BE
 * → { first bytes, second bytes }, both encoded vertices.
 */
import {
  concatBytes,
  decodeExactly,
  encode,
  equalBytes,
  readU64BigEndian,
  u64BigEndian,
} from '../bytes/index.ts';
import type { Committee } from '../finality/index.ts';
import type { KeyValueStore, StoreWrite, VerifySignatures } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import {
  type Attestation,
  type Epoch,
  encodeVertex,
  exactNumber,
  MAX_VERTEX_BYTES,
  type MemberIndex,
  type ParentRef,
  type Round,
  toEpoch,
  toMemberIndex,
  type Vertex,
  type WaveId,
} from '../types/index.ts';
import { ATTESTED_WAVES } from './attestation-pool.ts';

export type EquivocationKind = 'vertex' | 'attestation';

export interface Equivocation {
  readonly kind: EquivocationKind;
  readonly epoch: Epoch;
  readonly author: MemberIndex;
  /** The round of both vertices, or the wave that they attest. */
  readonly at: bigint;
  /** Encoded vertices. */
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** Of one author, of each kind, in one epoch. */
export const MAX_EVIDENCE_PER_AUTHOR = 4;

const KINDS: readonly EquivocationKind[] = ['vertex', 'attestation'];

export class EvidenceRecords {
  readonly #table: Table;

  constructor(store: KeyValueStore) {
    this.#table = new Table(store, TABLE.evidence);
  }

  put({ kind, epoch, author, at, first, second }: Equivocation): StoreWrite {
    const key = concatBytes(
      u64BigEndian(BigInt(epoch)),
      Uint8Array.of(author >> 8, author & 0xff, KINDS.indexOf(kind)),
      u64BigEndian(at),
    );
    return this.#table.put(
      key,
      encode((w) => w.bytes(first).bytes(second)),
    );
  }

  /** What is kept of an epoch, without the proofs. */
  async keys(epoch: Epoch): Promise<EvidenceKey[]> {
    const keys: EvidenceKey[] = [];
    for await (const { kind, author, at } of this.all(epoch)) keys.push({ kind, author, at });
    return keys;
  }

  /** Everything that is kept, by epoch, author, kind and place. */
  async *all(epoch?: Epoch): AsyncGenerator<Equivocation> {
    const range = epoch === undefined ? {} : { prefix: u64BigEndian(BigInt(epoch)) };
    for await (const [key, value] of this.#table.range(range)) {
      const [high = 0, low = 0, kind = 0] = key.subarray(8, 11);
      const [first, second] = decodeExactly(value, (r) => [
        r.bytes(MAX_VERTEX_BYTES),
        r.bytes(MAX_VERTEX_BYTES),
      ]);
      yield {
        kind: KINDS[kind] ?? 'vertex',
        epoch: toEpoch(exactNumber(readU64BigEndian(key.subarray(0, 8)), 'epoch')),
        author: toMemberIndex((high << 8) | low),
        at: readU64BigEndian(key.subarray(11)),
        first: first ?? new Uint8Array(0),
        second: second ?? new Uint8Array(0),
      };
    }
  }
}

/** What was contradicted. */
export type EvidenceKey = Pick<Equivocation, 'kind' | 'author' | 'at'>;

export interface EquivocationOptions {
  readonly committee: Committee;
  readonly verify: VerifySignatures;
  /** The bytes of an accepted vertex, while they are kept. */
  bytesOf(vertex: PlacedVertex): Uint8Array | undefined;
}

export interface PlacedVertex extends ParentRef {
  readonly round: Round;
}

/** Of one wave, by seat: the first attestation and the vertex that carried it. */
interface SeenAttestations {
  readonly attestations: (Attestation | undefined)[];
  readonly vertices: (PlacedVertex | undefined)[];
}

const NOTHING: readonly Equivocation[] = [];

export class Equivocations {
  readonly #options: EquivocationOptions;
  readonly #known = new Set<string>();
  readonly #counts = new Map<string, number>();
  /** By wave id as a number, which is exact for ids that are near. */
  readonly #attested = new Map<number, SeenAttestations>();
  /** The waves that are near lie between the two. */
  #below = 0n;
  #highest = 0n;

  /**
   * @param kept evidence that the store holds
   * @param head the newest executed wave: attestations far from it are not looked at
   */
  constructor(options: EquivocationOptions, kept: readonly EvidenceKey[], head: WaveId) {
    this.#options = options;
    this.#moveTo(head);
    for (const key of kept) this.#note(key);
  }

  /** Would another pair of vertices of this author and round be news? */
  isNews(key: EvidenceKey): boolean {
    const count = this.#counts.get(countKey(key)) ?? 0;
    return count < MAX_EVIDENCE_PER_AUTHOR && !this.#known.has(nameOf(key));
  }

  /** Two valid vertices of one author and round; undefined when that is known. */
  vertices(first: Vertex, second: Vertex): Equivocation | undefined {
    const { author, round, epoch } = second;
    const key = { kind: 'vertex', author, at: BigInt(round) } as const;
    if (!this.isNews(key)) return undefined;
    this.#note(key);
    return { ...key, epoch, first: encodeVertex(first), second: encodeVertex(second) };
  }

  /**
   * An accepted vertex.
   * @param placed its place, which is kept
   * @returns what its attestations contradict
   */
  attestations(vertex: Vertex, placed: PlacedVertex): readonly Equivocation[] {
    if (vertex.attestations.length === 0) return NOTHING;
    const { author, epoch } = vertex;
    const found: Equivocation[] = [];
    for (const attestation of vertex.attestations) {
      const { waveId } = attestation;
      if (!this.#isNear(waveId)) continue;
      const { attestations, vertices } = this.#attestedOf(waveId);
      const seen = attestations[author];
      const carrier = vertices[author];
      if (seen === undefined || carrier === undefined) {
        attestations[author] = attestation;
        vertices[author] = placed;
        continue;
      }
      if (equalBytes(seen.digest, attestation.digest)) continue;
      const key = { kind: 'attestation', author, at: waveId } as const;
      if (!this.isNews(key) || !this.#areSigned(author, [seen, attestation])) continue;
      // One vertex may say both, and is not stored yet.
      const isSame = carrier.round === placed.round && equalBytes(carrier.name, placed.name);
      const first = isSame ? encodeVertex(vertex) : this.#options.bytesOf(carrier);
      if (first === undefined) continue;
      this.#note(key);
      found.push({ ...key, epoch, first, second: encodeVertex(vertex) });
    }
    return found;
  }

  executed(waveId: WaveId): void {
    this.#moveTo(waveId);
    for (const known of this.#attested.keys()) {
      if (!this.#isNear(BigInt(known))) this.#attested.delete(known);
    }
  }

  #attestedOf(waveId: WaveId): SeenAttestations {
    const known = this.#attested.get(Number(waveId));
    if (known !== undefined) return known;
    const { members } = this.#options.committee;
    const seen = {
      attestations: members.map(() => undefined),
      vertices: members.map(() => undefined),
    };
    this.#attested.set(Number(waveId), seen);
    return seen;
  }

  #areSigned(author: MemberIndex, attestations: readonly Attestation[]): boolean {
    const publicKey = this.#options.committee.members[author]?.publicKey;
    if (publicKey === undefined) return false;
    const verdicts = this.#options.verify(
      attestations.map(({ digest, signature }) => ({ publicKey, message: digest, signature })),
    );
    return verdicts.every((valid) => valid);
  }

  #moveTo(head: WaveId): void {
    const span = BigInt(ATTESTED_WAVES);
    this.#below = head - span;
    this.#highest = head + span;
  }

  #isNear(waveId: bigint): boolean {
    return waveId > this.#below && waveId <= this.#highest;
  }

  #note(key: EvidenceKey): void {
    this.#known.add(nameOf(key));
    this.#counts.set(countKey(key), (this.#counts.get(countKey(key)) ?? 0) + 1);
  }
}

const countKey = ({ kind, author }: EvidenceKey): string => `${kind} ${author}`;
const nameOf = ({ kind, author, at }: EvidenceKey): string => `${kind} ${author} ${at}`;

/**
 * What the store keeps of vertices that are gone (docs/protocol/consensus.md, "Records").
 *
 * accepted: epoch u64 BE ‖ round u64 BE → vec of { author u16, name [32] }, the vertices of a round
 * that were accepted here and pruned; kept for one GC window more than vertices are, three in all.
 * vouched: epoch u64 BE ‖ round u64 BE ‖ author u16 BE ‖ name → nothing, the vertices that count as
 * held because f + 1 members accepted them.
 */
import {
  concatBytes,
  decodeExactly,
  encode,
  equalBytes,
  readU64BigEndian,
  u64BigEndian,
} from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import {
  type Epoch,
  exactNumber,
  HASH_BYTES,
  MAX_COMMITTEE_SIZE,
  type ParentRef,
  toMemberIndex,
  toRound,
  toVertexHash,
  type WeakParentRef,
} from '../types/index.ts';

/** An author has several in a round only by equivocation. */
const MAX_ROW = 64 * MAX_COMMITTEE_SIZE;

export class EdgeRecords {
  readonly #epoch: Uint8Array;
  readonly #accepted: Table;
  readonly #vouched: Table;

  constructor(store: KeyValueStore, epoch: Epoch) {
    this.#epoch = u64BigEndian(BigInt(epoch));
    this.#accepted = new Table(store, TABLE.accepted);
    this.#vouched = new Table(store, TABLE.vouched);
  }

  /** @param refs all vertices of the round; the list is kept until the record is made */
  putAccepted(round: number, refs: readonly ParentRef[]): StoreWrite {
    const row = refs.slice(0, MAX_ROW);
    return this.#accepted.putLater(this.#rowKey(round), () =>
      encode((w) => w.vec(row, (v, { author, name }) => v.u16(author).fixed(name))),
    );
  }

  deleteAccepted(round: number): StoreWrite {
    return this.#accepted.delete(this.#rowKey(round));
  }

  /** Was this vertex accepted here, and its round pruned since? */
  wasAccepted({ round, author, name }: WeakParentRef): boolean {
    const row = this.#accepted.get(this.#rowKey(round));
    if (row === undefined) return false;
    const refs = decodeExactly(row, (r) =>
      r.vec(MAX_ROW, 2 + HASH_BYTES, (v) => ({ author: v.u16(), name: v.fixed(HASH_BYTES) })),
    );
    return refs.some((ref) => ref.author === author && equalBytes(ref.name, name));
  }

  putVouched(ref: WeakParentRef): StoreWrite {
    return this.#vouched.put(this.#vouchedKey(ref), new Uint8Array(0));
  }

  deleteVouched(ref: WeakParentRef): StoreWrite {
    return this.#vouched.delete(this.#vouchedKey(ref));
  }

  /** All that counts as held, lowest round first. @throws PydeError when a record is damaged */
  async vouched(): Promise<WeakParentRef[]> {
    const refs: WeakParentRef[] = [];
    for await (const [key] of this.#vouched.range({ prefix: this.#epoch })) {
      const [high = 0, low = 0] = key.subarray(16, 18);
      refs.push({
        round: toRound(exactNumber(readU64BigEndian(key.subarray(8, 16)), 'round')),
        author: toMemberIndex((high << 8) | low),
        name: toVertexHash(key.slice(18)),
      });
    }
    return refs;
  }

  #rowKey(round: number): Uint8Array {
    return concatBytes(this.#epoch, u64BigEndian(BigInt(round)));
  }

  #vouchedKey({ round, author, name }: WeakParentRef): Uint8Array {
    return concatBytes(this.#rowKey(round), Uint8Array.of(author >> 8, author & 0xff), name);
  }
}

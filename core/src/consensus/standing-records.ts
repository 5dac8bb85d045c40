/**
 * What is kept of stores for recovery (`recovery.ts`): the id and standing of the own one, and the
 * id of the store with which each other member was first seen. They outlive epochs.
 *
 * In table consensus: "store" → { standing u8, id [32] }; "store/" ‖ address [32] → id [32].
 */
import { concatBytes, decodeExactly, encode } from '../bytes/index.ts';
import type { KeyValueStore, Random, StoreWrite } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import { type Address, HASH_BYTES, type Hash, toHash } from '../types/index.ts';
import { STANDINGS, type StoreStanding } from './newest-message.ts';

export interface StoreRecord {
  readonly standing: StoreStanding;
  readonly id: Hash;
}

const STORE_KEY = new TextEncoder().encode('store');
const KNOWN_STORE = new TextEncoder().encode('store/');

export class StandingRecords {
  readonly #consensus: Table;

  constructor(store: KeyValueStore) {
    this.#consensus = new Table(store, TABLE.consensus);
  }

  putStore({ standing, id }: StoreRecord): StoreWrite {
    const value = encode((w) => w.u8(STANDINGS.indexOf(standing)).fixed(id));
    return this.#consensus.put(STORE_KEY, value);
  }

  /** Undefined in a store that no member of a committee has used. @throws PydeError when damaged */
  store(): StoreRecord | undefined {
    const bytes = this.#consensus.get(STORE_KEY);
    if (bytes === undefined) return undefined;
    return decodeExactly(bytes, (r) => ({
      standing: STANDINGS[r.tag(STANDINGS.length, 'standing')] ?? 'lost',
      id: toHash(r.fixed(HASH_BYTES)),
    }));
  }

  putKnownStore(member: Address, id: Hash): StoreWrite {
    return this.#consensus.put(concatBytes(KNOWN_STORE, member), id);
  }

  /** The id of the store with which a member was seen first. */
  knownStore(member: Address): Hash | undefined {
    const id = this.#consensus.get(concatBytes(KNOWN_STORE, member));
    return id === undefined ? undefined : toHash(id);
  }
}

/**
 * The standing with which a store starts, and whether it is to be written before anything is sent.
 * @param hasOwn the store holds own vertices, so that it is none that was just made
 * @param isRestored whoever started the node says that the store was put back from a copy
 */
export function openStanding(
  records: StandingRecords,
  random: Random,
  { hasOwn, isRestored }: { readonly hasOwn: boolean; readonly isRestored: boolean },
): { readonly record: StoreRecord; readonly isNew: boolean } {
  const kept = records.store();
  const standing = isRestored ? 'lost' : (kept?.standing ?? (hasOwn ? 'whole' : 'new'));
  const record = { standing, id: kept?.id ?? toHash(random.bytes(HASH_BYTES)) };
  return { record, isNew: kept === undefined || kept.standing !== standing };
}

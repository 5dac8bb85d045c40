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
import { readFloor, type SigningMark } from './signing-floor.ts';

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
 * The store of this node, over all epochs of one run: what it is worth, and whether its member went
 * on since the start. An epoch that begins while the node runs needs no recovery, for whatever the
 * member makes in it is in this store.
 */
export class OwnStore {
  readonly records: StandingRecords;
  readonly id: Hash;
  /** Of this start. */
  readonly nonce: Hash;
  /** Nothing is signed at or below it: it came with the key. */
  readonly floor: SigningMark | undefined;
  #standing: StoreStanding;
  #kept: StoreStanding | undefined;
  /** The member made vertices since the start, or knows that it may. */
  hasResumed = false;

  /**
   * @param hasOwn the store holds own vertices, so that it is none that was just made
   * @param isRestored whoever started the node says that the store was put back from a copy
   */
  constructor(
    store: KeyValueStore,
    random: Random,
    { hasOwn, isRestored }: { readonly hasOwn: boolean; readonly isRestored: boolean },
  ) {
    this.records = new StandingRecords(store);
    const kept = this.records.store();
    this.id = kept?.id ?? toHash(random.bytes(HASH_BYTES));
    this.nonce = toHash(random.bytes(HASH_BYTES));
    this.floor = readFloor(store)?.mark;
    this.#kept = kept?.standing;
    this.#standing = isRestored ? 'lost' : (kept?.standing ?? (hasOwn ? 'whole' : 'new'));
  }

  get standing(): StoreStanding {
    return this.#standing;
  }

  set standing(standing: StoreStanding) {
    this.#standing = standing;
    if (standing === 'lost') this.hasResumed = false;
  }

  /** What must be durable before anything else is sent; nothing when the store says so already. */
  takeWrites(): StoreWrite[] {
    if (this.#kept === this.#standing) return [];
    this.#kept = this.#standing;
    return [this.records.putStore({ standing: this.#standing, id: this.id })];
  }
}

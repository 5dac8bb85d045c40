import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import { MemoryStore } from '../platform/index.ts';
import {
  Overlay,
  type StateKey,
  type StateReader,
  StateStore,
  stateKeyBytes,
} from '../state/index.ts';
import {
  type AuthKeys,
  toAddress,
  toFalconPublicKey,
  toHash,
  writeAuthKeys,
  ZERO_HASH,
} from '../types/index.ts';
import {
  accountKey,
  authKeysHash,
  authKeysKey,
  hasAuthKeys,
  holdsAuthKeysOf,
  isAuthKeysKey,
  KnownAuthKeys,
  readAccount,
  readAuthKeysOf,
  setAuthKeys,
  writeAccount,
  ZERO_ACCOUNT,
} from './index.ts';

const key = (i: number) => toFalconPublicKey(testKey(i).publicKey);
const single = (i: number): AuthKeys => ({ kind: 'single', key: key(i) });
const none: AuthKeys = { kind: 'none' };
const bytesOf = (keys: AuthKeys) => encode((w) => writeAuthKeys(w, keys));
const addressOf = (i: number) => toAddress(new Uint8Array(32).fill(i + 1));
const emptyState = () => new Overlay(StateStore.open(new MemoryStore()));
const anyKeys = fc.constantFrom<AuthKeys>(none, single(0), single(1), {
  kind: 'multisig',
  keys: [key(0), key(1), key(2)],
  threshold: 2,
});

function set(state: Overlay, i: number, keys: AuthKeys): void {
  const address = addressOf(i);
  writeAccount(state, address, setAuthKeys(state, address, readAccount(state, address), keys));
}

const keysOf = (state: StateReader, i: number): AuthKeys =>
  readAuthKeysOf(state, addressOf(i), readAccount(state, addressOf(i)));

describe('the keys of an account', () => {
  it('are those that were set last, and named by their hash', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), anyKeys), { maxLength: 8 }), (changes) => {
        const state = emptyState();
        const expected: AuthKeys[] = [none, none, none];
        for (const [i, keys] of changes) {
          set(state, i, keys);
          expected[i] = keys;
        }
        for (const [i, keys] of expected.entries()) {
          const account = readAccount(state, addressOf(i));
          expect(keysOf(state, i)).toEqual(keys);
          expect(hasAuthKeys(account)).toBe(keys.kind !== 'none');
          expect(account.authKeysHash).toEqual(
            keys.kind === 'none' ? ZERO_HASH : blake3(bytesOf(keys)),
          );
          expect(state.get(authKeysKey(addressOf(i)))).toEqual(
            keys.kind === 'none' ? undefined : bytesOf(keys),
          );
        }
      }),
    );
  });

  it('lie in an entry of their own, which no other change of the account touches', () => {
    const state = emptyState();
    set(state, 0, single(0));
    const address = addressOf(0);
    const later = new Overlay(state);
    writeAccount(later, address, { ...readAccount(later, address), keyNonce: 7 });
    expect(later.changes().map(({ key: changed }) => changed)).toEqual([accountKey(address)]);
    expect(keysOf(later, 0)).toEqual(single(0));
  });

  it('are told from other entries of the account by the whole slot', () => {
    const of = (slot: Uint8Array) =>
      isAuthKeysKey(stateKeyBytes({ ...accountKey(addressOf(0)), slot }));
    expect(isAuthKeysKey(stateKeyBytes(authKeysKey(addressOf(0))))).toBe(true);
    expect(isAuthKeysKey(stateKeyBytes(accountKey(addressOf(0))))).toBe(false);
    expect(of(new Uint8Array(32).fill(1))).toBe(false);
  });

  it('are a broken invariant when the record names some that are not there', () => {
    const state = emptyState();
    set(state, 0, single(0));
    state.delete(authKeysKey(addressOf(0)));
    expect(() => keysOf(state, 0)).toThrow('invariant broken');
  });
});

describe('a state from elsewhere', () => {
  it('holds the keys that a record names, and none that it does not', () => {
    const address = addressOf(0);
    const hash = authKeysHash(single(0));
    const holds = (entry: Uint8Array | undefined, authKeysHash = hash): boolean => {
      const state = emptyState();
      if (entry !== undefined) state.set(authKeysKey(address), entry);
      return holdsAuthKeysOf(state, address, { ...ZERO_ACCOUNT, authKeysHash });
    };
    expect(holds(bytesOf(single(0)))).toBe(true);
    expect(holds(undefined, toHash(new Uint8Array(32)))).toBe(true);
    expect(holds(bytesOf(single(1)))).toBe(false);
    expect(holds(undefined)).toBe(false);
    expect(holds(bytesOf(single(0)), toHash(new Uint8Array(32)))).toBe(false);
    // None has one form, which is no entry.
    expect(holds(bytesOf(none), toHash(new Uint8Array(32)))).toBe(false);
    expect(() => holds(Uint8Array.of(9))).toThrow();
  });
});

describe('known keys', () => {
  /** Counts what is read. */
  const counting = (state: StateReader) => {
    const reads: StateKey[] = [];
    const reader: StateReader = {
      get: (asked) => {
        reads.push(asked);
        return state.get(asked);
      },
    };
    return { reads, reader };
  };

  it('are read once, and again when they were changed', () => {
    const state = emptyState();
    set(state, 0, single(0));
    const { reads, reader } = counting(state);
    const known = new KnownAuthKeys(10);
    const ask = () => known.of(reader, addressOf(0), readAccount(state, addressOf(0)));
    for (let i = 0; i < 3; i++) expect(ask()).toEqual(single(0));
    expect(reads).toHaveLength(1);
    set(state, 0, single(1));
    for (let i = 0; i < 3; i++) expect(ask()).toEqual(single(1));
    expect(reads).toHaveLength(2);
    expect(known.of(reader, addressOf(1), ZERO_ACCOUNT)).toEqual(none);
    expect(reads).toHaveLength(2);
  });

  it('are at most so many, and the oldest go first', () => {
    const state = emptyState();
    for (let i = 0; i < 3; i++) set(state, i, single(i));
    const { reads, reader } = counting(state);
    const known = new KnownAuthKeys(2);
    const ask = (i: number) => {
      const account = readAccount(state, addressOf(i));
      expect(known.of(reader, addressOf(i), account)).toEqual(single(i));
    };
    for (const i of [0, 1, 2, 1, 2]) ask(i);
    expect(reads).toHaveLength(3);
    ask(0);
    expect(reads).toHaveLength(4);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError, PydeError, U64_MAX } from '../bytes/index.ts';
import { testKey } from '../crypto/testing.ts';
import { MemoryStore } from '../platform/index.ts';
import { Overlay, StateStore } from '../state/index.ts';
import { toAddress, toHash, toNonce, toQuanta, ZERO_ADDRESS } from '../types/index.ts';
import {
  ACCOUNT_TYPES,
  type Account,
  accountExists,
  decodeAccount,
  encodeAccount,
  isName,
  nonceStanding,
  readAccount,
  registerName,
  resolveName,
  useNonce,
  writeAccount,
  ZERO_ACCOUNT,
} from './index.ts';

const u128 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(toQuanta);
const anyAccount: fc.Arbitrary<Account> = fc.record({
  nonceBase: fc.bigInt({ min: 0n, max: U64_MAX }).map(toNonce),
  nonceUsed: fc.nat(0x7fff).map((bits) => bits << 1),
  balance: u128,
  gasTank: u128,
  accountType: fc.constantFrom(...ACCOUNT_TYPES),
  codeHash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHash),
  authKeysHash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHash),
  keyNonce: fc.nat(0xffff_ffff),
});

const emptyState = () => new Overlay(StateStore.open(new MemoryStore()));

describe('the account record', () => {
  it('decodes to what was encoded', () => {
    fc.assert(
      fc.property(anyAccount, (account) => {
        expect(decodeAccount(encodeAccount(account))).toEqual(account);
      }),
    );
  });

  it('never marks its lowest unused nonce as used', () => {
    const bytes = encodeAccount({ ...ZERO_ACCOUNT, nonceUsed: 1 });
    expect(() => decodeAccount(bytes)).toThrow('lowest unused nonce');
  });

  it('lets only refusals escape on hostile bytes, and re-encodes what it accepts', () => {
    const edits = fc.array(fc.tuple(fc.nat(3000), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(anyAccount, edits, fc.nat(20), (account, changes, cut) => {
        const bytes = encodeAccount(account);
        const mutated = bytes.slice(0, bytes.length - (cut > 15 ? cut : 0));
        for (const [at, value] of changes) mutated[at % mutated.length] = value;
        try {
          expect(encodeAccount(decodeAccount(mutated))).toEqual(mutated);
        } catch (error) {
          if (!isPydeError(error)) throw error;
        }
      }),
    );
  });

  it('is the zero account where none was written, which is no record', () => {
    const state = emptyState();
    expect(readAccount(state, ZERO_ADDRESS)).toEqual(ZERO_ACCOUNT);
    expect(accountExists(state, ZERO_ADDRESS)).toBe(false);
    writeAccount(state, ZERO_ADDRESS, ZERO_ACCOUNT);
    expect(accountExists(state, ZERO_ADDRESS)).toBe(true);
  });
});

describe('the nonce window', () => {
  const at = (base: bigint, used = 0): Account => ({
    ...ZERO_ACCOUNT,
    nonceBase: toNonce(base),
    nonceUsed: used,
  });

  it('slides as in the worked example of the book', () => {
    let account = at(100n);
    for (const [nonce, base, used] of [
      [103n, 100n, 0b1000],
      [100n, 101n, 0b100],
      [101n, 102n, 0b10],
      [102n, 104n, 0],
    ] as const) {
      account = useNonce(account, toNonce(nonce));
      expect([account.nonceBase, account.nonceUsed]).toEqual([base, used]);
    }
  });

  it('tells past, used, usable and far apart', () => {
    const account = at(100n, 0b1000);
    expect(nonceStanding(account, toNonce(99n))).toBe('past');
    expect(nonceStanding(account, toNonce(100n))).toBe('usable');
    expect(nonceStanding(account, toNonce(103n))).toBe('used');
    expect(nonceStanding(account, toNonce(115n))).toBe('usable');
    expect(nonceStanding(account, toNonce(116n))).toBe('far');
  });

  it('never needs a base above the largest nonce', () => {
    const account = at(U64_MAX - 1n);
    const last = useNonce(account, toNonce(U64_MAX - 1n));
    expect(last.nonceBase).toBe(U64_MAX);
    expect(nonceStanding(last, toNonce(U64_MAX))).toBe('far');
  });

  it('refuses to use what is not usable', () => {
    expect(() => useNonce(at(5n), toNonce(4n))).toThrow('invariant');
    expect(() => useNonce(at(5n), toNonce(21n))).toThrow('invariant');
  });

  it('uses each nonce once, whatever the order, like a set with a lower edge', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 60, size: 'max' }), (nonces) => {
        let account = ZERO_ACCOUNT;
        const used = new Set<number>();
        for (const n of nonces) {
          let base = 0;
          while (used.has(base)) base++;
          const expected =
            n < base ? 'past' : n > base + 15 ? 'far' : used.has(n) ? 'used' : 'usable';
          expect(nonceStanding(account, toNonce(BigInt(n)))).toBe(expected);
          if (expected !== 'usable') continue;
          account = useNonce(account, toNonce(BigInt(n)));
          used.add(n);
          expect(account.nonceUsed & 1).toBe(0);
          expect(decodeAccount(encodeAccount(account))).toEqual(account);
        }
      }),
    );
  });
});

describe('names', () => {
  it('are 1 to 32 of [a-z0-9-] without odd dashes', () => {
    for (const label of ['a', '0', 'a-b', 'state-and-emit', 'x'.repeat(32)]) {
      expect(isName(label)).toBe(true);
    }
    for (const label of ['', '-a', 'a-', 'a--b', 'A', 'a.b', 'a b', 'é', 'x'.repeat(33), 'a\n']) {
      expect(isName(label)).toBe(false);
    }
  });

  it('resolve to the first address that took them', () => {
    const state = emptyState();
    const [first, second] = [1, 2].map((i) => toAddress(testKey(i).address));
    if (first === undefined || second === undefined) throw new Error('two keys');
    expect(resolveName(state, 'shop')).toBeUndefined();
    registerName(state, 'shop', first);
    expect(resolveName(state, 'shop')).toEqual(first);
    expect(() => registerName(state, 'shop', second)).toThrow('taken');
    expect(() => registerName(state, 'Shop', second)).toThrow(PydeError);
    expect(resolveName(state, 'Shop')).toBeUndefined();
    expect(resolveName(state, 'shop')).toEqual(first);
  });
});

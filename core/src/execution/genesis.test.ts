import { describe, expect, it } from 'vitest';
import {
  authKeysKey,
  decodeAccount,
  encodeAccount,
  REWARD_POOL_ADDRESS,
  readAccount,
  readAuthKeysOf,
  resolveName,
  TREASURY_ADDRESS,
} from '../account/index.ts';
import { encode, PydeError, toHex } from '../bytes/index.ts';
import { MemoryStore } from '../platform/index.ts';
import {
  type StateKey,
  StateStore,
  stateKeyBytes,
  stateKeyFromBytes,
  TABLE,
  Table,
} from '../state/index.ts';
import { addressOf, publicKeyOf, wireBy } from '../tx/testing.ts';
import {
  type AuthKeys,
  type Genesis,
  genesisHash,
  toFalconPublicKey,
  toQuanta,
  writeAuthKeys,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '../types/index.ts';
import { readOperatorValidators, readValidator, validatorKey } from '../validators/index.ts';
import {
  adoptLoadedState,
  assertSupply,
  executeGenesis,
  FEE_STATE_KEY,
  readFeeState,
  readHeadWave,
} from './index.ts';
import { DEVNET_BALANCE, TestChain, testGenesis } from './testing.ts';

const withNames: Partial<Genesis> = { names: [{ label: 'faucet', address: addressOf(3) }] };

async function codeOf(changes: Partial<Genesis>): Promise<string> {
  try {
    await TestChain.start(testGenesis(changes));
  } catch (error) {
    if (error instanceof PydeError) return error.code;
    throw error;
  }
  return 'started';
}

describe('genesis', () => {
  it('writes accounts, system accounts, validators, names and fees', async () => {
    const { state } = await TestChain.start(testGenesis(withNames));
    const account = readAccount(state, addressOf(2));
    expect(account).toMatchObject({ balance: DEVNET_BALANCE, accountType: 'eoa' });
    const keys: AuthKeys = { kind: 'single', key: publicKeyOf(2) };
    expect(readAuthKeysOf(state, addressOf(2), account)).toEqual(keys);
    expect(state.get(authKeysKey(addressOf(2)))).toEqual(encode((w) => writeAuthKeys(w, keys)));
    for (const address of [TREASURY_ADDRESS, REWARD_POOL_ADDRESS]) {
      const authKeysHash = new Uint8Array(32);
      expect(readAccount(state, address)).toMatchObject({ accountType: 'system', authKeysHash });
      expect(state.get(authKeysKey(address))).toBeUndefined();
    }
    expect(readValidator(state, addressOf(0))).toMatchObject({
      status: 'active',
      stake: 10n ** 13n,
    });
    expect(readOperatorValidators(state, addressOf(1))).toEqual([addressOf(0)]);
    expect(resolveName(state, 'faucet')).toEqual(addressOf(3));
    expect(readFeeState(state)).toEqual({
      baseFeeScaled: 100n << 32n,
      burned: 0n,
      issued: 0n,
      genesisSupply: 5n * DEVNET_BALANCE + 10n ** 13n,
    });
  });

  it('is wave 0, anchored in its own hash', async () => {
    const { head, genesis } = await TestChain.start();
    expect(head.record).toMatchObject({
      waveId: 0n,
      anchorRound: 0,
      anchorHash: genesisHash(genesis),
      prevDigest: ZERO_HASH,
      txRoot: ZERO_HASH,
      eventsRoot: ZERO_HASH,
      baseFee: 100n,
      timestampMs: genesis.timestampMs,
    });
  });

  it('starts once in a store', async () => {
    const chain = await TestChain.start();
    expect(() => executeGenesis(chain, chain.genesis)).toThrow('already holds a chain');
  });

  it('may fund a system account, and gives it no keys', async () => {
    const allocation = { address: TREASURY_ADDRESS, balance: toQuanta(5n) };
    const none = { ...allocation, authKeys: { kind: 'none' } } as const;
    const chain = await TestChain.start(testGenesis({ allocations: [none] }));
    expect(readAccount(chain.state, TREASURY_ADDRESS)).toMatchObject({
      balance: 5n,
      accountType: 'system',
    });
    const keys = { ...allocation, authKeys: { kind: 'single', key: publicKeyOf(0) } } as const;
    expect(await codeOf({ allocations: [keys] })).toBe('genesis.system-account');
  });

  it('refuses what contradicts itself, saying what', async () => {
    const { allocations, validators } = testGenesis();
    const [validator] = validators;
    if (validator === undefined) throw new Error('one validator');
    const other = { ...validator, address: addressOf(4) };
    const noKey = toFalconPublicKey(new Uint8Array(897).fill(0xff).fill(9, 0, 1));
    const single = { kind: 'single', key: noKey } as const;
    const rich = { address: ZERO_ADDRESS, balance: toQuanta((1n << 128n) - 1n), authKeys: single };
    const name = { label: 'a', address: addressOf(1) };
    expect(await codeOf({ allocations: [...allocations, ...allocations] })).toBe(
      'genesis.duplicate',
    );
    expect(await codeOf({ validators: [validator, validator] })).toBe('genesis.duplicate');
    expect(await codeOf({ validators: [validator, other] })).toBe('genesis.duplicate');
    expect(await codeOf({ validators: [{ ...validator, publicKey: noKey }] })).toBe('genesis.key');
    expect(await codeOf({ allocations: [rich] })).toBe('genesis.key');
    const keyless = { ...rich, authKeys: { kind: 'none' } } as const;
    expect(await codeOf({ allocations: [keyless] })).toBe('genesis.supply');
    expect(await codeOf({ names: [name, name] })).toBe('name.taken');
    expect(await codeOf({ names: [{ ...name, label: 'a.b' }] })).toBe('name.label');
    expect(await codeOf({ validators: [] })).toBe('genesis.parameter');
  });
});

describe('a loaded state', () => {
  async function loaded(from: TestChain, keep: (kind: number) => boolean) {
    const store = new MemoryStore();
    const state = StateStore.open(store);
    const changes = [];
    for await (const [suffix, value] of new Table(from.store, TABLE.state).range()) {
      const key = stateKeyFromBytes(suffix);
      if (keep(key.kind)) changes.push({ key, value: value.slice() });
    }
    const prepared = state.prepare(0n, changes);
    await store.batch(prepared.writes);
    state.adopt(prepared);
    return { state, store };
  }

  it('becomes wave 0 of a new chain, at the root that it had', async () => {
    const old = await TestChain.start();
    await old.wave([wireBy(0, { to: addressOf(7), value: toQuanta(5n) })]);
    const context = await loaded(old, () => true);
    const wave = adoptLoadedState(context, testGenesis(withNames));
    await context.store.batch(wave.writes);
    expect(wave.record).toMatchObject({ waveId: 0n, stateRoot: old.state.root });
    expect(readHeadWave(context.store)).toEqual({ record: wave.record, digest: wave.digest });
    expect(readAccount(context.state, addressOf(7)).balance).toBe(5n);
    await assertSupply(context.store, context.state);
  });

  it('is refused without a fee record, and where none was loaded', async () => {
    const old = await TestChain.start();
    const partial = await loaded(old, (kind) => kind === 0);
    expect(() => adoptLoadedState(partial, old.genesis)).toThrow('no fee record');
    const empty = new MemoryStore();
    const nothing = { state: StateStore.open(empty), store: empty };
    expect(() => adoptLoadedState(nothing, old.genesis)).toThrow('no state');
  });
});

describe('a loaded state that no chain had', () => {
  const accountOf = (i: number) =>
    ({ kind: 0, owner: addressOf(i), slot: new Uint8Array(32) }) as const;

  /** The state of a chain with one entry put in another's place. */
  async function adopted(key: StateKey, change: (value: Uint8Array) => Uint8Array) {
    const old = await TestChain.start();
    const store = new MemoryStore();
    const state = StateStore.open(store);
    const changed = toHex(stateKeyBytes(key));
    const changes = [...old.state.entriesAt(0n)].map(({ stateKey, value }) => ({
      key: stateKeyFromBytes(stateKey),
      value: toHex(stateKey) === changed ? change(value) : value,
    }));
    const prepared = state.prepare(0n, changes);
    await store.batch(prepared.writes);
    state.adopt(prepared);
    return () => adoptLoadedState({ state, store }, old.genesis);
  }

  it('is refused when a record in it does not decode', async () => {
    const short = (value: Uint8Array) => value.slice(0, -1);
    for (const key of [accountOf(2), FEE_STATE_KEY, validatorKey(addressOf(0))]) {
      expect(await adopted(key, short)).toThrow('bytes are needed');
    }
  });

  it('is refused when quanta are in it that were never made', async () => {
    const richer = (value: Uint8Array) => {
      const account = decodeAccount(value);
      return encodeAccount({ ...account, balance: toQuanta(account.balance + 1n) });
    };
    expect(await adopted(accountOf(2), (value) => value)).not.toThrow();
    expect(await adopted(accountOf(2), richer)).toThrow(/quanta are held or burned/);
  });

  it('is refused when an account has other keys than its record names, or some without a name', async () => {
    const others = () => encode((w) => writeAuthKeys(w, { kind: 'single', key: publicKeyOf(3) }));
    const nameless = (value: Uint8Array) =>
      encodeAccount({ ...decodeAccount(value), authKeysHash: ZERO_HASH });
    expect(await adopted(authKeysKey(addressOf(2)), (value) => value)).not.toThrow();
    expect(await adopted(authKeysKey(addressOf(2)), others)).toThrow(/names other keys/);
    expect(await adopted(accountOf(2), nameless)).toThrow(/names other keys/);
  });
});

describe('the supply invariant', () => {
  it('counts balances, tanks, stakes and what was burned', async () => {
    const chain = await TestChain.start();
    const supply = await assertSupply(chain.store, chain.state);
    expect(supply).toEqual({
      accounts: 7,
      balances: 5n * DEVNET_BALANCE,
      tanks: 0n,
      stakes: 10n ** 13n,
      burned: 0n,
      issued: 0n,
      genesisSupply: 5n * DEVNET_BALANCE + 10n ** 13n,
    });
  });

  it('fails when one quantum goes missing', async () => {
    const chain = await TestChain.start();
    const account = readAccount(chain.state, addressOf(2));
    const short = { ...account, balance: toQuanta(account.balance - 1n) };
    const key = { kind: 0, owner: addressOf(2), slot: new Uint8Array(32) } as const;
    const prepared = chain.state.prepare(1n, [{ key, value: encodeAccount(short) }]);
    await chain.store.batch(prepared.writes);
    chain.state.adopt(prepared);
    await expect(assertSupply(chain.store, chain.state)).rejects.toThrow('supply');
  });
});

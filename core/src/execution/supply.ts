/**
 * The supply invariant (design/state-and-execution.md, "Accounts and transactions"): all balances,
 * tanks and stakes + burned = genesis supply + issued. Walks the whole state, so it is for tests,
 * the simulator and audits.
 */
import { decodeAccount, isAuthKeysKey } from '../account/index.ts';
import { invariant } from '../bytes/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { STATE_KIND, type StateReader, stateKeyBytes, TABLE, Table } from '../state/index.ts';
import { ZERO_ADDRESS } from '../types/index.ts';
import { decodeValidator, validatorKey } from '../validators/index.ts';
import { readFeeState } from './fee-state.ts';

export interface Supply {
  readonly accounts: number;
  readonly balances: bigint;
  readonly tanks: bigint;
  readonly stakes: bigint;
  readonly burned: bigint;
  readonly issued: bigint;
  readonly genesisSupply: bigint;
}

/** Counts what is in `store`, whose newest state `state` reads. */
export async function readSupply(store: KeyValueStore, state: StateReader): Promise<Supply> {
  const flat = new Table(store, TABLE.state);
  const { burned, issued, genesisSupply } = readFeeState(state);
  let accounts = 0;
  let balances = 0n;
  let tanks = 0n;
  for await (const [key, value] of flat.range({ prefix: Uint8Array.of(STATE_KIND.account) })) {
    if (isAuthKeysKey(key)) continue;
    const account = decodeAccount(value);
    accounts++;
    balances += account.balance;
    tanks += account.gasTank;
  }
  let stakes = 0n;
  const validators = stateKeyBytes(validatorKey(ZERO_ADDRESS)).subarray(0, 33);
  for await (const [, value] of flat.range({ prefix: validators })) {
    stakes += decodeValidator(value).stake;
  }
  return { accounts, balances, tanks, stakes, burned, issued, genesisSupply };
}

/** Throws as a broken invariant when quanta appeared or went missing. */
export async function assertSupply(store: KeyValueStore, state: StateReader): Promise<Supply> {
  const supply = await readSupply(store, state);
  const held = supply.balances + supply.tanks + supply.stakes + supply.burned;
  const made = supply.genesisSupply + supply.issued;
  invariant(held === made, `supply: ${held} quanta are held or burned, ${made} were made`);
  return supply;
}

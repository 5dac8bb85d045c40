/**
 * Wave 0: the state that a chain starts from (docs/protocol/encoding.md, "Genesis" and
 * "WaveCommitRecord"). Written once into an empty store.
 */
import {
  type Account,
  decodeAccount,
  holdsAuthKeysOf,
  isAuthKeysKey,
  REWARD_POOL_ADDRESS,
  readAccount,
  registerName,
  setAuthKeys,
  TREASURY_ADDRESS,
  writeAccount,
  ZERO_ACCOUNT,
} from '../account/index.ts';
import { equalBytes, PydeError, toHex, U128_MAX } from '../bytes/index.ts';
import { isFalconPublicKey } from '../crypto/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { Overlay, STATE_KIND, type StateStore, stateKeyBytes } from '../state/index.ts';
import {
  type Address,
  checkGenesis,
  EVENTS_BLOOM_BYTES,
  type Genesis,
  type GenesisAllocation,
  genesisHash,
  type StateRoot,
  toAddress,
  toEpoch,
  toRound,
  toWaveId,
  type WaveCommitRecord,
  waveDigest,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '../types/index.ts';
import {
  decodeValidator,
  FULL_UPTIME_BPS,
  validatorKey,
  writeNewValidator,
} from '../validators/index.ts';
import { archiveGenesis, archiveWrites } from './archive.ts';
import { scaleBaseFee } from './base-fee.ts';
import { decodeFeeState, FEE_STATE_KEY, type FeeState, writeFeeState } from './fee-state.ts';
import type { WaveResult } from './wave.ts';

export type GenesisErrorCode =
  | 'genesis.exists'
  | 'genesis.state-missing'
  | 'genesis.duplicate'
  | 'genesis.keys'
  | 'genesis.supply'
  | 'genesis.key'
  | 'genesis.system-account';

/** Of kind and owner in a state key. */
const OWNER_END = 33;

export interface GenesisContext {
  /** Without any version yet. */
  readonly state: StateStore;
  readonly store: KeyValueStore;
}

/**
 * Computes wave 0 and writes nothing.
 * @throws PydeError of {@link GenesisErrorCode}, `genesis.parameter` or `name.*`
 */
export function executeGenesis({ state, store }: GenesisContext, genesis: Genesis): WaveResult {
  if (state.version !== undefined) {
    throw new PydeError(
      'genesis.exists',
      `the store already holds a chain, at wave ${state.version}; start from an empty store`,
      { wave: state.version.toString() },
    );
  }
  checkGenesis(genesis);
  const overlay = new Overlay(state);
  writeSystemAccounts(overlay);
  writeAllocations(overlay, genesis.allocations);
  writeValidators(overlay, genesis);
  for (const { label, address } of genesis.names) registerName(overlay, label, address);
  writeFeeState(overlay, {
    baseFeeScaled: scaleBaseFee(genesis.parameters.startBaseFee),
    burned: 0n,
    issued: 0n,
    genesisSupply: supplyOf(genesis),
  });
  const prepared = state.prepare(0n, overlay.changes());
  const { record, digest, writes } = waveZero(store, genesis, prepared.root);
  return {
    ...{ record, digest, executed: [], passedOver: [], prepared },
    writes: [...prepared.writes, ...writes],
  };
}

/**
 * Wave 0 over a state that was loaded as version 0: of the genesis only the chain's identity,
 * parameters and committee count. Writes nothing. The state is from a file: execution trusts the
 * records that it reads, so all of them are read here.
 * @throws PydeError `genesis.state-missing`, `genesis.supply`, `genesis.parameter`, and what the
 * decoders of records refuse with
 */
export function adoptLoadedState(
  { state, store }: GenesisContext,
  genesis: Genesis,
): Pick<WaveResult, 'record' | 'digest' | 'writes'> {
  if (state.version !== 0n) {
    throw new PydeError(
      'genesis.state-missing',
      `the store holds ${state.version === undefined ? 'no state' : `wave ${state.version}`}, ` +
        'where a state loaded as wave 0 is needed; load it into an empty folder',
    );
  }
  const fees = state.get(FEE_STATE_KEY);
  if (fees === undefined) {
    throw new PydeError(
      'genesis.state-missing',
      'the loaded state has no fee record, so it is no state of a chain; load another file',
    );
  }
  requireSupply(state, decodeFeeState(fees));
  checkGenesis(genesis);
  return waveZero(store, genesis, state.root);
}

/** That every account and validator decodes, and that no quanta are in them but those made. */
function requireSupply(state: StateStore, { burned, issued, genesisSupply }: FeeState): void {
  const validators = stateKeyBytes(validatorKey(ZERO_ADDRESS)).subarray(0, OWNER_END);
  let held = burned;
  for (const { stateKey, value } of state.entriesAt(0n)) {
    if (stateKey[0] === STATE_KIND.account) {
      const address = toAddress(stateKey.slice(1, OWNER_END));
      if (isAuthKeysKey(stateKey)) {
        requireKeysOf(state, address, readAccount(state, address));
        continue;
      }
      const account = decodeAccount(value);
      requireKeysOf(state, address, account);
      held += account.balance + account.gasTank;
    } else if (equalBytes(stateKey.subarray(0, OWNER_END), validators)) {
      held += decodeValidator(value).stake;
    }
  }
  if (held === genesisSupply + issued) return;
  throw new PydeError(
    'genesis.supply',
    `in the loaded state ${held} quanta are held or burned where ${genesisSupply + issued} were ` +
      'made, so it is no state of a chain; load another file',
  );
}

function requireKeysOf(state: StateStore, address: Address, account: Account): void {
  if (holdsAuthKeysOf(state, address, account)) return;
  throw new PydeError(
    'genesis.keys',
    `in the loaded state the record of account ${toHex(address)} names other keys than lie beside ` +
      'it, so it is no state of a chain; load another file',
  );
}

function waveZero(
  store: KeyValueStore,
  genesis: Genesis,
  stateRoot: StateRoot,
): Pick<WaveResult, 'record' | 'digest' | 'writes'> {
  const record: WaveCommitRecord = {
    chainId: genesis.chainId,
    epoch: toEpoch(0),
    waveId: toWaveId(0n),
    anchorRound: toRound(0),
    priorAnchorRound: toRound(0),
    anchorHash: genesisHash(genesis),
    prevDigest: ZERO_HASH,
    timestampMs: genesis.timestampMs,
    stateRoot,
    eventsRoot: ZERO_HASH,
    eventsBloom: new Uint8Array(EVENTS_BLOOM_BYTES),
    txRoot: ZERO_HASH,
    txCount: 0,
    eventsCount: 0,
    gasUsed: 0n,
    baseFee: genesis.parameters.startBaseFee,
    nextBeacon: undefined,
    nextCommitteeHash: undefined,
  };
  const writes = [...archiveWrites(store, record, []), ...archiveGenesis(store, genesis)];
  return { record, digest: waveDigest(record), writes };
}

function writeSystemAccounts(overlay: Overlay): void {
  const account: Account = { ...ZERO_ACCOUNT, accountType: 'system' };
  writeAccount(overlay, TREASURY_ADDRESS, account);
  writeAccount(overlay, REWARD_POOL_ADDRESS, account);
}

/** A system account may start with a balance, never with keys. */
function writeAllocations(overlay: Overlay, allocations: readonly GenesisAllocation[]): void {
  const addresses = new Set<string>();
  for (const { address, balance, authKeys } of allocations) {
    if (addresses.has(toHex(address))) throw duplicate('allocation', address);
    addresses.add(toHex(address));
    const existing = readAccount(overlay, address);
    if (existing.accountType === 'system' && authKeys.kind !== 'none') {
      throw new PydeError(
        'genesis.system-account',
        `genesis gives keys to the system account ${toHex(address)}, which nobody signs for`,
      );
    }
    if (authKeys.kind === 'single') requireKey(authKeys.key);
    if (authKeys.kind === 'multisig') authKeys.keys.forEach(requireKey);
    writeAccount(overlay, address, {
      ...setAuthKeys(overlay, address, existing, authKeys),
      balance,
    });
  }
}

function writeValidators(overlay: Overlay, { validators }: Genesis): void {
  const keys = new Set<string>();
  const addresses = new Set<string>();
  for (const { address, operator, publicKey, stake } of validators) {
    requireKey(publicKey);
    if (keys.has(toHex(publicKey))) throw duplicate('validator key of', address);
    if (addresses.has(toHex(address))) throw duplicate('validator', address);
    keys.add(toHex(publicKey));
    addresses.add(toHex(address));
    writeNewValidator(overlay, address, {
      operator,
      publicKey,
      stake,
      status: 'active',
      unbondAtWave: undefined,
      jailUntilWave: undefined,
      lastClaimedRps: 0n,
      uptimeBps: FULL_UPTIME_BPS,
    });
  }
}

/** All allocations and stakes; every later balance is at most this and what is issued. */
function supplyOf({ allocations, validators }: Genesis): bigint {
  let supply = 0n;
  for (const { balance } of allocations) supply += balance;
  for (const { stake } of validators) supply += stake;
  if (supply > U128_MAX) {
    throw new PydeError('genesis.supply', `genesis gives out ${supply} quanta, above 2^128 - 1`);
  }
  return supply;
}

function requireKey(key: Uint8Array): void {
  if (!isFalconPublicKey(key)) {
    throw new PydeError('genesis.key', 'genesis names bytes that are no FALCON-512 public key');
  }
}

function duplicate(what: string, address: Uint8Array): PydeError<GenesisErrorCode> {
  return new PydeError(
    'genesis.duplicate',
    `genesis lists the ${what} ${toHex(address)} twice; keep one`,
  );
}

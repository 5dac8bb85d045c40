/**
 * Everything a chain starts from; its hash is the chain's identity and the anchor hash of wave 0
 * (docs/protocol/encoding.md, "Genesis").
 */
import {
  type BorshReader,
  type BorshWriter,
  decodeExactly,
  encode,
  PydeError,
} from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type AuthKeys, readAuthKeys, writeAuthKeys } from './auth-keys.ts';
import {
  ADDRESS_BYTES,
  type Address,
  FALCON_PUBLIC_KEY_BYTES,
  type FalconPublicKey,
  type Quanta,
  toAddress,
  toFalconPublicKey,
  toQuanta,
  toVertexHash,
  type VertexHash,
} from './brand.ts';
import { MAX_COMMITTEE_SIZE } from './vertex.ts';

export interface GenesisParameters {
  /** Base fee of wave 1, quanta a unit of gas, ≥ 1. */
  readonly startBaseFee: Quanta;
  /** Gas a second at which the base fee stays. */
  readonly gasTargetPerSecond: bigint;
  /** Gas that one wave may use. */
  readonly waveGasCeiling: bigint;
  /** Percent of each fee; the rest, with all remainders, goes to the treasury. */
  readonly burnPercent: number;
  readonly rewardPoolPercent: number;
  /** design/consensus.md, "Production". */
  readonly minRoundDelayMs: number;
  readonly idleRoundMs: number;
  readonly gcRounds: number;
  /** The first wave so long after the epoch began ends the epoch's transactions. */
  readonly epochDurationMs: number;
}

export interface GenesisValidator {
  readonly address: Address;
  readonly operator: Address;
  readonly publicKey: FalconPublicKey;
  readonly stake: Quanta;
}

export interface GenesisAllocation {
  readonly address: Address;
  readonly balance: Quanta;
  readonly authKeys: AuthKeys;
}

export interface GenesisName {
  readonly label: string;
  readonly address: Address;
}

export interface Genesis {
  readonly chainId: bigint;
  readonly timestampMs: bigint;
  readonly parameters: GenesisParameters;
  /** Epoch 0's committee, in seat order. */
  readonly validators: readonly GenesisValidator[];
  readonly allocations: readonly GenesisAllocation[];
  readonly names: readonly GenesisName[];
}

const GENESIS_VERSION = 2;
/** Shorter epochs would be nothing but their ends. */
const MIN_EPOCH_MS = 100;
export const MAX_GENESIS_ALLOCATIONS = 1_000_000;
export const MAX_GENESIS_NAMES = 10_000;
export const MAX_NAME_BYTES = 32;

export function writeGenesis(writer: BorshWriter, genesis: Genesis): void {
  const p = genesis.parameters;
  writer
    .u8(GENESIS_VERSION)
    .u64(genesis.chainId)
    .u64(genesis.timestampMs)
    .u128(p.startBaseFee)
    .u64(p.gasTargetPerSecond)
    .u64(p.waveGasCeiling)
    .u8(p.burnPercent)
    .u8(p.rewardPoolPercent)
    .u32(p.minRoundDelayMs)
    .u32(p.idleRoundMs)
    .u32(p.gcRounds)
    .u32(p.epochDurationMs)
    .vec(genesis.validators, (w, v) =>
      w.fixed(v.address).fixed(v.operator).fixed(v.publicKey).u128(v.stake),
    )
    .vec(genesis.allocations, (w, a) => {
      w.fixed(a.address).u128(a.balance);
      writeAuthKeys(w, a.authKeys);
    })
    .vec(genesis.names, (w, n) => w.string(n.label).fixed(n.address));
}

export function readGenesis(reader: BorshReader): Genesis {
  const version = reader.u8();
  if (version !== GENESIS_VERSION) {
    throw new PydeError('genesis.version', `genesis version ${version} is not ${GENESIS_VERSION}`);
  }
  const genesis: Genesis = {
    chainId: reader.u64(),
    timestampMs: reader.u64(),
    parameters: {
      startBaseFee: toQuanta(reader.u128()),
      gasTargetPerSecond: reader.u64(),
      waveGasCeiling: reader.u64(),
      burnPercent: reader.u8(),
      rewardPoolPercent: reader.u8(),
      minRoundDelayMs: reader.u32(),
      idleRoundMs: reader.u32(),
      gcRounds: reader.u32(),
      epochDurationMs: reader.u32(),
    },
    validators: reader.vec(MAX_COMMITTEE_SIZE, 977, (r) => ({
      address: toAddress(r.fixed(ADDRESS_BYTES)),
      operator: toAddress(r.fixed(ADDRESS_BYTES)),
      publicKey: toFalconPublicKey(r.fixed(FALCON_PUBLIC_KEY_BYTES)),
      stake: toQuanta(r.u128()),
    })),
    allocations: reader.vec(MAX_GENESIS_ALLOCATIONS, 49, (r) => ({
      address: toAddress(r.fixed(ADDRESS_BYTES)),
      balance: toQuanta(r.u128()),
      authKeys: readAuthKeys(r),
    })),
    names: reader.vec(MAX_GENESIS_NAMES, 37, (r) => ({
      label: r.string(MAX_NAME_BYTES),
      address: toAddress(r.fixed(ADDRESS_BYTES)),
    })),
  };
  checkGenesis(genesis);
  return genesis;
}

export const encodeGenesis = (genesis: Genesis): Uint8Array =>
  encode((w) => writeGenesis(w, genesis));

export const decodeGenesis = (bytes: Uint8Array): Genesis => decodeExactly(bytes, readGenesis);

/** `Blake3("pyde/genesis/1" ‖ borsh(genesis))`, typed as the anchor of wave 0. */
export function genesisHash(genesis: Genesis): VertexHash {
  const domain = new TextEncoder().encode('pyde/genesis/1');
  return toVertexHash(blake3(domain, encodeGenesis(genesis)));
}

/** @throws PydeError `genesis.parameter` naming the field */
export function checkGenesis(genesis: Genesis): void {
  const p = genesis.parameters;
  const rules: readonly (readonly [boolean, string])[] = [
    [genesis.chainId > 0n, 'chain_id must not be 0'],
    [p.startBaseFee >= 1n, 'start_base_fee must be at least 1 quantum'],
    [p.startBaseFee < 1n << 64n, 'start_base_fee must be below 2^64'],
    [p.gasTargetPerSecond > 0n, 'gas_target_per_second must not be 0'],
    [p.waveGasCeiling >= 21_000n, 'wave_gas_ceiling must hold one transfer (21000)'],
    [p.burnPercent + p.rewardPoolPercent <= 100, 'burn and reward percent exceed 100 together'],
    [p.gcRounds >= 10, 'gc_rounds must be at least 10'],
    [p.epochDurationMs >= MIN_EPOCH_MS, `epoch_duration_ms must be at least ${MIN_EPOCH_MS}`],
    [p.idleRoundMs >= 1, 'idle_round_ms must be at least 1'],
    [genesis.validators.length >= 1, 'at least one validator is needed'],
  ];
  for (const [holds, rule] of rules) {
    if (!holds) throw new PydeError('genesis.parameter', `genesis: ${rule}`);
  }
}

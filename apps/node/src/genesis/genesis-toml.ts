/**
 * `genesis.toml`: what a network agrees on before it starts (docs/operators/install.md). Amounts are
 * in quanta: a number, or digits in quotes where TOML's 64 bits do not hold it.
 */
import { fromHex, isPydeError, U64_MAX, U128_MAX } from '@pyde/core/bytes';
import {
  ADDRESS_BYTES,
  type Address,
  FALCON_PUBLIC_KEY_BYTES,
  type GenesisParameters,
  type Quanta,
  toAddress,
  toQuanta,
} from '@pyde/core/types';
import * as v from 'valibot';
import { isAddress, readTomlFile, type TomlFile } from '../config/index.ts';
import { MAX_NETWORK_NAME } from './contribution.ts';

/** 10,000 allocations with a key each. */
const MAX_GENESIS_TOML_BYTES = 64 * 1024 * 1024;
const MAX_U32 = 4_294_967_295;

const integer = (most: bigint) => {
  const what = `it must be a whole number up to ${most}, in quotes if it is large`;
  return v.pipe(
    v.union([v.number(), v.bigint(), v.pipe(v.string(), v.regex(/^\d[\d_]{0,50}$/))], what),
    v.check((value) => typeof value !== 'number' || Number.isSafeInteger(value), what),
    v.transform((value) => BigInt(typeof value === 'string' ? value.replaceAll('_', '') : value)),
    v.minValue(0n, what),
    v.maxValue(most, what),
  );
};
const small = (most: number) => v.pipe(integer(BigInt(most)), v.transform(Number));
const quanta = v.pipe(
  integer(U128_MAX),
  v.transform((value): Quanta => toQuanta(value)),
);
const hex = (bytes: number) =>
  v.pipe(
    v.string('it must be 0x and hex digits, in quotes'),
    v.rawTransform<string, Uint8Array>(({ dataset, addIssue, NEVER }) => {
      try {
        return fromHex(dataset.value, { exactBytes: bytes });
      } catch (error) {
        if (!isPydeError(error)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
const address = v.pipe(
  hex(ADDRESS_BYTES),
  v.transform((bytes): Address => toAddress(bytes)),
);
const publicKey = hex(FALCON_PUBLIC_KEY_BYTES);
const tables = <S extends v.GenericSchema>(item: S) =>
  v.optional(v.array(item, 'it must be a list of tables: [[…]]'), []);

const DEFAULT_PARAMETERS = {
  start_base_fee: 100,
  gas_target_per_second: 200_000_000,
  wave_gas_ceiling: 400_000_000,
  burn_percent: 70,
  reward_pool_percent: 20,
  min_round_delay_ms: 60,
  idle_round_ms: 500,
  gc_rounds: 500,
  epoch_duration_ms: 10_800_000,
} as const;

const defaulted = <S extends v.GenericSchema>(name: keyof typeof DEFAULT_PARAMETERS, schema: S) =>
  v.optional(schema, DEFAULT_PARAMETERS[name] as never);

const GenesisToml = v.strictObject({
  chain: v.strictObject({
    name: v.pipe(
      v.string('it must be a text in quotes'),
      v.minLength(1, 'it must not be empty'),
      v.maxLength(MAX_NETWORK_NAME, `it has at most ${MAX_NETWORK_NAME} characters`),
    ),
    id: v.pipe(integer(U64_MAX), v.minValue(1n, 'it must not be 0')),
    start: v.date('it must be a time such as 2026-01-01T12:00:00Z, without quotes'),
  }),
  parameters: v.optional(
    v.strictObject({
      start_base_fee: defaulted('start_base_fee', quanta),
      gas_target_per_second: defaulted('gas_target_per_second', integer(U64_MAX)),
      wave_gas_ceiling: defaulted('wave_gas_ceiling', integer(U64_MAX)),
      burn_percent: defaulted('burn_percent', small(100)),
      reward_pool_percent: defaulted('reward_pool_percent', small(100)),
      min_round_delay_ms: defaulted('min_round_delay_ms', small(60_000)),
      idle_round_ms: defaulted('idle_round_ms', small(600_000)),
      gc_rounds: defaulted('gc_rounds', small(100_000)),
      epoch_duration_ms: defaulted('epoch_duration_ms', small(MAX_U32)),
    }),
    {},
  ),
  contributions: v.optional(
    v.strictObject({ min_stake: v.optional(quanta), max_stake: v.optional(quanta) }),
    {},
  ),
  validators: tables(
    v.strictObject({
      public_key: publicKey,
      operator: address,
      stake: quanta,
      addresses: v.optional(
        v.array(
          v.pipe(
            v.string('it must be a text in quotes'),
            v.check(isAddress, 'it must be a multiaddr, such as "/ip4/203.0.113.7/tcp/10933"'),
          ),
        ),
        [],
      ),
    }),
  ),
  allocations: tables(
    v.strictObject({
      address: v.optional(address),
      public_key: v.optional(publicKey),
      balance: quanta,
    }),
  ),
  names: tables(v.strictObject({ label: v.string('it must be a text in quotes'), address })),
});

export type GenesisToml = v.InferOutput<typeof GenesisToml>;

/** @throws PydeError `config.*`, naming file, line and key */
export const readGenesisToml = (path: string): TomlFile<GenesisToml> =>
  readTomlFile(path, GenesisToml, MAX_GENESIS_TOML_BYTES);

export function parametersOf({ parameters: p }: GenesisToml): GenesisParameters {
  return {
    startBaseFee: p.start_base_fee,
    gasTargetPerSecond: p.gas_target_per_second,
    waveGasCeiling: p.wave_gas_ceiling,
    burnPercent: p.burn_percent,
    rewardPoolPercent: p.reward_pool_percent,
    minRoundDelayMs: p.min_round_delay_ms,
    idleRoundMs: p.idle_round_ms,
    gcRounds: p.gc_rounds,
    epochDurationMs: p.epoch_duration_ms,
  };
}

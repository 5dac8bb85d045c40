/** The file of a genesis: Borsh, as docs/protocol/encoding.md has it. */
import { readFileSync, statSync } from 'node:fs';
import { isPydeError, PydeError, toHex } from '@pyde/core/bytes';
import { decodeGenesis, type Genesis, genesisHash } from '@pyde/core/types';
import { isSystemError, printable, table } from '../output/index.ts';

export type GenesisFileErrorCode = 'genesis.missing' | 'genesis.file';

/** A million allocations with a key each. */
const MAX_GENESIS_BYTES = 1024 * 1024 * 1024;

/** @throws PydeError `genesis.missing`, `genesis.file`, `genesis.version`, `genesis.parameter` */
export async function readGenesisFile(path: string): Promise<Genesis> {
  let bytes: Uint8Array;
  try {
    const { size } = statSync(path);
    if (size > MAX_GENESIS_BYTES) throw noGenesis(path, `it has ${size} bytes`);
    bytes = new Uint8Array(readFileSync(path));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new PydeError<GenesisFileErrorCode>(
      'genesis.missing',
      `the genesis ${path} cannot be read: ${error.code}; name the file in [chain] genesis`,
    );
  }
  try {
    return decodeGenesis(bytes);
  } catch (error) {
    if (!isPydeError(error) || error.code.startsWith('genesis.')) throw error;
    throw noGenesis(path, error.message);
  }
}

export function genesisJson(genesis: Genesis) {
  const { chainId, timestampMs, parameters: p, validators, allocations, names } = genesis;
  return {
    hash: toHex(genesisHash(genesis)),
    chain_id: chainId.toString(),
    start: new Date(Number(timestampMs)).toISOString(),
    parameters: {
      start_base_fee: p.startBaseFee.toString(),
      gas_target_per_second: p.gasTargetPerSecond.toString(),
      wave_gas_ceiling: p.waveGasCeiling.toString(),
      burn_percent: p.burnPercent,
      reward_pool_percent: p.rewardPoolPercent,
      min_round_delay_ms: p.minRoundDelayMs,
      idle_round_ms: p.idleRoundMs,
      gc_rounds: p.gcRounds,
      epoch_duration_ms: p.epochDurationMs,
    },
    validators: validators.map((validator, index) => ({
      index,
      address: toHex(validator.address),
      operator: toHex(validator.operator),
      public_key: toHex(validator.publicKey),
      stake: validator.stake.toString(),
    })),
    allocations: allocations.map(({ address, balance, authKeys }) => ({
      address: toHex(address),
      balance: balance.toString(),
      keys: authKeys.kind,
    })),
    names: names.map(({ label, address }) => ({ label, address: toHex(address) })),
  };
}

/** Accounts beyond these are counted; `--json` has them all. */
const SHOWN = 10;

export function genesisLines(genesis: Genesis): string[] {
  const json = genesisJson(genesis);
  const balances = genesis.allocations.reduce((sum, { balance }) => sum + balance, 0n);
  const accounts = json.allocations.slice(0, SHOWN);
  const left = json.allocations.length - accounts.length;
  return [
    ...table([
      ['genesis', json.hash],
      ['chain', json.chain_id],
      ['start', json.start],
      ...Object.entries(json.parameters).map(([name, value]) => [name, String(value)]),
      ['validators', String(json.validators.length)],
      ['accounts', `${json.allocations.length}, holding ${balances} quanta`],
      ['names', json.names.map(({ label }) => printable(label)).join(', ') || 'none'],
    ]),
    '',
    ...table([
      ['validator', 'address', 'stake (quanta)'],
      ...json.validators.map(({ index, address, stake }) => [String(index), address, stake]),
    ]),
    '',
    ...table([
      ['account', 'balance (quanta)'],
      ...accounts.map(({ address, balance }) => [address, balance]),
    ]),
    ...(left > 0 ? [`… and ${left} more`] : []),
  ];
}

const noGenesis = (path: string, what: string): PydeError<GenesisFileErrorCode> =>
  new PydeError('genesis.file', `${path} is no genesis: ${what}; name the file in [chain] genesis`);

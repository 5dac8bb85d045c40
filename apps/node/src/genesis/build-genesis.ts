/**
 * A genesis from `genesis.toml` and the contributions of its validators. The same files give the same
 * bytes, whoever builds and in whatever order they lie in the folder: so every validator builds it
 * for itself, and all compare one hash.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PydeError, toHex } from '@pyde/core/bytes';
import { writeGenesis } from '@pyde/core/node';
import { MemoryStore } from '@pyde/core/platform';
import {
  type Genesis,
  type GenesisAllocation,
  type GenesisValidator,
  MAX_COMMITTEE_SIZE,
  toFalconPublicKey,
} from '@pyde/core/types';
import type { TomlFile } from '../config/index.ts';
import {
  type Contribution,
  MAX_CONTRIBUTION_BYTES,
  readContribution,
  validatorAddress,
} from './contribution.ts';
import { type GenesisToml, parametersOf, readGenesisToml } from './genesis-toml.ts';

export type BuildErrorCode =
  | 'genesis.committee'
  | 'genesis.contribution-twice'
  | 'genesis.stake'
  | 'contribution.size';

export interface BuiltGenesis {
  readonly genesis: Genesis;
  /** Where validators are found, in their order. */
  readonly seeds: readonly string[];
}

/** Files of a folder that are looked at. */
const MAX_FILES = 1_024;

/**
 * @param contributions the folder with a file `*.json` of each validator; none when all are in the TOML
 * @throws PydeError naming the file, and the line and key of the TOML, that is at fault
 */
export async function buildGenesis(
  tomlPath: string,
  contributions: string | undefined,
): Promise<BuiltGenesis> {
  const toml = readGenesisToml(tomlPath);
  const { chain, names, validators } = toml.value;
  const listed = validators.map((validator, i) => ({
    from: `${tomlPath}, validator ${i}`,
    contribution: {
      network: chain.name,
      publicKey: toFalconPublicKey(validator.public_key),
      operator: validator.operator,
      stake: validator.stake,
      addresses: validator.addresses,
    },
  }));
  const brought =
    contributions === undefined ? [] : readContributions(contributions, chain.name, toml.value);
  const seated = inOrder([...listed, ...brought]);
  const genesis: Genesis = {
    chainId: chain.id,
    timestampMs: BigInt(chain.start.getTime()),
    parameters: parametersOf(toml.value),
    validators: seated.map(seatOf),
    allocations: toml.value.allocations.map((_, i) => allocationAt(toml, i)),
    names,
  };
  // What a node refuses to start from is refused here.
  await writeGenesis(new MemoryStore(), genesis);
  return { genesis, seeds: [...new Set(seated.flatMap(({ addresses }) => addresses))] };
}

interface Sourced {
  readonly from: string;
  readonly contribution: Contribution;
}

function readContributions(folder: string, network: string, toml: GenesisToml): Sourced[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  if (files.length > MAX_FILES) {
    throw new PydeError<BuildErrorCode>(
      'genesis.committee',
      `${folder} holds ${files.length} contributions; a chain starts with at most ` +
        `${MAX_COMMITTEE_SIZE} validators`,
    );
  }
  const { min_stake, max_stake } = toml.contributions;
  return files.map((name) => {
    const from = join(folder, name);
    const { size } = statSync(from);
    if (size > MAX_CONTRIBUTION_BYTES) {
      throw new PydeError<BuildErrorCode>(
        'contribution.size',
        `${from} has ${size} bytes, a contribution at most ${MAX_CONTRIBUTION_BYTES}; leave it out`,
      );
    }
    const contribution = readContribution(readFileSync(from, 'utf8'), from, network);
    const { stake } = contribution;
    if (stake < (min_stake ?? 0n) || stake > (max_stake ?? stake)) {
      throw new PydeError<BuildErrorCode>(
        'genesis.stake',
        `${from}: its stake of ${stake} quanta is outside of min_stake and max_stake in ` +
          '[contributions]; ask its validator for another one',
      );
    }
    return { from, contribution };
  });
}

/** By address, each key once. */
function inOrder(all: readonly Sourced[]): Contribution[] {
  const bySeat = new Map<string, Sourced>();
  for (const sourced of all) {
    const address = toHex(validatorAddress(sourced.contribution.publicKey));
    const twin = bySeat.get(address);
    if (twin !== undefined) {
      throw new PydeError<BuildErrorCode>(
        'genesis.contribution-twice',
        `${sourced.from} and ${twin.from} are of the same key (${address}); keep one`,
      );
    }
    bySeat.set(address, sourced);
  }
  if (bySeat.size < 1 || bySeat.size > MAX_COMMITTEE_SIZE) {
    throw new PydeError<BuildErrorCode>(
      'genesis.committee',
      `there are ${bySeat.size} validators; a chain starts with 1 to ${MAX_COMMITTEE_SIZE}`,
    );
  }
  return [...bySeat.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { contribution }]) => contribution);
}

const seatOf = ({ publicKey, operator, stake }: Contribution): GenesisValidator => ({
  address: validatorAddress(publicKey),
  operator,
  publicKey,
  stake,
});

function allocationAt({ value, fault }: TomlFile<GenesisToml>, i: number): GenesisAllocation {
  const entry = value.allocations[i];
  const key = entry?.public_key;
  const address = entry?.address ?? (key === undefined ? undefined : validatorAddress(key));
  if (entry === undefined || address === undefined) {
    throw fault(['allocations', i], 'it needs an address or a public_key');
  }
  if (key !== undefined && toHex(validatorAddress(key)) !== toHex(address)) {
    throw fault(['allocations', i, 'address'], 'it is not the address of public_key; leave it out');
  }
  return {
    address,
    balance: entry.balance,
    authKeys:
      key === undefined ? { kind: 'none' } : { kind: 'single', key: toFalconPublicKey(key) },
  };
}

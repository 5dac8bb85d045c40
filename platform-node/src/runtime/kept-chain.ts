/**
 * The chain that a folder holds, or begins to hold: what an empty one starts from, and whether it is
 * the chain that its user means.
 */
import { equalBytes, isPydeError, PydeError, readU64BigEndian, toHex } from '@pyde/core/bytes';
import { adoptLoadedState, executeGenesis, readGenesisOf } from '@pyde/core/execution';
import type { KeyValueStore } from '@pyde/core/platform';
import { StateStore, TABLE, Table } from '@pyde/core/state';
import { type Genesis, genesisHash, type VertexHash } from '@pyde/core/types';

export type RuntimeErrorCode =
  | 'runtime.genesis-missing'
  | 'runtime.genesis-mismatch'
  | 'runtime.genesis-version'
  | 'runtime.no-network';

export interface ChainOptions {
  /** For messages. */
  readonly folder: string;
  /** What an empty folder starts from; not asked when the folder holds a chain. */
  readonly newGenesis?: () => Genesis;
  /** The chain that the folder must hold, when the caller knows it. */
  readonly expectedGenesis?: VertexHash;
  /** Fills an empty store with a state of version 0, which takes the place of the allocations. */
  readonly loadState?: (store: KeyValueStore) => Promise<void>;
  /** Whether other validators can be reached. */
  readonly hasNetwork: boolean;
}

/** @throws PydeError `runtime.genesis-version` for the chain of another version of this software */
function keptGenesis(store: KeyValueStore, folder: string): Genesis | undefined {
  try {
    return readGenesisOf(store);
  } catch (error) {
    if (!isPydeError(error, 'genesis.version')) throw error;
    throw new PydeError(
      'runtime.genesis-version',
      `${folder} holds a chain of another version of this software (${error.message}); run that ` +
        'version on it, or delete the folder to start a new chain',
      { folder },
    );
  }
}

/** The chain of the folder; in an empty one, the given genesis becomes wave 0. */
export async function openChain(store: KeyValueStore, options: ChainOptions): Promise<Genesis> {
  const kept = keptGenesis(store, options.folder);
  if (kept !== undefined) {
    const wanted = options.expectedGenesis;
    if (wanted !== undefined && !equalBytes(wanted, genesisHash(kept))) {
      throw new PydeError(
        'runtime.genesis-mismatch',
        `${options.folder} holds another chain (genesis ${toHex(genesisHash(kept))}); choose ` +
          'another folder',
      );
    }
    requireReach(kept, options);
    return kept;
  }
  const genesis = options.newGenesis?.();
  if (genesis === undefined) {
    throw new PydeError(
      'runtime.genesis-missing',
      `${options.folder} holds no chain yet; give the genesis that it shall start from`,
    );
  }
  requireReach(genesis, options);
  await options.loadState?.(store);
  const context = { state: StateStore.open(store), store };
  const wave =
    options.loadState === undefined
      ? executeGenesis(context, genesis)
      : adoptLoadedState(context, genesis);
  await store.batch(wave.writes, { sync: true });
  return genesis;
}

/** Messages to other members would be lost without a word. @throws PydeError `runtime.no-network` */
function requireReach({ validators }: Genesis, { hasNetwork, folder }: ChainOptions): void {
  if (validators.length === 1 || hasNetwork) return;
  throw new PydeError<RuntimeErrorCode>(
    'runtime.no-network',
    `the chain of ${folder} has ${validators.length} validators, and this command runs without a ` +
      'network to reach the others; run it with pyde node',
    { validators: validators.length },
  );
}

/** Newest wave with a certificate in the store. */
export async function newestCertifiedWave(store: KeyValueStore): Promise<bigint | undefined> {
  for await (const [key] of new Table(store, TABLE.certs).range({ reverse: true, limit: 1 })) {
    return readU64BigEndian(key);
  }
  return undefined;
}

/**
 * The folder of a localnet: what is missing is made, what is there goes on. Validators' keys are
 * random; the ten accounts are the devnet's, whose keys everybody knows.
 */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PydeError, toHex } from '@pyde/core/bytes';
import {
  encodeGenesis,
  type Genesis,
  genesisHash,
  QUANTA_PER_PYDE,
  toFalconPublicKey,
  toQuanta,
} from '@pyde/core/types';
import { systemRandom } from '@pyde/platform-node';
import { devnetAccounts } from '@pyde/platform-node/devnet';
import { newValidatorKey, writeKeyFile, writeSecretFile } from '@pyde/platform-node/keys';
import { readGenesisFile, validatorAddress } from '../genesis/index.ts';
import {
  fullNodeJson,
  genesisPath,
  type LocalnetErrorCode,
  type LocalnetJson,
  type NodeJson,
  readLocalnet,
  rpcPortOf,
  validatorJson,
  writeLocalnet,
} from './layout.ts';

export interface LocalnetOptions {
  readonly folder: string;
  /** Undefined: as the folder has it, else the default. */
  readonly validators: number | undefined;
  readonly fullNodes: number | undefined;
  readonly rpcBase: number | undefined;
  /** Of a new chain, beside the ten accounts; for load. */
  readonly moreAllocations?: Genesis['allocations'];
}

export interface MadeLocalnet {
  readonly localnet: LocalnetJson;
  readonly genesis: Genesis;
  readonly fresh: boolean;
}

export const LOCALNET_CHAIN_ID = 31_337;
export const LOCALNET_ACCOUNTS = 10;
/** 10,000,000 PYDE. */
export const LOCALNET_BALANCE = 10n ** 16n;
const DEFAULT_VALIDATORS = 4;
const DEFAULT_RPC_BASE = 9_933;
const STAKE = 10_000n * QUANTA_PER_PYDE;
const PASSWORD_BYTES = 16;

/** @throws PydeError of {@link LocalnetErrorCode} */
export async function makeLocalnet(
  options: LocalnetOptions,
  onProgress: (what: string) => void,
): Promise<MadeLocalnet> {
  const { folder } = options;
  const kept = readLocalnet(folder);
  if (kept !== undefined) return keptLocalnet(options, kept);
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined && readdirSync(folder).length > 0) {
    throw new PydeError<LocalnetErrorCode>(
      'localnet.folder',
      `${folder} holds something else than a localnet; name an empty folder with --dir`,
    );
  }
  const size = options.validators ?? DEFAULT_VALIDATORS;
  const rpcBase = options.rpcBase ?? DEFAULT_RPC_BASE;
  const validators: NodeJson[] = [];
  const publicKeys: Uint8Array[] = [];
  for (let i = 0; i < size; i++) {
    onProgress(`making key ${i + 1} of ${size}`);
    const node = validatorJson(folder, i, rpcBase + i);
    mkdirSync(node.folder, { recursive: true });
    publicKeys.push(await makeKey(node.folder));
    validators.push(node);
  }
  const genesis = localnetGenesis(publicKeys, options.moreAllocations ?? []);
  writeFileSync(genesisPath(folder), encodeGenesis(genesis));
  const localnet: LocalnetJson = {
    version: 1,
    chain_id: LOCALNET_CHAIN_ID,
    genesis_hash: toHex(genesisHash(genesis)),
    rpc_base: rpcBase,
    validators,
    full_nodes: fullNodes(folder, options.fullNodes ?? 0, rpcBase + size),
  };
  configure(localnet, () => true);
  // Last, so that a folder that names a localnet is a whole one.
  writeLocalnet(folder, localnet);
  return { localnet, genesis, fresh: true };
}

async function keptLocalnet(
  { folder, validators, fullNodes: wanted, rpcBase }: LocalnetOptions,
  kept: LocalnetJson,
): Promise<MadeLocalnet> {
  const size = kept.validators.length;
  if (validators !== undefined && validators !== size) {
    throw new PydeError<LocalnetErrorCode>(
      'localnet.options',
      `${folder} holds a chain of ${size} validators; leave --validators out, or name another --dir`,
    );
  }
  const base = rpcBase ?? kept.rpc_base;
  const localnet: LocalnetJson = {
    ...kept,
    rpc_base: base,
    validators: kept.validators.map((_, i) => validatorJson(folder, i, base + i)),
    full_nodes: fullNodes(folder, wanted ?? kept.full_nodes.length, base + size),
  };
  // Settings that somebody has changed stay, as long as they are right.
  const isMoved = base !== kept.rpc_base;
  configure(localnet, (path) => isMoved || !isFile(path));
  return { localnet, genesis: await readGenesisFile(genesisPath(folder)), fresh: false };
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

const fullNodes = (folder: string, count: number, firstPort: number): NodeJson[] =>
  Array.from({ length: count }, (_, i) => fullNodeJson(folder, i, firstPort + i));

async function makeKey(folder: string): Promise<Uint8Array> {
  const password = Buffer.from(systemRandom.bytes(PASSWORD_BYTES)).toString('hex');
  const key = newValidatorKey(systemRandom);
  // Left behind by a start that was interrupted: no chain knows it yet.
  await writeKeyFile(join(folder, 'validator.key'), key, password, systemRandom, {
    replaces: true,
  });
  await writeSecretFile(join(folder, 'password'), `${password}\n`, { replaces: true });
  key.secretKey.fill(0);
  return key.publicKey;
}

function localnetGenesis(publicKeys: readonly Uint8Array[], more: Genesis['allocations']): Genesis {
  return {
    chainId: BigInt(LOCALNET_CHAIN_ID),
    timestampMs: BigInt(Date.now()),
    parameters: {
      startBaseFee: toQuanta(100n),
      gasTargetPerSecond: 200_000_000n,
      waveGasCeiling: 400_000_000n,
      burnPercent: 70,
      rewardPoolPercent: 20,
      minRoundDelayMs: 20,
      idleRoundMs: 500,
      gcRounds: 500,
      epochDurationMs: 600_000,
    },
    validators: publicKeys.map((publicKey) => ({
      address: validatorAddress(publicKey),
      operator: validatorAddress(publicKey),
      publicKey: toFalconPublicKey(publicKey),
      stake: toQuanta(STAKE),
    })),
    allocations: [
      ...devnetAccounts(LOCALNET_ACCOUNTS).map(
        ({ address, publicKey }): Genesis['allocations'][number] => ({
          address,
          balance: toQuanta(LOCALNET_BALANCE),
          authKeys: { kind: 'single', key: toFalconPublicKey(publicKey) },
        }),
      ),
      ...more,
    ],
    names: [],
  };
}

/** Writes the settings of the nodes for which `isWanted` says so. */
function configure(
  { validators, full_nodes }: LocalnetJson,
  isWanted: (path: string) => boolean,
): void {
  for (const node of [...validators, ...full_nodes]) {
    const path = join(node.folder, 'pyde.toml');
    if (!isWanted(path)) continue;
    mkdirSync(node.folder, { recursive: true });
    const isValidator = validators.includes(node);
    const seeds = validators.filter((other) => other !== node).map(({ p2p_addrs }) => p2p_addrs[0]);
    writeFileSync(path, settings(node, isValidator, seeds));
  }
}

function settings(
  node: NodeJson,
  isValidator: boolean,
  seeds: readonly (string | undefined)[],
): string {
  const list = (items: readonly (string | undefined)[]): string =>
    items.length === 0
      ? '[]'
      : `[\n${items.map((item) => `  ${JSON.stringify(item)},\n`).join('')}]`;
  const validator = `[validator]\nkey = "validator.key"\npassword_file = "password"\n\n`;
  return `# Made by pyde localnet; what you change here stays.
[chain]
genesis = "../genesis.bin"

[node]
folder = "."

${isValidator ? validator : ''}[network]
listen = ${list(node.p2p_addrs)}
seeds = ${list(seeds)}

[rpc]
listen = "127.0.0.1:${rpcPortOf(node)}"
sender_rate = 0

[log]
level = "info"
format = "json"
file = "node.log"
`;
}

/**
 * Which node a command talks to and which chain it signs for (OTIGEN_BINARY_SPEC §3.3.1): a network
 * of otigen.toml, or `--rpc-url` together with `--chain-id`. A chain id is never taken from the
 * node for a signature: the node would then choose what is signed.
 */
import { fromQuantity, isPydeError, U64_MAX } from '@pyde/core/bytes';
import { RpcClient } from '@pyde/platform-node/client';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Cli } from '../cli.ts';
import { Failure, invalidArgs } from '../output/index.ts';

export interface TargetOptions {
  readonly rpcUrl?: string;
  readonly chainId?: bigint;
}

export interface Target {
  /** Name for people: the network's, or the address given. */
  readonly name: string;
  readonly client: RpcClient;
  /** What was configured; undefined only for a bare `--rpc-url` of a command that signs nothing. */
  readonly chainId: bigint | undefined;
}

export interface SigningTarget extends Target {
  readonly chainId: bigint;
}

/** Adds `--rpc-url` and `--chain-id`. */
export function targetOptions(command: Command): Command {
  return command
    .option('--rpc-url <URL>', 'node to use instead of the network of otigen.toml')
    .option('--chain-id <N>', 'chain id of that node', parseChainId);
}

export function parseChainId(text: string): bigint {
  if (/^[0-9]{1,20}$/.test(text)) {
    const id = BigInt(text);
    if (id >= 1n && id <= U64_MAX) return id;
  }
  throw new InvalidArgumentError('A chain id is a whole number from 1.');
}

/** The node of a command that only reads. */
export async function readingTarget(cli: Cli, options: TargetOptions): Promise<Target> {
  if (options.rpcUrl !== undefined) {
    return {
      name: options.rpcUrl,
      client: new RpcClient(options.rpcUrl),
      chainId: options.chainId,
    };
  }
  const manifest = await cli.manifest();
  const name = cli.options.network ?? manifest.defaultNetwork;
  const known = [...manifest.networks.keys()].join(', ');
  if (name === undefined) {
    throw new Failure('validation', 'NoNetwork', 'no network was chosen', {
      details: { networks: known },
      next: 'pass --network <NAME>, or set name in [network.default] of otigen.toml',
    });
  }
  const network = manifest.networks.get(name);
  if (network === undefined) {
    throw new Failure('validation', 'UnknownNetwork', `there is no network "${name}"`, {
      details: { networks: known, config: manifest.path ?? 'built in' },
      next: `add [network.${name}] with rpc_url and chain_id to otigen.toml, or pass --rpc-url and --chain-id`,
    });
  }
  if (options.chainId !== undefined && options.chainId !== network.chainId) {
    throw invalidArgs(
      `--chain-id ${options.chainId} is not that of the network "${name}", ${network.chainId}`,
      'pass --rpc-url together with --chain-id to use another node',
    );
  }
  return { name, client: new RpcClient(network.rpcUrl), chainId: network.chainId };
}

/**
 * The node of a command that signs, after checking that it serves the chain signed for.
 * @throws Failure `InvalidArgs` when only one of `--rpc-url` and `--chain-id` is given,
 * `WrongChain`
 */
export async function signingTarget(cli: Cli, options: TargetOptions): Promise<SigningTarget> {
  if (options.rpcUrl !== undefined && options.chainId === undefined) {
    throw invalidArgs(
      '--rpc-url needs --chain-id: the signature commits to the chain id',
      'pass --chain-id <N>, 31337 for a devnet',
    );
  }
  if (options.rpcUrl === undefined && options.chainId !== undefined) {
    throw invalidArgs('--chain-id needs --rpc-url', 'pass both, or neither to use otigen.toml');
  }
  const target = await readingTarget(cli, options);
  const { chainId } = target;
  if (chainId === undefined) throw invalidArgs('no chain id is known for this node');
  const served = await chainIdOf(target.client);
  if (served !== chainId) {
    throw new Failure(
      'validation',
      'WrongChain',
      `the node at ${target.client.url} serves chain ${served}, not ${chainId}`,
      { next: 'check the rpc_url and chain_id of the network' },
    );
  }
  return { ...target, chainId };
}

/** What the node says its chain is. */
export async function chainIdOf(client: RpcClient): Promise<bigint> {
  const answer = await client.call('pyde_chainId');
  return quantityOf(answer, 'pyde_chainId', client.url);
}

/** A Q of an answer, up to 2^128. @throws Failure `BadAnswer` */
export function quantityOf(value: unknown, what: string, url: string): bigint {
  try {
    if (typeof value === 'string') return fromQuantity(value, (1n << 128n) - 1n);
  } catch (error) {
    if (!isPydeError(error)) throw error;
  }
  throw badAnswer(what, url);
}

export function badAnswer(what: string, url: string): Failure {
  return new Failure('resource', 'BadAnswer', `the node's answer cannot be read: ${what}`, {
    details: { url },
    next: 'check that the address is that of a Pyde node',
  });
}

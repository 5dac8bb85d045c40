/** Which roots a verification runs against: those of the flags, else those accepted before. */
import { readFile, stat } from 'node:fs/promises';
import { fromHex, toHex } from '@pyde/core/bytes';
import { eoaAddress, FALCON_PUBLIC_KEY_BYTES } from '@pyde/core/crypto';
import { decodeGenesis, toAddress, toEpoch, toFalconPublicKey } from '@pyde/core/types';
import type { RpcClient } from '@pyde/platform-node/client';
import type { Command } from 'commander';
import * as v from 'valibot';
import type { Cli } from '../cli.ts';
import { badAnswer } from '../network/index.ts';
import { Failure, invalidArgs } from '../output/index.ts';
import { acceptedRoots, acceptGenesis, acceptRoot, type TrustRoot } from './trust-store.ts';

export interface TrustOptions {
  readonly genesis?: string;
  readonly trustValidator?: readonly string[];
  readonly trustOnFirstUse?: boolean;
}

const FirstWave = v.looseObject({
  anchor_hash: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{64}$/)),
});
const MAX_GENESIS_BYTES = 256 * 1024 * 1024;

export function trustOptions(command: Command): Command {
  return command
    .option('--genesis <FILE>', 'accept this genesis, from now on (a devnet writes it to --state)')
    .option(
      '--trust-validator <PUBKEY...>',
      'verify against these committee keys, in seat order, this once',
    )
    .option(
      '--trust-on-first-use',
      'accept the keys that the node itself names, if none are accepted yet',
    );
}

/** @throws Failure `NoTrustRoot` when nothing says whom to believe */
export async function trustRoots(
  cli: Cli,
  chainId: bigint,
  client: RpcClient,
  options: TrustOptions,
): Promise<readonly TrustRoot[]> {
  if (options.trustValidator !== undefined) return [rootOfKeys(options.trustValidator)];
  if (options.genesis !== undefined) return [await rootOfFile(cli, chainId, options.genesis)];
  const accepted = await acceptedRoots(cli, chainId);
  if (accepted.length > 0) return rootsOfServedGenesis(accepted, client);
  if (options.trustOnFirstUse === true) return [await rootOfNode(cli, chainId, client)];
  throw new Failure('validation', 'NoTrustRoot', `no genesis of chain ${chainId} is accepted yet`, {
    next: 'pass --genesis <FILE> from a source other than the node, --trust-validator <PUBKEY>, or --trust-on-first-use',
  });
}

/**
 * The accepted roots with the genesis that the node says its chain has, so that an answer is about
 * that chain and not about another with the same keys, as devnets have. A node that lies here gains
 * nothing: the committee still has to have signed.
 */
async function rootsOfServedGenesis(
  accepted: readonly TrustRoot[],
  client: RpcClient,
): Promise<readonly TrustRoot[]> {
  const served = await servedGenesis(client);
  const roots = accepted.filter(({ genesisHash }) => genesisHash === served);
  if (roots.length > 0) return roots;
  throw new Failure(
    'validation',
    'UnknownGenesis',
    `the node's chain starts from genesis ${served}, which is not accepted`,
    {
      details: { accepted: accepted.map(({ genesisHash }) => genesisHash ?? '').join(' ') },
      next: 'check that it is the right node; accept its genesis with --genesis <FILE>, or name its keys with --trust-validator',
    },
  );
}

async function servedGenesis(client: RpcClient): Promise<string> {
  const first = v.safeParse(FirstWave, await client.call('pyde_getWave', [0]));
  if (!first.success) throw badAnswer('pyde_getWave', client.url);
  return first.output.anchor_hash;
}

function rootOfKeys(keys: readonly string[]): TrustRoot {
  const members = keys.map((text) => {
    const hex = text.startsWith('0x') ? text : `0x${text}`;
    const publicKey = toFalconPublicKey(fromHex(hex, { exactBytes: FALCON_PUBLIC_KEY_BYTES }));
    return { publicKey, address: toAddress(eoaAddress(publicKey)) };
  });
  const committee = { epoch: toEpoch(0), members };
  return { committee, genesisHash: undefined, source: '--trust-validator' };
}

async function rootOfFile(cli: Cli, chainId: bigint, path: string): Promise<TrustRoot> {
  const { size } = await stat(path);
  if (size > MAX_GENESIS_BYTES) {
    throw invalidArgs(`--genesis: ${path} has ${size} bytes, which is no genesis`);
  }
  const genesis = decodeGenesis(new Uint8Array(await readFile(path)));
  if (genesis.chainId !== chainId) {
    throw invalidArgs(`--genesis: ${path} is of chain ${genesis.chainId}, not ${chainId}`);
  }
  return acceptGenesis(cli, genesis, `genesis file ${path}`);
}

/** Only a chain of one validator names all its keys through one node. */
async function rootOfNode(cli: Cli, chainId: bigint, client: RpcClient): Promise<TrustRoot> {
  const Info = v.looseObject({ falcon_pubkey: v.string() });
  const info = v.safeParse(Info, await client.call('pyde_getNodeInfo'));
  const genesisHash = await servedGenesis(client);
  if (!info.success) throw badAnswer('pyde_getNodeInfo', client.url);
  const { committee } = rootOfKeys([info.output.falcon_pubkey]);
  const [member] = committee.members;
  cli.output.warn(
    `accepting the validator ${member === undefined ? '' : toHex(member.address)} on the word of ${client.url}`,
  );
  return acceptRoot(cli, chainId, {
    committee,
    genesisHash,
    source: `first use of ${client.url}`,
  });
}

/** Which root a verification begins from: that of the flags, else one that was accepted before. */
import { readFile, stat } from 'node:fs/promises';
import { fromHex, toHex } from '@pyde/core/bytes';
import { eoaAddress, FALCON_PUBLIC_KEY_BYTES } from '@pyde/core/crypto';
import { type Committee, genesisCommittee } from '@pyde/core/finality';
import {
  decodeGenesis,
  genesisHash,
  toAddress,
  toEpoch,
  toFalconPublicKey,
} from '@pyde/core/types';
import type { RpcClient } from '@pyde/platform-node/client';
import type { Command } from 'commander';
import * as v from 'valibot';
import type { Cli } from '../cli.ts';
import { badAnswer } from '../network/index.ts';
import { Failure, invalidArgs } from '../output/index.ts';
import { acceptedRoots, acceptRoot, firstHead, type TrustRoot } from './trust-store.ts';

export interface TrustOptions {
  readonly genesis?: string;
  readonly trustValidator?: readonly string[];
  readonly trustOnFirstUse?: boolean;
  readonly trustOldRoot?: boolean;
}

const FirstWave = v.looseObject({
  anchor_hash: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{64}$/)),
});
/** `listen_addrs` is empty where there is no network: `spec/rpc.md`. */
const NodeInfo = v.looseObject({
  falcon_pubkey: v.string(),
  listen_addrs: v.array(v.string()),
});
const MAX_GENESIS_BYTES = 256 * 1024 * 1024;

export function trustOptions(command: Command): Command {
  return command
    .option('--genesis <FILE>', 'accept this genesis, from now on (a devnet writes it to --state)')
    .option(
      '--trust-validator <PUBKEY...>',
      'verify from these keys, the validators of genesis in its order, this once',
    )
    .option(
      '--trust-on-first-use',
      'accept the key that the node of a devnet names, if none are accepted yet',
    )
    .option('--trust-old-root', 'believe what was last known to be right more than 21 days ago');
}

/** @throws Failure `NoTrustRoot` when nothing says whom to believe, `UnknownGenesis` */
export async function trustRoot(
  cli: Cli,
  chainId: bigint,
  client: RpcClient,
  options: TrustOptions,
): Promise<TrustRoot> {
  if (options.trustValidator !== undefined) return rootOfKeys(chainId, options.trustValidator);
  if (options.genesis !== undefined) return rootOfFile(cli, chainId, options.genesis);
  const accepted = await acceptedRoots(cli, chainId);
  if (accepted.length > 0) return rootOfServedGenesis(accepted, client);
  if (options.trustOnFirstUse === true) return rootOfNode(cli, chainId, client);
  throw new Failure('validation', 'NoTrustRoot', `no genesis of chain ${chainId} is accepted yet`, {
    next: 'pass --genesis <FILE> from a source other than the node, --trust-validator <PUBKEY>, or --trust-on-first-use',
  });
}

/**
 * The accepted root with the genesis that the node says its chain has, so that an answer is about
 * that chain and not about another with the same keys, as devnets have. A node that lies here gains
 * nothing: the committee still has to have signed.
 */
async function rootOfServedGenesis(
  accepted: readonly TrustRoot[],
  client: RpcClient,
): Promise<TrustRoot> {
  const served = await servedGenesis(client);
  const root = accepted.find((one) => one.genesisHash === served);
  if (root !== undefined) return root;
  throw new Failure(
    'validation',
    'UnknownGenesis',
    `the node's chain starts from genesis ${served}, which is not accepted`,
    {
      details: { accepted: accepted.map((one) => one.genesisHash ?? '').join(' ') },
      next: 'check that it is the right node; accept its genesis with --genesis <FILE>, or name its keys with --trust-validator',
    },
  );
}

async function servedGenesis(client: RpcClient): Promise<string> {
  const first = v.safeParse(FirstWave, await client.call('pyde_getWave', [0]));
  if (!first.success) throw badAnswer('pyde_getWave', client.url);
  return first.output.anchor_hash;
}

/** Whoever names keys vouches for them now. */
function rootOfKeys(chainId: bigint, keys: readonly string[]): TrustRoot {
  const committee = committeeOf(keys);
  const head = firstHead(chainId, committee, Date.now());
  return { committee, head, genesisHash: undefined, source: '--trust-validator' };
}

function committeeOf(keys: readonly string[]): Committee {
  const members = keys.map((text) => {
    const hex = text.startsWith('0x') ? text : `0x${text}`;
    const publicKey = toFalconPublicKey(fromHex(hex, { exactBytes: FALCON_PUBLIC_KEY_BYTES }));
    return { publicKey, address: toAddress(eoaAddress(publicKey)) };
  });
  return { epoch: toEpoch(0), members };
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
  return acceptRoot(cli, chainId, {
    committee: genesisCommittee(genesis),
    genesisHash: toHex(genesisHash(genesis)),
    source: `genesis file ${path}`,
    asOfMs: Number(genesis.timestampMs),
    keepsHead: true,
  });
}

/** A chain of one validator alone names all its keys through one node. */
async function rootOfNode(cli: Cli, chainId: bigint, client: RpcClient): Promise<TrustRoot> {
  const info = v.safeParse(NodeInfo, await client.call('pyde_getNodeInfo'));
  const hash = await servedGenesis(client);
  if (!info.success) throw badAnswer('pyde_getNodeInfo', client.url);
  const peers = info.output.listen_addrs;
  if (peers.length > 0) {
    throw new Failure(
      'validation',
      'NoTrustRoot',
      'the node is one of a network, and does not name the keys of the other validators',
      { next: 'pass --genesis <FILE> from a source other than the node' },
    );
  }
  const committee = committeeOf([info.output.falcon_pubkey]);
  const [member] = committee.members;
  cli.output.warn(
    `accepting the validator ${member === undefined ? '' : toHex(member.address)} on the word of ${client.url}`,
  );
  return acceptRoot(cli, chainId, {
    committee,
    genesisHash: hash,
    source: `first use of ${client.url}`,
    asOfMs: Date.now(),
    keepsHead: false,
  });
}

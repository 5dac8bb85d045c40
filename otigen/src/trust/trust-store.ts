/**
 * Whom `balance --verify` believes: the committees of geneses that this user has accepted, in
 * `~/.pyde/trust/<chain id>.json`. A genesis gets there from `otigen devnet` (this machine made it),
 * from `--genesis FILE`, or, only when asked for, from the node at first use. A certificate then
 * counts when one of these committees signed it; what a node says of itself never does.
 */
import { readFile, stat } from 'node:fs/promises';
import { fromHex, toHex } from '@pyde/core/bytes';
import { type Committee, genesisCommittee } from '@pyde/core/finality';
import {
  FALCON_PUBLIC_KEY_BYTES,
  type Genesis,
  genesisHash,
  toAddress,
  toEpoch,
  toFalconPublicKey,
} from '@pyde/core/types';
import * as v from 'valibot';
import type { Cli } from '../cli.ts';
import { withLock, writeWhole } from '../keystore/index.ts';
import { Failure } from '../output/index.ts';

export interface TrustRoot {
  readonly committee: Committee;
  /** 0x hex; undefined when only keys were given. */
  readonly genesisHash: string | undefined;
  /** Where it came from, for people. */
  readonly source: string;
}

/** Older ones are forgotten; every fresh devnet adds one. */
const MAX_ROOTS = 16;
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_MEMBERS = 128;

const Hex = v.pipe(v.string(), v.regex(/^0x([0-9a-f]{2})*$/));
const RootJson = v.object({
  genesis_hash: v.pipe(Hex, v.length(66)),
  committee: v.pipe(
    v.array(
      v.object({
        address: v.pipe(Hex, v.length(66)),
        public_key: v.pipe(Hex, v.length(2 + 2 * FALCON_PUBLIC_KEY_BYTES)),
      }),
    ),
    v.minLength(1),
    v.maxLength(MAX_MEMBERS),
  ),
  source: v.string(),
  accepted_at: v.string(),
});
type RootJson = v.InferOutput<typeof RootJson>;
const FileJson = v.object({
  version: v.literal(1),
  chain_id: v.string(),
  roots: v.pipe(v.array(RootJson), v.maxLength(MAX_ROOTS)),
});

/** Accepted roots of a chain, the newest first. @throws Failure `CorruptTrust` */
export async function acceptedRoots(cli: Cli, chainId: bigint): Promise<TrustRoot[]> {
  return (await readRoots(trustPath(cli, chainId), chainId)).map((root) => ({
    committee: {
      epoch: toEpoch(0),
      members: root.committee.map((member) => ({
        address: toAddress(fromHex(member.address, { exactBytes: 32 })),
        publicKey: toFalconPublicKey(
          fromHex(member.public_key, { exactBytes: FALCON_PUBLIC_KEY_BYTES }),
        ),
      })),
    },
    genesisHash: root.genesis_hash,
    source: root.source,
  }));
}

/** Accepts a genesis from now on. */
export function acceptGenesis(cli: Cli, genesis: Genesis, source: string): Promise<TrustRoot> {
  return acceptRoot(cli, genesis.chainId, {
    committee: genesisCommittee(genesis),
    genesisHash: toHex(genesisHash(genesis)),
    source,
  });
}

/** @returns the root itself */
export async function acceptRoot(
  cli: Cli,
  chainId: bigint,
  root: TrustRoot & { readonly genesisHash: string },
): Promise<TrustRoot> {
  const path = trustPath(cli, chainId);
  await withLock(path, async () => {
    const others = (await readRoots(path, chainId)).filter(
      ({ genesis_hash }) => genesis_hash !== root.genesisHash,
    );
    const fresh: RootJson = {
      genesis_hash: root.genesisHash,
      committee: root.committee.members.map((member) => ({
        address: toHex(member.address),
        public_key: toHex(member.publicKey),
      })),
      source: root.source,
      accepted_at: new Date().toISOString(),
    };
    const roots = [fresh, ...others].slice(0, MAX_ROOTS);
    const file = { version: 1, chain_id: chainId.toString(), roots };
    await writeWhole(path, `${JSON.stringify(file, undefined, 2)}\n`);
  });
  return root;
}

function trustPath(cli: Cli, chainId: bigint): string {
  return cli.pydePath('trust', `${chainId}.json`);
}

async function readRoots(path: string, chainId: bigint): Promise<readonly RootJson[]> {
  const size = await stat(path).catch(() => undefined);
  if (size === undefined) return [];
  let json: unknown;
  try {
    if (size.size > MAX_BYTES) throw new SyntaxError('too long');
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw corrupt(path, 'it is not JSON');
    throw error;
  }
  const file = v.safeParse(FileJson, json);
  if (!file.success) {
    const issue = file.issues[0];
    throw corrupt(path, `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
  }
  if (file.output.chain_id !== chainId.toString()) throw corrupt(path, 'it is of another chain');
  return file.output.roots;
}

function corrupt(path: string, why: string): Failure {
  return new Failure('validation', 'CorruptTrust', `the trusted keys cannot be read: ${why}`, {
    details: { path },
    next: 'repair the file, or remove it and accept the genesis again with --genesis',
  });
}

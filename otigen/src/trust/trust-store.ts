/**
 * Whom `balance --verify` believes: the committees of geneses that this user has accepted, in
 * `~/.pyde/trust/<chain id>.json`, and beside each the head to which certificates have led since, so
 * that the next check goes on from there. A genesis gets there from a chain that was started on this
 * machine, from `--genesis FILE`, or, only when asked for, from the node at first use. A certificate
 * counts when such a committee, or one that it handed over to, signed it; what a node says of itself
 * never does.
 */
import { readFile, stat } from 'node:fs/promises';
import { fromHex, toHex } from '@pyde/core/bytes';
import { type Committee, genesisCommittee, type TrustedHead } from '@pyde/core/finality';
import {
  FALCON_PUBLIC_KEY_BYTES,
  type Genesis,
  genesisHash,
  MAX_COMMITTEE_SIZE,
  toAddress,
  toEpoch,
  toFalconPublicKey,
} from '@pyde/core/types';
import * as v from 'valibot';
import type { Cli } from '../cli.ts';
import { withLock, writeWhole } from '../keystore/index.ts';
import { Failure } from '../output/index.ts';

export interface TrustRoot {
  /** Of epoch 0: the validators of genesis, in its order, of whom later committees are drawn. */
  readonly committee: Committee;
  /** The newest that is known; as the committee of epoch 0 at first. */
  readonly head: TrustedHead;
  /** 0x hex; undefined when only keys were given. */
  readonly genesisHash: string | undefined;
  /** Where it came from, for people. */
  readonly source: string;
}

/** A root that is accepted from now on. */
export interface AcceptedRoot {
  readonly committee: Committee;
  readonly genesisHash: string;
  readonly source: string;
  /** When these were known to be the validators, Unix milliseconds. */
  readonly asOfMs: number;
  /** Whether what certificates led to before stays known. */
  readonly keepsHead: boolean;
}

/** Older ones are forgotten; every fresh devnet adds one. */
const MAX_ROOTS = 16;
const MAX_BYTES = 8 * 1024 * 1024;

const Hex = v.pipe(v.string(), v.regex(/^0x([0-9a-f]{2})*$/));
const Whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const HeadJson = v.object({
  epoch: Whole,
  closing_wave: Whole,
  closing_time_ms: Whole,
  as_of_ms: Whole,
  /** Members in seat order, by their place in the root's committee. */
  seats: v.pipe(v.array(Whole), v.minLength(1), v.maxLength(MAX_COMMITTEE_SIZE)),
});
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
    v.maxLength(MAX_COMMITTEE_SIZE),
  ),
  source: v.string(),
  accepted_at: v.pipe(v.string(), v.isoTimestamp()),
  /** Undefined in files of before: as of when it was accepted. */
  as_of_ms: v.optional(Whole),
  head: v.optional(HeadJson),
});
type RootJson = v.InferOutput<typeof RootJson>;
const FileJson = v.object({
  version: v.literal(1),
  chain_id: v.string(),
  roots: v.pipe(v.array(RootJson), v.maxLength(MAX_ROOTS)),
});

/** Accepted roots of a chain, the newest first. @throws Failure `CorruptTrust` */
export async function acceptedRoots(cli: Cli, chainId: bigint): Promise<TrustRoot[]> {
  const path = trustPath(cli, chainId);
  return (await readRoots(path, chainId)).map((root) => rootOf(root, chainId));
}

/** The head of epoch 0, from keys that somebody vouches for. */
export function firstHead(chainId: bigint, committee: Committee, asOfMs: number): TrustedHead {
  return { chainId, committee, closingWave: 0n, closingTimeMs: 0n, asOfMs: BigInt(asOfMs) };
}

/**
 * Accepts from now on the genesis of a chain that this machine starts now: nobody else has its word
 * to give, so it is as of now, and what was known of it before is begun anew with it.
 */
export function acceptGenesis(cli: Cli, genesis: Genesis, source: string): Promise<TrustRoot> {
  return acceptRoot(cli, genesis.chainId, {
    committee: genesisCommittee(genesis),
    genesisHash: toHex(genesisHash(genesis)),
    source,
    asOfMs: Date.now(),
    keepsHead: false,
  });
}

/** @returns the root as it is kept now */
export async function acceptRoot(
  cli: Cli,
  chainId: bigint,
  { committee, genesisHash: hash, source, asOfMs, keepsHead }: AcceptedRoot,
): Promise<TrustRoot> {
  return change(cli, chainId, (roots) => {
    const known = roots.find(({ genesis_hash }) => genesis_hash === hash);
    const { head } = known ?? {};
    const fresh: RootJson = {
      genesis_hash: hash,
      committee: committee.members.map((member) => ({
        address: toHex(member.address),
        public_key: toHex(member.publicKey),
      })),
      source,
      accepted_at: new Date().toISOString(),
      as_of_ms: Math.max(asOfMs, known === undefined ? 0 : asOfMsOf(known)),
      ...(keepsHead && head !== undefined ? { head } : {}),
    };
    const others = roots.filter((root) => root !== known);
    return { roots: [fresh, ...others].slice(0, MAX_ROOTS), result: rootOf(fresh, chainId) };
  });
}

/**
 * Keeps a verified head of an accepted root, unless a later one is kept already. Keys that were given
 * for one run are not kept.
 */
export async function rememberHead(
  cli: Cli,
  chainId: bigint,
  { genesisHash: hash, committee }: TrustRoot,
  head: TrustedHead,
): Promise<void> {
  const places = new Map(committee.members.map(({ address }, i) => [toHex(address), i]));
  const seats = head.committee.members.map(({ address }) => places.get(toHex(address)) ?? -1);
  if (hash === undefined || seats.includes(-1)) return;
  const json = {
    epoch: head.committee.epoch,
    closing_wave: Number(head.closingWave),
    closing_time_ms: Number(head.closingTimeMs),
    as_of_ms: Number(head.asOfMs),
    seats,
  };
  await change(cli, chainId, (roots) => ({
    roots: roots.map((root) => {
      const isLater = (root.head?.epoch ?? 0) < json.epoch;
      return root.genesis_hash === hash && isLater ? { ...root, head: json } : root;
    }),
    result: undefined,
  }));
}

function rootOf(root: RootJson, chainId: bigint): TrustRoot {
  const members = root.committee.map((member) => ({
    address: toAddress(fromHex(member.address, { exactBytes: 32 })),
    publicKey: toFalconPublicKey(
      fromHex(member.public_key, { exactBytes: FALCON_PUBLIC_KEY_BYTES }),
    ),
  }));
  const committee = { epoch: toEpoch(0), members };
  const { genesis_hash, source, head } = root;
  const kept = { committee, genesisHash: genesis_hash, source };
  if (head === undefined) {
    return { ...kept, head: firstHead(chainId, committee, asOfMsOf(root)) };
  }
  const seated = head.seats.flatMap((place) => members[place] ?? []);
  return {
    ...kept,
    head: {
      chainId,
      committee: { epoch: toEpoch(head.epoch), members: seated },
      closingWave: BigInt(head.closing_wave),
      closingTimeMs: BigInt(head.closing_time_ms),
      asOfMs: BigInt(head.as_of_ms),
    },
  };
}

const asOfMsOf = ({ as_of_ms, accepted_at }: RootJson): number =>
  as_of_ms ?? Date.parse(accepted_at);

function trustPath(cli: Cli, chainId: bigint): string {
  return cli.pydePath('trust', `${chainId}.json`);
}

async function change<T>(
  cli: Cli,
  chainId: bigint,
  work: (roots: readonly RootJson[]) => { readonly roots: readonly RootJson[]; readonly result: T },
): Promise<T> {
  const path = trustPath(cli, chainId);
  return withLock(path, async () => {
    const { roots, result } = work(await readRoots(path, chainId));
    const file = { version: 1, chain_id: chainId.toString(), roots };
    await writeWhole(path, `${JSON.stringify(file, undefined, 2)}\n`);
    return result;
  });
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
  const { chain_id, roots } = file.output;
  if (chain_id !== chainId.toString()) throw corrupt(path, 'it is of another chain');
  if (!roots.every(areSeatsRight)) throw corrupt(path, 'the seats of a head are no members');
  return roots;
}

function areSeatsRight({ head, committee }: RootJson): boolean {
  const seats = head?.seats ?? [];
  return seats.every((place) => place < committee.length) && new Set(seats).size === seats.length;
}

function corrupt(path: string, why: string): Failure {
  return new Failure('validation', 'CorruptTrust', `the trusted keys cannot be read: ${why}`, {
    details: { path },
    next: 'repair the file, or remove it and accept the genesis again with --genesis',
  });
}

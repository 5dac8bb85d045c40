/**
 * `otigen balance ADDR [--verify]`. Without `--verify` it prints what the node says. With it, the
 * account's state at the newest certified wave is checked on this machine, and the answer states
 * against what.
 */
import { toHex } from '@pyde/core/bytes';
import { oldestTrustedMs, type VerifiedAccount } from '@pyde/core/finality';
import type { Address } from '@pyde/core/types';
import type { Cli } from '../cli.ts';
import { readKeystore } from '../keystore/index.ts';
import {
  quantityOf,
  readingTarget,
  type Target,
  type TargetOptions,
  targetOptions,
} from '../network/index.ts';
import { invalidArgs } from '../output/index.ts';
import type { DefineCommand } from '../program.ts';
import { formatAmount, resolveParty } from '../transaction/index.ts';
import {
  rememberHead,
  type TrustOptions,
  type TrustRoot,
  trustOptions,
  trustRoot,
  verifiedAccount,
} from '../trust/index.ts';

interface BalanceOptions extends TargetOptions, TrustOptions {
  readonly verify?: boolean;
}

/** Older than this, the certified wave is pointed out as old. */
const OLD_AFTER_MS = 60_000;

export const define: DefineCommand = (command, cli) => {
  trustOptions(targetOptions(command))
    .argument('<ADDR>', '0x address, account of the keystore, or (unverified) name on the chain')
    .option('--verify', 'check the finality certificate and both Merkle proofs on this machine')
    .addHelpText('after', TRUST_HELP)
    .action((who, options) => run(cli(), who, options));
};

const TRUST_HELP = `
Verification checks, on this machine: that a quorum of the committee signed the newest certified
wave, that the account's proof leads to the wave's Blake3 root, and that it leads to its Poseidon2
root. The committee is known from that of a genesis you have accepted, through the certificate that
ends each epoch and names the next committee. "otigen devnet" and "pyde localnet" accept the genesis
they make, --genesis <FILE> accepts one from a file, --trust-validator names keys for one run, and
--trust-on-first-use takes the word of a devnet's node once. Accepted ones are kept in ~/.pyde/trust,
with the committee that was verified last, from which the next run goes on. What was last known to be
right more than 21 days ago is refused without --trust-old-root: old members may have signed another
chain since. A wrong answer of the node ends with exit code 1. The keys of a devnet's validator are
public, so on a devnet this shows that the answer is consistent, not that nobody else made the chain.`;

async function run(cli: Cli, who: string, options: BalanceOptions): Promise<void> {
  const target = await readingTarget(cli, options);
  const keystore = await readKeystore(await cli.keystorePath());
  // Which address the chain has under a name would be the node's word, so --verify asks for none.
  const names = options.verify === true ? undefined : target.client;
  const address = await resolveParty(who, keystore, names);
  if (options.verify === true) await verified(cli, target, address, options);
  else if (isAboutTrust(options)) {
    throw invalidArgs('--genesis and --trust-… only mean something with --verify', 'add --verify');
  } else await asked(cli, target, address);
}

const isAboutTrust = (options: BalanceOptions): boolean =>
  options.genesis !== undefined ||
  options.trustValidator !== undefined ||
  options.trustOnFirstUse === true ||
  options.trustOldRoot === true;

async function asked(cli: Cli, { client }: Target, address: Address): Promise<void> {
  const answer = await client.call('pyde_getBalance', [toHex(address)]);
  const balance = quantityOf(answer, 'pyde_getBalance', client.url);
  cli.output.event(
    'balance',
    { address: toHex(address), balance: balance.toString(), verified: false },
    formatAmount(balance),
  );
}

async function verified(
  cli: Cli,
  { client, chainId }: Target,
  address: Address,
  options: BalanceOptions,
): Promise<void> {
  if (chainId === undefined) {
    throw invalidArgs(
      '--verify with --rpc-url needs --chain-id: the node must not choose the chain',
      'pass --chain-id <N>, 31337 for a devnet',
    );
  }
  const trust = await trustRoot(cli, chainId, client, options);
  const now = BigInt(Date.now());
  const result = await verifiedAccount(client, address, {
    trust,
    oldestMs: options.trustOldRoot === true ? 0n : oldestTrustedMs(now),
    onProgress: (epoch, newest) =>
      cli.output.event(
        'committee_verified',
        { epoch, newest_epoch: newest },
        `verified the committees of epochs up to ${epoch}; the newest is ${newest}`,
      ),
    remember: (head) => rememberHead(cli, chainId, trust, head),
  });
  const { record, signers, head } = result;
  const ageMs = Date.now() - Number(record.timestampMs);
  cli.output.event(
    'balance',
    {
      address: toHex(address),
      balance: result.account.balance.toString(),
      verified: true,
      wave_id: Number(record.waveId),
      wave_timestamp_ms: Number(record.timestampMs),
      state_root: {
        blake3: toHex(record.stateRoot.blake3),
        poseidon2: toHex(record.stateRoot.poseidon2),
      },
      signers: [...signers],
      committee_size: head.committee.members.length,
      epoch: record.epoch,
      trusted_epoch: trust.head.committee.epoch,
      genesis_hash: trust.genesisHash ?? null,
      trust_source: trust.source,
    },
    () => describe(cli, result, trust, ageMs),
  );
  if (ageMs > OLD_AFTER_MS) {
    cli.output.warn(
      `the wave is ${Math.round(ageMs / 1000)} s old by this machine's clock: the balance may have changed since`,
    );
  }
}

function describe(
  cli: Cli,
  { account, exists, record, signers, head }: VerifiedAccount,
  trust: TrustRoot,
  ageMs: number,
): string {
  const { members } = head.committee;
  const seats = signers.map((seat) => {
    const member = members[seat];
    return `             seat ${seat}: ${member === undefined ? '' : toHex(member.address)}`;
  });
  const from = trust.head.committee.epoch;
  const followed = record.epoch - from;
  const way =
    followed === 0 ? '' : `, ${followed} change${followed === 1 ? '' : 's'} verified since ${from}`;
  return [
    formatAmount(account.balance),
    `${cli.output.paint('green', 'verified')}     ${exists ? 'value proven' : 'proven to hold nothing'} by both Merkle proofs`,
    `wave         ${record.waveId}, ${(ageMs / 1000).toFixed(1)} s ago`,
    `blake3       ${toHex(record.stateRoot.blake3)}`,
    `poseidon2    ${toHex(record.stateRoot.poseidon2)}`,
    `committee    of epoch ${record.epoch}${way}`,
    `signed by    ${signers.length} of ${members.length}`,
    ...seats,
    `trusting     ${trust.source}`,
    `genesis      ${trust.genesisHash ?? 'not given'}`,
  ].join('\n');
}

/**
 * `otigen balance ADDR [--verify]`. Without `--verify` it prints what the node says. With it, the
 * account's state at the newest certified wave is checked on this machine, and the answer states
 * against what.
 */
import { toHex } from '@pyde/core/bytes';
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
  type TrustOptions,
  trustOptions,
  trustRoots,
  type VerifiedAccount,
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
root. The committee is that of a genesis you have accepted: "otigen devnet" accepts the genesis it
makes, --genesis <FILE> accepts one from a file, --trust-validator names keys for one run, and
--trust-on-first-use takes the node's word once. Accepted ones are kept in ~/.pyde/trust. A wrong
answer of the node ends with exit code 1. A devnet's validator key is public, so on a devnet this
shows that the answer is consistent, not that nobody else made the chain.`;

async function run(cli: Cli, who: string, options: BalanceOptions): Promise<void> {
  const target = await readingTarget(cli, options);
  const keystore = await readKeystore(await cli.keystorePath());
  // Which address the chain has under a name would be the node's word, so --verify asks for none.
  const names = options.verify === true ? undefined : target.client;
  const address = await resolveParty(who, keystore, names);
  if (options.verify === true) await verified(cli, target, address, options);
  else if (options.genesis ?? options.trustValidator ?? options.trustOnFirstUse) {
    throw invalidArgs('--genesis and --trust-… only mean something with --verify', 'add --verify');
  } else await asked(cli, target, address);
}

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
  const roots = await trustRoots(cli, chainId, client, options);
  const result = await verifiedAccount(client, chainId, address, roots);
  const { record, trust, signers } = result;
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
      committee_size: trust.committee.members.length,
      genesis_hash: trust.genesisHash ?? null,
      trust_source: trust.source,
    },
    () => describe(cli, result, ageMs),
  );
  if (ageMs > OLD_AFTER_MS) {
    cli.output.warn(
      `the wave is ${Math.round(ageMs / 1000)} s old by this machine's clock: the balance may have changed since`,
    );
  }
}

function describe(
  cli: Cli,
  { account, exists, record, signers, trust }: VerifiedAccount,
  ageMs: number,
): string {
  const { members } = trust.committee;
  const seats = signers.map((seat) => {
    const member = members[seat];
    return `             seat ${seat}: ${member === undefined ? '' : toHex(member.address)}`;
  });
  return [
    formatAmount(account.balance),
    `${cli.output.paint('green', 'verified')}     ${exists ? 'value proven' : 'proven to hold nothing'} by both Merkle proofs`,
    `wave         ${record.waveId}, ${(ageMs / 1000).toFixed(1)} s ago`,
    `blake3       ${toHex(record.stateRoot.blake3)}`,
    `poseidon2    ${toHex(record.stateRoot.poseidon2)}`,
    `signed by    ${signers.length} of ${members.length}`,
    ...seats,
    `trusting     ${trust.source}`,
    `genesis      ${trust.genesisHash ?? 'not given'}`,
  ].join('\n');
}

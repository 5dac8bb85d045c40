/**
 * `otigen wallet register [NAME | --from NAME]`: RegisterPubkey, an account's first transaction. It
 * is free and unsigned, for the address proves the key; the account must hold something.
 */
import { toHex } from '@pyde/core/bytes';
import type { Cli } from '../../cli.ts';
import { readKeystore } from '../../keystore/index.ts';
import { signingTarget, type TargetOptions, targetOptions } from '../../network/index.ts';
import { Failure } from '../../output/index.ts';
import type { DefineCommand } from '../../program.ts';
import { nodeAccount, registration, submit, waitForInclusion } from '../../transaction/index.ts';

interface RegisterOptions extends TargetOptions {
  readonly from?: string;
  readonly wait: boolean;
}

export const define: DefineCommand = (command, cli) => {
  targetOptions(command)
    .argument('[NAME]', 'the account; the same as --from')
    .option('--from <NAME>', 'the account (default: default_account of otigen.toml)')
    .option('--no-wait', 'do not wait for the receipt')
    .action((name, options) => run(cli(), name, options));
};

async function run(cli: Cli, given: string | undefined, options: RegisterOptions): Promise<void> {
  const name = await cli.account(options.from ?? given);
  const entry = (await readKeystore(await cli.keystorePath())).entry(name);
  const address = toHex(entry.address);
  const { client, chainId } = await signingTarget(cli, options);
  const account = await nodeAccount(client, entry.address);
  if (account.hasKeys) {
    throw new Failure('validation', 'AlreadyRegistered', `"${name}" has its key on the chain`, {
      details: { address },
      next: 'nothing is left to do: it can send',
    });
  }
  if (account.balance === 0n) {
    throw new Failure('validation', 'NotFunded', `"${name}" holds nothing on this chain`, {
      details: { address },
      next: `fund it first: otigen send ${name} 1_000_000_000 --from devnet-0`,
    });
  }
  const wire = registration(chainId, entry.address, entry.publicKey, account.nonce);
  const txHash = await submit(client, wire);
  cli.output.event('register_submitted', { name, tx_hash: txHash }, `submitted   ${txHash}`);
  if (!options.wait) return;
  const { waveId } = await waitForInclusion(client, txHash);
  cli.output.event(
    'register_included',
    { name, address, tx_hash: txHash, status: 'success', wave_id: Number(waveId) },
    `${cli.output.paint('green', 'registered')}  ${name} in wave ${waveId}`,
  );
}

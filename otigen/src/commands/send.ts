/**
 * `otigen send <RECIPIENT> <AMOUNT> --from NAME`, or `--to` and `--value`: a transfer of PYDE,
 * checked as far as a wallet can before anything is signed.
 */
import { toHex } from '@pyde/core/bytes';
import type { Cli } from '../cli.ts';
import { openEntry, readKeystore } from '../keystore/index.ts';
import { signingTarget, type TargetOptions, targetOptions } from '../network/index.ts';
import { invalidArgs } from '../output/index.ts';
import type { DefineCommand } from '../program.ts';
import { accountPassword, orAsk } from '../prompt/index.ts';
import {
  formatAmount,
  parseAmount,
  parseGasLimit,
  resolveParty,
  signedTransfer,
  signingAccount,
  submit,
  TRANSFER_GAS,
  waitForInclusion,
} from '../transaction/index.ts';

interface SendOptions extends TargetOptions {
  readonly from?: string;
  readonly to?: string;
  readonly value?: string;
  readonly wait: boolean;
  readonly passwordStdin?: boolean;
  readonly gasLimit?: string;
}

export const define: DefineCommand = (command, cli) => {
  targetOptions(command)
    .argument('[RECIPIENT]', '0x address or account of the keystore')
    .argument('[AMOUNT]', 'in quanta: 100_000_000 or 0x5f5e100; 1 PYDE = 1_000_000_000')
    .option('--to <RECIPIENT>', 'the same as RECIPIENT')
    .option('--value <AMOUNT>', 'the same as AMOUNT')
    .option('--from <NAME>', 'sending account (default: default_account of otigen.toml)')
    .option('--gas-limit <N>', `gas it may use (default: ${TRANSFER_GAS})`)
    .option('--no-wait', 'do not wait for the receipt')
    .option('--password-stdin', 'read the password from standard input')
    .action((recipient, amount, options) => run(cli(), recipient, amount, options));
};

async function run(
  cli: Cli,
  recipient: string | undefined,
  amount: string | undefined,
  options: SendOptions,
): Promise<void> {
  const givenTo = once(recipient, options.to, 'RECIPIENT', '--to');
  const givenValue = once(amount, options.value, 'AMOUNT', '--value');
  const name = await cli.account(options.from);
  const keystore = await readKeystore(await cli.keystorePath());
  const entry = keystore.entry(name);
  const to = await resolveParty(await orAsk(cli, givenTo, 'RECIPIENT', 'Recipient'), keystore);
  const value = parseAmount(await orAsk(cli, givenValue, 'AMOUNT', 'Amount in quanta'));
  const gasLimit = options.gasLimit === undefined ? TRANSFER_GAS : parseGasLimit(options.gasLimit);

  const { client, chainId, name: network } = await signingTarget(cli, options);
  const account = await signingAccount(client, name, entry.address);
  const secretKey = await openEntry(entry, await accountPassword(cli, name, options.passwordStdin));
  const transfer = { chainId, from: entry.address, to, value, nonce: account.nonce, gasLimit };
  const wire = signedTransfer(transfer, secretKey);
  secretKey.fill(0);

  cli.output.event(
    'send_start',
    { network, from: name, to: toHex(to), value: value.toString() },
    `sending    ${formatAmount(value)}\nfrom       ${name}\nto         ${toHex(to)}`,
  );
  const txHash = await submit(client, wire);
  cli.output.event('send_submitted', { tx_hash: txHash }, `submitted  ${txHash}`);
  if (!options.wait) return;
  const { waveId, gasUsed, feePaid } = await waitForInclusion(client, txHash);
  cli.output.event(
    'send_included',
    {
      tx_hash: txHash,
      status: 'success',
      wave_id: Number(waveId),
      gas_used: Number(gasUsed),
      fee_paid: feePaid.toString(),
    },
    `${cli.output.paint('green', 'included')}   in wave ${waveId}, fee ${formatAmount(feePaid)}`,
  );
}

function once(
  positional: string | undefined,
  named: string | undefined,
  argument: string,
  flag: string,
): string | undefined {
  if (positional !== undefined && named !== undefined) {
    throw invalidArgs(`${argument} and ${flag} say the same thing`, 'pass one of them');
  }
  return positional ?? named;
}

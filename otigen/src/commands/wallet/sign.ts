/**
 * `otigen wallet sign [NAME] --message M`: a FALCON-512 signature over any bytes, for attestations
 * and challenges. Transactions are signed by the commands that make them.
 */
import { toHex } from '@pyde/core/bytes';
import type { Cli } from '../../cli.ts';
import { openEntry, readKeystore } from '../../keystore/index.ts';
import type { DefineCommand } from '../../program.ts';
import { accountPassword } from '../../prompt/index.ts';
import { signMessage } from '../../transaction/index.ts';
import { messageBytes } from '../message.ts';

interface SignOptions {
  readonly message: string;
  readonly hex?: boolean;
  readonly passwordStdin?: boolean;
}

export const define: DefineCommand = (command, cli) => {
  command
    .argument('[NAME]', 'name of the account (default: default_account of otigen.toml)')
    .requiredOption('-m, --message <MESSAGE>', 'what to sign')
    .option('--hex', 'the message is hex, with or without 0x')
    .option('--password-stdin', 'read the password from standard input')
    .action((name, options) => run(cli(), name, options));
};

async function run(cli: Cli, given: string | undefined, options: SignOptions): Promise<void> {
  const name = await cli.account(given);
  const message = messageBytes(options.message, options.hex === true);
  const entry = (await readKeystore(await cli.keystorePath())).entry(name);
  const secretKey = await openEntry(entry, await accountPassword(cli, name, options.passwordStdin));
  const signature = toHex(signMessage(secretKey, message));
  secretKey.fill(0);
  // `tx_hash` is the catalogue's name for the bytes that were signed.
  cli.output.event('wallet_signed', { name, tx_hash: toHex(message), signature }, signature);
}

/** `otigen wallet new [NAME]`: a fresh FALCON-512 key pair, sealed under a new password. */
import { randomFillSync } from 'node:crypto';
import { FALCON_SEED_BYTES, falconKeygen } from '@pyde/core/crypto';
import type { Cli } from '../../cli.ts';
import {
  alreadyExists,
  changeKeystore,
  checkName,
  readKeystore,
  sealEntry,
} from '../../keystore/index.ts';
import type { DefineCommand } from '../../program.ts';
import { newPassword, orAsk } from '../../prompt/index.ts';

export const define: DefineCommand = (command, cli) => {
  command
    .argument('[NAME]', 'name of the account')
    .option(
      '--password-stdin',
      'read the password from standard input: one line, or two equal ones',
    )
    .action((name, options) => run(cli(), name, options));
};

async function run(
  cli: Cli,
  given: string | undefined,
  options: { readonly passwordStdin?: boolean },
): Promise<void> {
  const name = checkName(await orAsk(cli, given, 'NAME', 'Name of the account'));
  const keystore = await cli.keystorePath();
  // Asked before the password, so that nobody types one for nothing.
  if ((await readKeystore(keystore)).has(name)) throw alreadyExists(name, keystore);
  const password = await newPassword(cli, name, options.passwordStdin);
  const keys = falconKeygen(randomFillSync(new Uint8Array(FALCON_SEED_BYTES)));
  const entry = await sealEntry(keys, password);
  keys.secretKey.fill(0);
  await changeKeystore(keystore, (accounts) => accounts.add(name, entry));
  cli.output.event('wallet_created', { name, address: entry.address, keystore }, () =>
    [
      `${cli.output.paint('green', 'created')} ${name}`,
      `address   ${entry.address}`,
      `keystore  ${keystore}`,
      `next      fund it, then otigen wallet register ${name}, and it can send`,
    ].join('\n'),
  );
}

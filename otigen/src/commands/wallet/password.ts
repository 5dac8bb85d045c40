/** `otigen wallet password NAME`: the same keys, sealed under another password. */
import type { Cli } from '../../cli.ts';
import { changeKeystore, openEntry, readKeystore, sealEntry } from '../../keystore/index.ts';
import type { DefineCommand } from '../../program.ts';
import { passwordChange } from '../../prompt/index.ts';

export const define: DefineCommand = (command, cli) => {
  command
    .argument('<NAME>', 'name of the account')
    .option('--password-stdin', 'read two lines from standard input: the present password, the new')
    .action((name, options) => run(cli(), name, options));
};

async function run(
  cli: Cli,
  name: string,
  options: { readonly passwordStdin?: boolean },
): Promise<void> {
  const path = await cli.keystorePath();
  const before = await readKeystore(path);
  const entry = before.entry(name);
  const { present, next } = await passwordChange(cli, name, options.passwordStdin);
  const secretKey = await openEntry(entry, present);
  const sealed = await sealEntry({ publicKey: entry.publicKey, secretKey }, next);
  secretKey.fill(0);
  // Sealing takes a while; what another process wrote meanwhile is not overwritten.
  await changeKeystore(path, (accounts) => accounts.replace(name, sealed, before.json(name)));
  cli.output.event('wallet_password_rotated', { name }, `${name} has a new password`);
}

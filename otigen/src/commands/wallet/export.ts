/**
 * `otigen wallet export NAME [--out PATH]`: an encrypted backup, the entry as it is, in a keystore
 * of its own. The account's password opens it; none is asked for here.
 */
import { writeFile } from 'node:fs/promises';
import type { Cli } from '../../cli.ts';
import { entryJson, readKeystore } from '../../keystore/index.ts';
import { Failure, isSystemError, type JsonValue } from '../../output/index.ts';
import type { DefineCommand } from '../../program.ts';

export const define: DefineCommand = (command, cli) => {
  command
    .argument('<NAME>', 'name of the account')
    .option('--out <PATH>', 'file to write (default: standard output)')
    .action((name, options) => run(cli(), name, options));
};

async function run(cli: Cli, name: string, options: { readonly out?: string }): Promise<void> {
  const { path: keystore, ...file } = await readKeystore(await cli.keystorePath()).then((read) => ({
    path: read.path,
    version: 1,
    accounts: { [name]: entryJson(name, read.json(name)) },
  }));
  const text = JSON.stringify(file, undefined, 2);
  if (options.out === undefined) {
    const backup: JsonValue = JSON.parse(text);
    cli.output.event('wallet_exported', { name, path: null, keystore, backup }, text);
    return;
  }
  try {
    await writeFile(options.out, `${text}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    throw new Failure('resource', 'FileExists', `${options.out} exists and was left as it is`, {
      next: 'choose another path for --out',
    });
  }
  cli.output.event(
    'wallet_exported',
    { name, path: options.out, keystore },
    `wrote the encrypted backup of ${name} to ${options.out}`,
  );
}

/** `otigen wallet delete NAME [--yes]`: the name has to be typed again unless `--yes`. */
import type { Cli } from '../../cli.ts';
import { changeKeystore, readKeystore } from '../../keystore/index.ts';
import { Failure, invalidArgs } from '../../output/index.ts';
import type { DefineCommand } from '../../program.ts';
import { orAsk } from '../../prompt/index.ts';

export const define: DefineCommand = (command, cli) => {
  command
    .argument('<NAME>', 'name of the account')
    .option('--yes', 'do not ask')
    .action((name, options) => run(cli(), name, options));
};

async function run(cli: Cli, name: string, options: { readonly yes?: boolean }): Promise<void> {
  const keystore = await cli.keystorePath();
  (await readKeystore(keystore)).json(name);
  if (options.yes !== true) {
    if (!cli.isInteractive) {
      throw invalidArgs('there is no terminal to ask whether to delete', 'pass --yes');
    }
    const typed = await orAsk(cli, undefined, 'NAME', `Type ${name} to delete it for ever`);
    if (typed !== name) throw new Failure('validation', 'Cancelled', 'nothing was deleted');
  }
  await changeKeystore(keystore, (accounts) => accounts.remove(name));
  cli.output.event('wallet_deleted', { name, keystore }, `deleted ${name} from ${keystore}`);
}

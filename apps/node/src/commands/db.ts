/** `pyde db check`: is this node's database whole? */
import type { Command } from 'commander';
import { type Cli, examples } from '../program.ts';
import { checkFolder, reportLines } from './database-report.ts';

export function define(command: Command, cli: Cli): void {
  const check = command
    .command('check')
    .description('every checksum, both roots recomputed, waves, receipts and certificates')
    .argument('[folder]', 'the folder of the node, or the database in it', '.pyde/devnet')
    .option('--json', 'one JSON object')
    .addHelpText('after', '\nExits with 1 when anything is damaged.')
    .action((folder: string) => run(cli, folder));
  examples(check, 'db check .pyde/devnet', 'db check .pyde/localnet/validator-0');
}

async function run(cli: Cli, folder: string): Promise<void> {
  const { output } = cli;
  const report = await checkFolder(folder, (what) => output.progress(what));
  output.progress('');
  output.answer(report, () => reportLines(report));
  if (report.damages.length > 0) cli.exitCode = 1;
}

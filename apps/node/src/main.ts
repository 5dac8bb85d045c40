/**
 * `pyde`: the operator's command. What it can do so far is to look at a node; running validators,
 * localnets and keys answer that they are not there yet.
 */
import { PydeError } from '@pyde/core/bytes';
import { RpcClient } from '@pyde/platform-node/client';
import { Command, CommanderError } from 'commander';
import { statusLines, statusOf } from './status.ts';

const DEFAULT_RPC_URL = 'http://127.0.0.1:9933';
const NOT_YET = ['node', 'localnet', 'genesis', 'keys', 'peers'];

const program = new Command('pyde')
  .description('Run and watch Pyde nodes.')
  .version('0.1.0')
  .exitOverride();

program
  .command('status')
  .description("a node's chain, newest wave, certificate lag and pool")
  .option('--rpc-url <url>', 'the node to ask', DEFAULT_RPC_URL)
  .option('--json', 'one JSON object')
  .action(async (options: { rpcUrl: string; json?: boolean }) => {
    const status = await statusOf(new RpcClient(options.rpcUrl));
    if (options.json === true) console.log(JSON.stringify(status));
    else for (const line of statusLines(status)) console.log(line);
  });

for (const name of NOT_YET) {
  program
    .command(name, { hidden: true })
    .allowUnknownOption()
    .argument('[args...]')
    .action(() => {
      throw new PydeError(
        'pyde.not-available',
        `pyde ${name} is not available yet; \`otigen devnet\` runs a chain of one validator`,
      );
    });
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 1;
  else if (error instanceof PydeError) {
    console.error(`pyde [ERROR] ${error.code}: ${error.message}`);
    process.exitCode = error.code.startsWith('rpc.') ? 2 : 1;
  } else throw error;
}

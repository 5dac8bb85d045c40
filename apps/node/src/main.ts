/**
 * `pyde`: the operator's command. What it can do so far is to look at a node and to check a database;
 * running validators, localnets and keys answer that they are not there yet.
 */
import { PydeError } from '@pyde/core/bytes';
import { RpcClient } from '@pyde/platform-node/client';
import { Command, CommanderError } from 'commander';
import { ValiError } from 'valibot';
import { checkFolder, reportLines } from './db-check.ts';
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
  .addHelpText('after', '\nExamples:\n  pyde status\n  pyde status --rpc-url http://127.0.0.1:9933')
  .action(async (options: { rpcUrl: string; json?: boolean }) => {
    const status = await statusOf(new RpcClient(options.rpcUrl));
    if (options.json === true) console.log(JSON.stringify(status));
    else for (const line of statusLines(status)) console.log(line);
  });

program
  .command('db')
  .description('look after a database of a node that is stopped')
  .command('check')
  .description('every checksum, both roots recomputed, waves, receipts and certificates')
  .argument('[folder]', 'the state folder', '.pyde/devnet')
  .option('--json', 'one JSON object')
  .addHelpText(
    'after',
    '\nExits with 1 when anything is damaged.\n\nExamples:\n  pyde db check .pyde/devnet',
  )
  .action(async (folder: string, options: { json?: boolean }) => {
    const tty = process.stderr.isTTY && options.json !== true;
    const progress = (what: string): void => void process.stderr.write(`\r\x1b[K${what}`);
    const report = await checkFolder(folder, tty ? progress : () => {});
    if (tty) process.stderr.write('\r\x1b[K');
    if (options.json === true) console.log(JSON.stringify(report, jsonValue));
    else for (const line of reportLines(report)) console.log(line);
    if (report.damages.length > 0) process.exitCode = 1;
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

function jsonValue(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 1;
  else if (error instanceof PydeError) refuse(error.code, error.message);
  else if (error instanceof ValiError) {
    refuse('rpc.response', `this is no answer of a Pyde node: ${error.message}; check --rpc-url`);
  } else throw error;
}

function refuse(code: string, message: string): void {
  console.error(`pyde [ERROR] ${code}: ${message}`);
  if (code === 'rpc.unreachable') {
    console.error('  next:  otigen devnet starts a chain here; --rpc-url names another node');
  }
  process.exitCode = /^(rpc|store|db)\./.test(code) ? 2 : 1;
}

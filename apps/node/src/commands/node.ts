/** `pyde node`: a validator or a full node in this process, until SIGINT or SIGTERM. */
import { isAbsolute, relative } from 'node:path';
import { toHex } from '@pyde/core/bytes';
import { genesisHash } from '@pyde/core/types';
import { readKeyFile } from '@pyde/platform-node/keys';
import { openLog } from '@pyde/platform-node/operation';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type NodeConfig, readNodeConfig } from '../config/index.ts';
import { readGenesisFile } from '../genesis/index.ts';
import { runNode, seatOf } from '../node/index.ts';
import { badArguments, EXIT, table, toFailure } from '../output/index.ts';
import { stopSignal } from '../process/index.ts';
import { type Cli, examples } from '../program.ts';
import {
  type PasswordOptions,
  passwordOfFile,
  passwordOptions,
  presentPassword,
} from './password.ts';

interface Options extends PasswordOptions {
  readonly config: string;
  readonly validator?: boolean;
  readonly senderRate?: number;
  readonly restored?: boolean;
  readonly check?: boolean;
  /** Whoever started it holds its input open, and is gone when that ends. */
  readonly endWithInput?: boolean;
}

/** For whatever still holds the process after a clean stop. */
const EXIT_AT_MOST_MS = 8_000;

export function define(command: Command, cli: Cli): void {
  command
    .option('--config <file>', "the node's settings", 'pyde.toml')
    .option('--validator', 'take part with the key in [validator]; without it the node follows')
    .option('--sender-rate <n>', 'transactions a second of one sender; 0 is any number', rate)
    .option(
      '--restored',
      'the folder was put back from a copy: ask the others what was signed since',
    )
    .option('--check', 'read the settings, genesis and key, say what is wrong, and end')
    .option('--json', 'with --check: one JSON object')
    .addOption(new Option('--end-with-input', 'stop when standard input ends').hideHelp())
    .action((options: Options) => run(cli, options));
  examples(
    passwordOptions(command),
    'node --config pyde.toml',
    'node --config pyde.toml --validator',
    'node --config pyde.toml --check',
  );
}

async function run(cli: Cli, options: Options): Promise<void> {
  const config = withRate(await readNodeConfig(options.config), options.senderRate);
  const isValidator = options.validator === true;
  if (isValidator && config.validator === undefined) {
    throw badArguments(`${options.config} has no [validator] with the key to take part with`);
  }
  if (options.check === true) return check(cli, config, isValidator);
  const { signalled, stop } = stopSignal();
  if (options.endWithInput === true) process.stdin.once('close', () => stop()).resume();
  const log = await openLog({
    level: config.log.level,
    ...(config.log.format === undefined ? {} : { format: config.log.format }),
    ...(config.log.file === undefined ? {} : { file: config.log.file }),
  });
  const { logger } = log;
  try {
    const node = await runNode({
      config,
      ...(isValidator ? { password: () => passwordFor(config, options) } : {}),
      isRestored: options.restored === true,
      logger,
    });
    const failed = node.closed.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const outcome = await Promise.race([signalled, failed]);
    setTimeout(() => process.exit(), EXIT_AT_MOST_MS).unref();
    logger.info('the node stops');
    await node.stop();
    if (outcome !== undefined) throw outcome.error;
    logger.info('the node has stopped');
    cli.exitCode = EXIT.success;
  } catch (error) {
    const { code, message } = toFailure(error);
    logger.error('the node ends', { code, reason: message });
    throw error;
  } finally {
    await log.close();
    process.stdin.destroy();
  }
}

async function passwordFor(config: NodeConfig, options: Options): Promise<string> {
  const isGiven = options.passwordStdin === true || options.passwordFile !== undefined;
  const file = config.validator?.passwordFile;
  if (!isGiven && file !== undefined) return passwordOfFile(file);
  return presentPassword(options, config.validator?.key ?? 'the key');
}

/** Reads everything that a start reads, and opens nothing. */
async function check({ output }: Cli, config: NodeConfig, isValidator: boolean): Promise<void> {
  const genesis = await readGenesisFile(config.chain.genesis);
  const { length } = genesis.validators;
  const hash = toHex(genesisHash(genesis));
  const key = config.validator?.key;
  const index =
    key !== undefined && isValidator
      ? seatOf(genesis, (await readKeyFile(key)).publicKey, key)
      : undefined;
  const json = {
    config: config.path,
    chain_id: genesis.chainId,
    genesis: hash,
    validators: length,
    validator: index ?? null,
    folder: config.node.folder,
    rpc: `${config.rpc.listen.host}:${config.rpc.listen.port}`,
    listen: config.network.listen,
    seeds: config.network.seeds.length + config.network.dns_seeds.length,
  };
  output.answer(json, () =>
    table([
      ['chain', `${json.chain_id} of ${length} validators, genesis ${hash}`],
      ['node', index === undefined ? 'follows the chain' : `validator ${index}`],
      ['folder', shortest(config.node.folder)],
      ['RPC', json.rpc],
      ['network', config.network.listen.join(', ')],
      ['seeds', String(json.seeds)],
      ['settings', `${shortest(config.path)} is right`],
    ]),
  );
}

const withRate = (config: NodeConfig, rate: number | undefined): NodeConfig =>
  rate === undefined ? config : { ...config, rpc: { ...config.rpc, sender_rate: rate } };

function shortest(path: string): string {
  const from = relative(process.cwd(), path);
  return from === '' || isAbsolute(from) || from.startsWith('..') ? path : from;
}

function rate(text: string): number {
  const value = Number(text);
  if (/^\d{1,7}$/.test(text) && value <= 1_000_000) return value;
  throw new InvalidArgumentError('Write a whole number up to 1000000.');
}

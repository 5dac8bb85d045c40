/**
 * `otigen devnet` (OTIGEN_BINARY_SPEC §3.13, spec/otigen.md): a local chain with the real consensus,
 * run by this process until Ctrl-C or SIGTERM. What else a newcomer needs (the funded accounts in
 * the keystore, the genesis among the accepted ones) is done once the node answers.
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DevnetHandle, DevnetOptions } from '@pyde/platform-node/devnet';
import { type Command, InvalidArgumentError } from 'commander';
import type { Cli } from '../cli.ts';
import { EXIT, Failure, invalidArgs, toFailure } from '../output/index.ts';
import type { DefineCommand } from '../program.ts';

interface Options {
  readonly rpcListen: { readonly host: string; readonly port: number };
  readonly prefundCount: number;
  readonly prefundAmount: bigint;
  readonly chainId: bigint;
  readonly tickMs: number;
  readonly validators: number;
  readonly seed?: bigint;
  readonly state?: string;
  readonly dumpState?: string;
  readonly loadState?: string;
  readonly autoImportWallets: boolean;
}

const DEFAULT_LISTEN = '127.0.0.1:9933';
/** spec/wire.md, "Transaction". */
const DEFAULT_PREFUND = 10n ** 16n;
/** More are funded when asked for, and listed with --json. */
const LISTED_ACCOUNTS = 10;
const MAX_DUMP_BYTES = 512 * 1024 * 1024;
/** For whatever still holds the process after a clean stop. */
const EXIT_AT_MOST_MS = 5_000;

export const define: DefineCommand = (command, cli) => {
  command
    .option(
      '--rpc-listen <HOST:PORT>',
      'where JSON-RPC is served; port 0 takes any',
      parseListen,
      parseListen(DEFAULT_LISTEN),
    )
    .option('--prefund-count <N>', 'how many accounts hold PYDE at the start', whole(0, 1000), 10)
    .option('--prefund-amount <QUANTA>', 'what each of them holds', amount, DEFAULT_PREFUND)
    .option('--chain-id <N>', 'chain id that transactions sign for', positive, 31337n)
    .option('--tick-ms <MS>', 'pace of empty waves', whole(1, 60_000), 50)
    .option('--validators <N>', 'size of the committee', whole(1, 128), 1)
    .option('--seed <N>', 'fix keys, randomness and wave timestamps', natural)
    .option('--state <DIR>', 'keep the chain in this folder and go on with it at the next start')
    .option('--dump-state <FILE>', 'write the whole state to this file at the end')
    .option('--load-state <FILE>', 'start from a file of --dump-state')
    .option('--no-auto-import-wallets', 'leave the keystore alone')
    .action((options) => run(cli(), command, options));
  nameDefaults(command);
};

async function run(cli: Cli, command: Command, options: Options): Promise<void> {
  if (options.validators !== 1) {
    throw new Failure(
      'validation',
      'NotAvailable',
      'a devnet of several validators is not available yet',
      {
        next: 'leave --validators out, or pass --validators 1',
      },
    );
  }
  const explicit = (name: string) => command.getOptionValueSource(name) === 'cli';
  if (options.loadState !== undefined && (explicit('prefundCount') || explicit('prefundAmount'))) {
    throw invalidArgs('--load-state brings its own balances: it excludes --prefund-…');
  }
  const ended = endSignal();
  const { startDevnet } = await import('@pyde/platform-node/devnet');
  const devnet = await startDevnet(await devnetOptions(cli, options));
  // Not awaited in between: whatever follows must not keep the end from being noticed.
  const closed = devnet.closed.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  announce(cli, devnet, options);
  const settled = settleIn(cli, devnet, options);
  const outcome = await Promise.race([ended, closed]);
  await settled;
  if (typeof outcome === 'object') {
    setTimeout(() => process.exit(EXIT.resource), EXIT_AT_MOST_MS).unref();
    // The fault is what counts, not what else breaks on the way out.
    await devnet.stop().catch(() => {});
    throw stoppedByFault(outcome.error);
  }
  await end(cli, devnet, options);
}

/** Stops the node and, before, writes the dump; a dump that fails does not keep it running. */
async function end(cli: Cli, devnet: DevnetHandle, options: Options): Promise<void> {
  try {
    if (options.dumpState !== undefined) {
      const dump = await devnet.dumpState();
      await writeFile(options.dumpState, dump);
      cli.output.event(
        'devnet_state_dumped',
        { path: options.dumpState, bytes: dump.length },
        `wrote the state to ${options.dumpState}`,
      );
    }
  } finally {
    await devnet.stop();
    setTimeout(() => process.exit(cli.exitCode), EXIT_AT_MOST_MS).unref();
  }
  cli.output.event('devnet_stopped', { state: options.state ?? null }, 'stopped');
}

async function devnetOptions(cli: Cli, options: Options): Promise<DevnetOptions> {
  return {
    rpcHost: options.rpcListen.host,
    rpcPort: options.rpcListen.port,
    chainId: options.chainId,
    prefundCount: options.prefundCount,
    prefundAmount: options.prefundAmount,
    tickMs: options.tickMs,
    logger: cli.output.log,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.state === undefined ? {} : { stateDir: options.state }),
    ...(options.loadState === undefined ? {} : { loadState: await readDump(options.loadState) }),
  };
}

async function readDump(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size <= MAX_DUMP_BYTES) return new Uint8Array(await readFile(path));
  throw invalidArgs(`--load-state: ${path} has ${size} bytes, at most ${MAX_DUMP_BYTES} are read`);
}

function announce(cli: Cli, devnet: DevnetHandle, options: Options): void {
  const { output } = cli;
  const accounts = devnet.accounts.map(({ name, address }) => ({ name, address: hex(address) }));
  const amountEach = options.prefundAmount;
  output.event(
    'devnet_ready',
    {
      rpc_url: devnet.url,
      ws_url: `${devnet.url.replace(/^http/, 'ws')}/ws`,
      chain_id: Number(options.chainId),
      fresh: devnet.fresh,
      state: options.state ?? null,
      prefund_amount: amountEach.toString(),
      accounts,
    },
    () => banner(cli, devnet, options, accounts),
  );
}

function banner(
  cli: Cli,
  devnet: DevnetHandle,
  options: Options,
  accounts: readonly { readonly name: string; readonly address: string }[],
): string {
  const { output } = cli;
  const bold = (text: string) => output.paint('bold', text);
  const otigen = process.env['npm_lifecycle_event'] === undefined ? 'otigen' : 'npx otigen';
  const isDefaultNode = devnet.url === `http://${DEFAULT_LISTEN}` && options.chainId === 31337n;
  const node = isDefaultNode ? '' : ` --rpc-url ${devnet.url} --chain-id ${options.chainId}`;
  const where =
    options.state === undefined
      ? 'gone when it stops (keep it with --state <DIR>)'
      : `kept in ${options.state}${devnet.fresh ? '' : ', going on with the chain there'}`;
  const each = `funded with ${formatPyde(options.prefundAmount)} each`;
  const holding =
    devnet.fresh && options.loadState === undefined ? each : 'as the kept state has them';
  const shown = accounts.slice(0, LISTED_ACCOUNTS);
  const width = Math.max(0, ...shown.map(({ name }) => name.length));
  return [
    `${bold('Pyde devnet')}, chain ${options.chainId}`,
    `  RPC       ${bold(devnet.url)}  (WebSocket at /ws)`,
    `  state     ${where}`,
    `  accounts  ${accounts.length}, ${holding}, password "devnet", keys public`,
    ...shown.map(({ name, address }) => `    ${name.padEnd(width)}  ${address}`),
    ...(shown.length < accounts.length ? [`    … to devnet-${accounts.length - 1}`] : []),
    `  try, in another terminal:`,
    `    ${otigen} wallet new alice`,
    `    ${otigen} send alice 1_000_000_000 --from devnet-0${node}`,
    `    ${otigen} balance alice --verify${node}`,
    `  Ctrl-C stops it`,
  ].join('\n');
}

/** Everything the node does not wait for. A fault here is told and does not stop the chain. */
async function settleIn(cli: Cli, devnet: DevnetHandle, options: Options): Promise<void> {
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      cli.output.warn(`${what}: ${toFailure(error).message}`);
    }
  };
  await attempt('the genesis was not accepted for balance --verify', async () => {
    const { acceptGenesis } = await import('../trust/index.ts');
    await acceptGenesis(cli, devnet.genesis, 'otigen devnet on this machine');
  });
  if (options.state !== undefined) {
    const path = join(options.state, 'genesis.borsh');
    await attempt(`${path} was not written`, async () => {
      const { encodeGenesis } = await import('@pyde/core/types');
      await writeFile(path, encodeGenesis(devnet.genesis));
    });
  }
  if (!options.autoImportWallets) return;
  await attempt('the devnet accounts are not in the keystore', async () => {
    const { importDevnetAccounts } = await import('../keystore/index.ts');
    const keystore = await cli.keystorePath();
    const names = await importDevnetAccounts(keystore);
    cli.output.event('devnet_wallets_imported', { names, keystore });
    if (names.length > 0) {
      cli.output.text(`  keystore  ${namesInShort(names)} added to ${keystore}`);
    }
  });
}

function namesInShort(names: readonly string[]): string {
  const [first, ...rest] = names;
  return rest.length < 2 ? names.join(', ') : `${first} … ${rest.at(-1)}`;
}

/** Resolves at the first SIGINT or SIGTERM; later ones are ignored, since stopping is under way. */
function endSignal(): Promise<'signal'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve('signal'));
    }
  });
}

function stoppedByFault(error: unknown): Failure {
  const { code, message } = toFailure(error);
  return new Failure('resource', 'DevnetStopped', `the chain cannot go on: ${message}`, {
    details: { cause: code },
    next: 'start it again; with --state it goes on from its last committed wave',
  });
}

function formatPyde(quanta: bigint): string {
  const rest = (quanta % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return `${quanta / 1_000_000_000n}${rest === '' ? '' : `.${rest}`} PYDE`;
}

function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

function parseListen(text: string): Options['rpcListen'] {
  const parts = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host === undefined || port > 65_535) {
    throw new InvalidArgumentError('Write HOST:PORT, such as 127.0.0.1:9933.');
  }
  return { host, port };
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
  };
}

function bounded(text: string, most: bigint): bigint {
  if (/^[0-9][0-9_]{0,50}$/.test(text)) {
    const value = BigInt(text.replaceAll('_', ''));
    if (value <= most) return value;
  }
  throw new InvalidArgumentError(`Write a whole number up to ${most}.`);
}

const amount = (text: string): bigint => bounded(text, (1n << 128n) - 1n);
const natural = (text: string): bigint => bounded(text, (1n << 64n) - 1n);

function positive(text: string): bigint {
  const value = bounded(text, BigInt(Number.MAX_SAFE_INTEGER));
  if (value > 0n) return value;
  throw new InvalidArgumentError('Write a whole number from 1.');
}

/** Commander prints defaults as JSON, which knows neither bigints nor how an address is written. */
function nameDefaults(command: Command): void {
  for (const option of command.options) {
    if (option.defaultValue === undefined || typeof option.defaultValue === 'boolean') continue;
    const { defaultValue } = option;
    const text = typeof defaultValue === 'object' ? DEFAULT_LISTEN : String(defaultValue);
    option.default(defaultValue, text);
  }
}

/**
 * The command line (OTIGEN_BINARY_SPEC §3): global flags, the list of commands, and which module
 * answers which. Only the module of the command at hand is loaded, so that a start stays short.
 */
import { Command, CommanderError } from 'commander';
import { Cli, type GlobalOptions } from './cli.ts';
import { EXIT, Failure, invalidArgs, Output } from './output/index.ts';

const VERSION = '0.1.0';

/** Gives a command its arguments, options and action. `rest` are the words after its name. */
export type DefineCommand = (
  command: Command,
  cli: () => Cli,
  rest: readonly string[],
) => void | Promise<void>;

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** What follows `otigen`, shown by `--help`; none for a group of actions. */
  readonly examples?: readonly string[];
  readonly load: () => Promise<{ readonly define: DefineCommand }>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'devnet',
    summary: 'run a local chain with funded accounts',
    examples: [
      'devnet',
      'devnet --state ./chain',
      'devnet --rpc-listen 127.0.0.1:8545 --prefund-count 3',
    ],
    load: () => import('./commands/devnet.ts'),
  },
  {
    name: 'wallet',
    summary: 'manage FALCON-512 accounts in the keystore',
    load: () => import('./commands/wallet.ts'),
  },
  {
    name: 'send',
    summary: 'transfer PYDE between accounts',
    examples: [
      'send alice 1_000_000_000 --from devnet-0',
      'send --to alice --value 1_000_000_000 --from devnet-0',
    ],
    load: () => import('./commands/send.ts'),
  },
  {
    name: 'balance',
    summary: 'show a balance, with --verify proven against the committee',
    examples: ['balance alice', 'balance alice --verify', 'balance devnet-0 --json'],
    load: () => import('./commands/balance.ts'),
  },
  {
    name: 'console',
    summary: 'ask a node line by line',
    examples: ['console', 'console --from devnet-0'],
    load: () => import('./commands/console.ts'),
  },
  {
    name: 'util',
    summary: 'hash, derive addresses, decode transactions, verify signatures',
    load: () => import('./commands/util.ts'),
  },
];

/** Commands whose first word behind them is an action. */
const GROUPS = new Set(['wallet', 'util']);

/** Commands of the reference that this version does not have. */
const NOT_AVAILABLE_YET = new Set([
  ...['new', 'init', 'build', 'check', 'test', 'deploy', 'addresses', 'upgrade', 'pause'],
  ...['unpause', 'kill', 'call', 'inspect', 'verify', 'validator', 'update'],
]);

/** Runs one command line; returns the exit code. @throws whatever the command throws */
export async function run(argv: readonly string[]): Promise<number> {
  const words = globalFlags(new Command()).parseOptions([...argv]).operands;
  const path = words[0] === 'help' ? words.slice(1) : words;
  if (path[0] !== undefined && NOT_AVAILABLE_YET.has(path[0])) {
    throw new Failure('validation', 'NotAvailable', `otigen ${path[0]} is not available yet`);
  }
  const output = new Output(parseGlobalOptions(argv));
  const program = globalFlags(new Command('otigen'));
  const errors: string[] = [];
  program
    .description('The command of contract authors and wallet owners on Pyde.')
    .version(VERSION, '-V, --version')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeErr: (text) => errors.push(text),
      outputError: (text, write) => write(text),
    });
  const cli = new Cli(parseGlobalOptions(argv), output);
  await defineCommands(program, COMMANDS, path, () => cli);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.success;
    // A group without a subcommand: its help is the answer, on standard error.
    if (error.code === 'commander.help') {
      process.stderr.write(errors.join(''));
      return EXIT.validation;
    }
    throw usageError(error, path);
  }
  return cli.exitCode;
}

/** Adds `entries` to `parent`; loads and defines the one that `path` names. */
export async function defineCommands(
  parent: Command,
  entries: readonly CommandEntry[],
  path: readonly string[],
  cli: () => Cli,
): Promise<void> {
  for (const entry of entries) {
    const command = parent.command(entry.name).description(entry.summary);
    if (entry.name !== path[0]) continue;
    if (entry.examples !== undefined) {
      const lines = entry.examples.map((example) => `\n  otigen ${example}`);
      command.addHelpText('after', `\nExamples:${lines.join('')}`);
    }
    const { define } = await entry.load();
    await define(command, cli, path.slice(1));
  }
}

/** The global flags of `argv`, wherever they stand; faults are left to the real parser. */
export function parseGlobalOptions(argv: readonly string[]): GlobalOptions {
  const parser = globalFlags(new Command())
    .exitOverride()
    .configureOutput({ writeErr() {} });
  try {
    parser.parseOptions([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  const options = parser.opts();
  return {
    json: options['json'] === true,
    quiet: options['quiet'] === true,
    verbosity: typeof options['verbose'] === 'number' ? options['verbose'] : 0,
    network: options['network'],
    keystore: options['keystore'],
    config: options['config'],
  };
}

function globalFlags(command: Command): Command {
  return command
    .option('-v, --verbose', 'say what is done; -vv also how', (_, count: number) => count + 1, 0)
    .option('-q, --quiet', 'print errors only')
    .option('--json', 'print one JSON event a line')
    .option('--network <NAME>', 'network of otigen.toml to use')
    .option('--keystore <PATH>', 'keystore file (default: ~/.pyde/keystore.json)')
    .option('--config <PATH>', 'manifest (default: ./otigen.toml)');
}

function usageError(error: CommanderError, path: readonly string[]): Failure {
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const [name, action] = path;
  const known = error.code !== 'commander.unknownCommand';
  const words = [
    ...(COMMANDS.some((entry) => entry.name === name) ? [name] : []),
    ...(name !== undefined && GROUPS.has(name) && action !== undefined && known ? [action] : []),
  ];
  return invalidArgs(message, ['otigen', ...words, '--help'].join(' '));
}

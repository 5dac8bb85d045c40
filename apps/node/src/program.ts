/**
 * The command line: the list of commands and which module answers which. Only the module of the
 * command at hand is loaded, so that a start stays short.
 */
import { PydeError } from '@pyde/core/bytes';
import { Command, CommanderError } from 'commander';
import { EXIT, Output } from './output/index.ts';

const VERSION = '0.1.0';

/** What a command is given besides its own arguments. */
export interface Cli {
  readonly output: Output;
  /** What the process ends with when the command throws nothing. */
  exitCode: number;
}

/** Gives a command its arguments, options and action, or its subcommands. */
export type DefineCommand = (command: Command, cli: Cli) => void;

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly define: DefineCommand }>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'localnet',
    summary: 'run a network of validators on this machine',
    load: () => import('./commands/localnet.ts'),
  },
  {
    name: 'node',
    summary: 'run a validator or a full node',
    load: () => import('./commands/node.ts'),
  },
  {
    name: 'genesis',
    summary: 'gather what a chain starts from',
    load: () => import('./commands/genesis.ts'),
  },
  {
    name: 'keys',
    summary: 'make, move and look after validator keys',
    load: () => import('./commands/keys.ts'),
  },
  {
    name: 'status',
    summary: "a node's chain, newest wave, certificate lag and pool",
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'peers',
    summary: 'whom the node on this machine is connected to',
    load: () => import('./commands/peers.ts'),
  },
  {
    name: 'db',
    summary: 'look after a database of a node that is stopped',
    load: () => import('./commands/db.ts'),
  },
];

/** Runs one command line; returns the exit code. @throws whatever the command throws */
export async function run(argv: readonly string[]): Promise<number> {
  const words = argv.filter((word) => !word.startsWith('-'));
  const path = words[0] === 'help' ? words.slice(1) : words;
  const cli: Cli = { output: new Output(argv.includes('--json')), exitCode: EXIT.success };
  const errors: string[] = [];
  const program = new Command('pyde')
    .description('Run and watch Pyde nodes.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeErr: (text) => errors.push(text) });
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).description(summary);
    if (name === path[0]) (await load()).define(command, cli);
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.success;
    // A command without its subcommand: its help is the answer, on standard error.
    if (error.code === 'commander.help') {
      process.stderr.write(errors.join(''));
      return EXIT.validation;
    }
    throw usageError(error, path);
  }
  return cli.exitCode;
}

/** Shows under `--help` how the command is used. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  const shown = lines.map((line) => `\n  pyde ${line}`).join('');
  return command.addHelpText('after', `\nExamples:${shown}`);
}

function usageError(error: CommanderError, [name]: readonly string[]): PydeError {
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const known = COMMANDS.some((entry) => entry.name === name);
  const help = known ? `pyde ${name} --help` : 'pyde --help';
  return new PydeError('pyde.arguments', `${message.replace(/\.$/, '')}; see ${help}`);
}

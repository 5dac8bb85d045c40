/**
 * `otigen console` (OTIGEN_BINARY_SPEC §3.9): one node, one line at a time. Node and sender are bound
 * at the start; the password is asked for at the first `send` and the key kept until the end. A line
 * that fails says why and the session goes on; from a pipe, the exit code is that of the last
 * failure.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { toHex } from '@pyde/core/bytes';
import type { Address } from '@pyde/core/types';
import type { Cli } from '../cli.ts';
import { openEntry, readKeystore } from '../keystore/index.ts';
import {
  badAnswer,
  quantityOf,
  readingTarget,
  signingTarget,
  type Target,
  type TargetOptions,
  targetOptions,
} from '../network/index.ts';
import { invalidArgs, type JsonValue } from '../output/index.ts';
import type { DefineCommand } from '../program.ts';
import { accountPassword } from '../prompt/index.ts';
import {
  formatAmount,
  parseAmount,
  resolveParty,
  signedTransfer,
  signingAccount,
  submit,
  TRANSFER_GAS,
  waitForInclusion,
} from '../transaction/index.ts';

interface ConsoleOptions extends TargetOptions {
  readonly from?: string;
  readonly passwordStdin?: boolean;
}

const HISTORY_LINES = 1000;
const MAX_LINE_CHARS = 64 * 1024;

export const define: DefineCommand = (command, cli) => {
  targetOptions(command)
    .option('--from <NAME>', 'account that send uses (default: default_account of otigen.toml)')
    .option('--password-stdin', 'the first line of standard input is the password')
    .action((options) => run(cli(), options));
};

const HELP = `balance <ADDR>             PYDE balance
nonce <ADDR>               next nonce
send <RECIPIENT> <AMOUNT>  transfer, in quanta, and wait for the receipt
wave [NUMBER]              newest wave, or the one with that number
help                       this list
exit, quit                 leave`;

const WORDS = ['balance', 'nonce', 'send', 'wave', 'help', 'exit', 'quit'];

async function run(cli: Cli, options: ConsoleOptions): Promise<void> {
  const target = await readingTarget(cli, options);
  const session = new Session(cli, target, options);
  const terminal = cli.isInteractive && options.passwordStdin !== true;
  const history = new History(join(cli.home, '.otigen_console_history'));
  if (terminal) {
    await history.load();
    const where = options.rpcUrl === undefined ? `${target.name} at ` : '';
    cli.output.text(`${where}${target.client.url}; help lists the commands`);
  }
  const lines = terminal ? typedLines(cli.output.paint('cyan', 'pyde> '), history) : pipedLines();
  let waitsForPassword = options.passwordStdin === true;
  try {
    for await (const line of lines) {
      if (waitsForPassword) {
        session.password = line;
        waitsForPassword = false;
        continue;
      }
      try {
        if (await session.answer(line)) break;
      } catch (error) {
        const code = cli.output.failure(error);
        if (!terminal) cli.exitCode = code;
      }
    }
  } finally {
    session.forget();
    if (terminal) await history.save();
  }
}

/**
 * Lines typed at a terminal. The editor is taken down while a line is answered, for the question for
 * a password has the terminal to itself.
 */
async function* typedLines(prompt: string, history: History): AsyncGenerator<string> {
  for (;;) {
    const editor = createInterface({
      input: process.stdin,
      output: process.stdout,
      prompt,
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
      history: [...history.newestFirst],
      completer,
    });
    // Ctrl-C drops a line that was begun, and leaves from an empty one.
    editor.on('SIGINT', () => {
      if (editor.line === '') {
        editor.close();
        return;
      }
      editor.write(null, { ctrl: true, name: 'e' });
      editor.write(null, { ctrl: true, name: 'u' });
    });
    editor.on('history', (entries: string[]) => {
      history.newestFirst = [...entries];
    });
    const line = await new Promise<string | undefined>((resolve) => {
      editor.on('line', resolve);
      editor.on('close', () => resolve(undefined));
      editor.prompt();
    });
    editor.close();
    if (line === undefined) {
      process.stdout.write('\n');
      return;
    }
    yield line;
  }
}

/** Tab: the commands that begin with what stands there. */
function completer(line: string): [string[], string] {
  return [WORDS.filter((word) => word.startsWith(line)).map((word) => `${word} `), line];
}

async function* pipedLines(): AsyncGenerator<string> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  yield* lines;
}

class History {
  readonly #path: string;
  newestFirst: readonly string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    this.newestFirst = lines.slice(-HISTORY_LINES).reverse();
  }

  /** Oldest line first, as shells keep it. */
  async save(): Promise<void> {
    const lines = [...this.newestFirst].reverse();
    await writeFile(this.#path, `${lines.join('\n')}\n`, { mode: 0o600 });
  }
}

class Session {
  readonly #cli: Cli;
  readonly #target: Target;
  readonly #options: ConsoleOptions;
  #secretKey: Uint8Array | undefined;
  password: string | undefined;

  constructor(cli: Cli, target: Target, options: ConsoleOptions) {
    this.#cli = cli;
    this.#target = target;
    this.#options = options;
  }

  /** Answers one line; true when the session is over. */
  async answer(line: string): Promise<boolean> {
    if (line.length > MAX_LINE_CHARS) throw invalidArgs('the line is too long');
    const [word, ...rest] = line.trim().split(/\s+/);
    const [first, second] = rest;
    const takes = (least: number, most: number, usage: string) => {
      if (rest.length < least || rest.length > most) throw invalidArgs(`write: ${usage}`);
    };
    switch (word) {
      case '':
      case undefined:
        return false;
      case 'exit':
      case 'quit':
        return true;
      case 'help':
      case '?':
        this.#cli.output.event('console_help', { help: HELP }, HELP);
        return false;
      case 'balance':
        takes(1, 1, 'balance <ADDR>');
        await this.#balance(first ?? '');
        return false;
      case 'nonce':
        takes(1, 1, 'nonce <ADDR>');
        await this.#nonce(first ?? '');
        return false;
      case 'send':
        takes(2, 2, 'send <RECIPIENT> <AMOUNT>');
        await this.#send(first ?? '', second ?? '');
        return false;
      case 'wave':
        takes(0, 1, 'wave [NUMBER]');
        await this.#wave(first);
        return false;
      default:
        throw invalidArgs(`there is no console command "${word}"`, 'help lists them');
    }
  }

  /** Overwrites the key. */
  forget(): void {
    this.#secretKey?.fill(0);
    this.password = undefined;
  }

  async #balance(who: string): Promise<void> {
    const address = await this.#party(who);
    const balance = await this.#quantity('pyde_getBalance', [toHex(address)]);
    const fields = { address: toHex(address), balance: balance.toString(), verified: false };
    this.#cli.output.event('balance', fields, formatAmount(balance));
  }

  async #nonce(who: string): Promise<void> {
    const address = await this.#party(who);
    const nonce = await this.#quantity('pyde_getTransactionCount', [toHex(address)]);
    const fields = { address: toHex(address), nonce: nonce.toString() };
    this.#cli.output.event('nonce', fields, nonce.toString());
  }

  async #wave(given: string | undefined): Promise<void> {
    const { client } = this.#target;
    const number =
      given === undefined ? await this.#quantity('pyde_waveId', []) : waveNumber(given);
    const answer: JsonValue | undefined = JSON.parse(
      JSON.stringify((await client.call('pyde_getWave', [Number(number)])) ?? null),
    );
    if (answer === null) throw invalidArgs(`there is no wave ${number} yet`);
    if (typeof answer !== 'object') throw badAnswer('pyde_getWave', client.url);
    this.#cli.output.event('wave', { wave: answer }, JSON.stringify(answer, undefined, 2));
  }

  async #send(to: string, amount: string): Promise<void> {
    const name = await this.#cli.account(this.#options.from);
    const keystore = await readKeystore(await this.#cli.keystorePath());
    const entry = keystore.entry(name);
    const recipient = await resolveParty(to, keystore);
    const value = parseAmount(amount);
    const { client, chainId } = await signingTarget(this.#cli, this.#options);
    const account = await signingAccount(client, name, entry.address);
    if (this.#secretKey === undefined) {
      const password = this.password ?? (await accountPassword(this.#cli, name, false));
      this.#secretKey = await openEntry(entry, password);
      this.password = undefined;
    }
    const from = entry.address;
    const transfer = {
      chainId,
      from,
      to: recipient,
      value,
      nonce: account.nonce,
      gasLimit: TRANSFER_GAS,
    };
    const txHash = await submit(client, signedTransfer(transfer, this.#secretKey));
    const { waveId } = await waitForInclusion(client, txHash);
    this.#cli.output.event(
      'send_included',
      { tx_hash: txHash, status: 'success', wave_id: Number(waveId) },
      `${this.#cli.output.paint('green', 'included')} in wave ${waveId}  ${txHash}`,
    );
  }

  async #party(who: string): Promise<Address> {
    const keystore = await readKeystore(await this.#cli.keystorePath());
    return resolveParty(who, keystore, this.#target.client);
  }

  async #quantity(method: string, params: readonly unknown[]): Promise<bigint> {
    const { client } = this.#target;
    return quantityOf(await client.call(method, params), method, client.url);
  }
}

function waveNumber(text: string): bigint {
  if (/^\d{1,15}$/.test(text)) return BigInt(text);
  throw invalidArgs(`"${text}" is not the number of a wave`);
}

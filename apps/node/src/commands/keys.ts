/**
 * `pyde keys`: validator keys, each in a sealed file of its own. What leaves a node takes along what
 * it signed (docs/operators/keys.md), so that no two nodes ever sign against each other.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@pyde/core/bytes';
import { systemRandom } from '@pyde/platform-node';
import {
  type KeyFile,
  markFor,
  newValidatorKey,
  openKeyFile,
  readKeyFile,
  sealKey,
  signedBy,
  signedJson,
  writeKeyFile,
  writeSecretFile,
} from '@pyde/platform-node/keys';
import { Argument, type Command } from 'commander';
import { readNodeConfig } from '../config/index.ts';
import { readGenesisFile } from '../genesis/index.ts';
import { badArguments, table } from '../output/index.ts';
import { forgetKeyMoved, markKeyMoved } from '../process/index.ts';
import { type Cli, examples } from '../program.ts';
import {
  newPassword,
  type PasswordOptions,
  passwordChange,
  passwordOptions,
  presentPassword,
} from './password.ts';

const DEFAULT_KEY = 'validator.key';
const keyArgument = (): Argument => new Argument('[key]', 'the key file').default(DEFAULT_KEY);

export function define(command: Command, cli: Cli): void {
  defineNew(command, cli);
  defineShow(command, cli);
  defineList(command, cli);
  defineExport(command, cli);
  defineImport(command, cli);
  defineChangePassword(command, cli);
}

function defineNew(command: Command, { output }: Cli): void {
  const made = command
    .command('new')
    .description('make a validator key; a file that is there is never written over')
    .addArgument(keyArgument())
    .option('--json', 'one JSON object')
    .action(async (path: string, options: PasswordOptions) => {
      const password = await newPassword(options, path);
      const key = newValidatorKey(systemRandom);
      await writeKeyFile(path, key, password, systemRandom);
      key.secretKey.fill(0);
      const file = await readKeyFile(path);
      output.answer(keyJson(path, file), () => [
        ...keyLines(path, file),
        'Without its password the file is worth nothing: keep both, in two places.',
      ]);
    });
  examples(passwordOptions(made), 'keys new', 'keys new validator.key --password-file password');
}

function defineShow(command: Command, { output }: Cli): void {
  const show = command
    .command('show')
    .description('the public part of a key; with a password, whether the file opens')
    .addArgument(keyArgument())
    .option('--json', 'one JSON object')
    .action(async (path: string, options: PasswordOptions) => {
      const isOpened = options.passwordStdin === true || options.passwordFile !== undefined;
      if (isOpened) {
        const opened = await openKeyFile(path, await presentPassword(options, path));
        opened.secretKey.fill(0);
      }
      const file = await readKeyFile(path);
      output.answer({ ...keyJson(path, file), opened: isOpened }, () => [
        ...keyLines(path, file),
        ...(isOpened ? ['the password opens it'] : []),
      ]);
    });
  examples(passwordOptions(show), 'keys show', 'keys show validator.key --json');
}

function defineList(command: Command, { output }: Cli): void {
  const list = command
    .command('list')
    .description('every key file in a folder')
    .argument('[folder]', 'the folder', '.')
    .option('--json', 'one JSON array')
    .action(async (folder: string) => {
      const files: { path: string; file: KeyFile }[] = [];
      const names = readdirSync(folder).filter((name) => name.endsWith('.key'));
      for (const path of names.sort().map((name) => join(folder, name))) {
        files.push({ path, file: await readKeyFile(path) });
      }
      const json = files.map(({ path, file }) => keyJson(path, file));
      output.answer(json, () =>
        files.length === 0
          ? [`no *.key in ${folder}`]
          : table(files.map(({ path, file }) => [path, toHex(file.address)])),
      );
    });
  examples(list, 'keys list', 'keys list .pyde/localnet/validator-0');
}

function defineExport(command: Command, { output }: Cli): void {
  const exported = command
    .command('export')
    .description('a key together with what it signed, to be imported on another machine')
    .addArgument(keyArgument())
    .option('--node <folder>', 'the folder of the node that used the key; it must be stopped')
    .option('--unused', 'the key has never signed: there is no node to ask')
    .requiredOption('--out <file>', 'the file to make')
    .option('--json', 'one JSON object')
    .action(async (path: string, options: ExportOptions) => {
      if ((options.node === undefined) === (options.unused !== true)) {
        throw badArguments(
          'name the node that used the key with --node, or say --unused when it has never signed',
        );
      }
      const password = await presentPassword(options, path);
      const key = await openKeyFile(path, password);
      const signed =
        options.node === undefined
          ? key.signed
          : await signedBy(options.node, key.publicKey, systemRandom, key.signed);
      if (options.unused === true && signed !== undefined) {
        throw badArguments(`${path} says that its key has signed; name its node with --node`);
      }
      const text = await sealKey({ ...key, signed }, password, systemRandom);
      key.secretKey.fill(0);
      await exportTo(options.out, text, options.node);
      const file = await readKeyFile(options.out);
      output.answer(keyJson(options.out, file), () => [
        ...keyLines(options.out, file),
        ...(options.node === undefined
          ? []
          : [
              `The node in ${options.node} takes part no more: two nodes with one key lose its stake.`,
            ]),
      ]);
    });
  examples(
    passwordOptions(exported),
    'keys export validator.key --node . --out moving.key',
    'keys export spare.key --unused --out moving.key',
  );
}

/** The old node is stopped from signing before the key is anywhere else. */
async function exportTo(out: string, text: string, node: string | undefined): Promise<void> {
  if (node !== undefined) markKeyMoved(node, out);
  try {
    await writeSecretFile(out, text, { replaces: false });
  } catch (error) {
    if (node !== undefined) forgetKeyMoved(node);
    throw error;
  }
}

interface ExportOptions extends PasswordOptions {
  readonly node?: string;
  readonly unused?: boolean;
  readonly out: string;
}

function defineImport(command: Command, { output }: Cli): void {
  const imported = command
    .command('import')
    .description('take a key over; its node signs nothing at or below what it signed elsewhere')
    .argument('<file>', 'what `pyde keys export` made')
    .option('--config <file>', 'the node that shall use it: its key file and chain')
    .option('--out <file>', 'the key file to make, when no node is named')
    .option('--json', 'one JSON object')
    .action(async (from: string, options: ImportOptions) => {
      const path = await importPath(options);
      const password = await presentPassword(options, from);
      const key = await openKeyFile(from, password);
      if (options.config !== undefined) {
        const { chain } = await readNodeConfig(options.config);
        markFor(await readGenesisFile(chain.genesis), key.signed);
      }
      await writeKeyFile(path, key, password, systemRandom);
      key.secretKey.fill(0);
      if (options.config !== undefined) {
        forgetKeyMoved((await readNodeConfig(options.config)).node.folder);
      }
      const file = await readKeyFile(path);
      output.answer(keyJson(path, file), () => keyLines(path, file));
    });
  examples(
    passwordOptions(imported),
    'keys import moving.key --config pyde.toml',
    'keys import moving.key --out validator.key --password-file password',
  );
}

interface ImportOptions extends PasswordOptions {
  readonly config?: string;
  readonly out?: string;
}

async function importPath({ config, out }: ImportOptions): Promise<string> {
  if (out !== undefined) return out;
  if (config === undefined) throw badArguments('say where the key goes: --config or --out');
  const { validator } = await readNodeConfig(config);
  if (validator !== undefined) return validator.key;
  throw badArguments(`${config} names no key: set key in [validator], or pass --out`);
}

function defineChangePassword(command: Command, { output }: Cli): void {
  const changed = command
    .command('change-password')
    .description('seal a key anew; given on standard input, the old and the new one are two lines')
    .addArgument(keyArgument())
    .option('--json', 'one JSON object')
    .action(async (path: string, options: PasswordOptions) => {
      const { present, next } = await passwordChange(options, path);
      const key = await openKeyFile(path, present);
      await writeKeyFile(path, key, next, systemRandom, { replaces: true });
      key.secretKey.fill(0);
      output.answer(keyJson(path, key), () => [`${path} has its new password`]);
    });
  examples(passwordOptions(changed), 'keys change-password validator.key');
}

function keyJson(path: string, { address, publicKey, signed }: KeyFile) {
  return {
    path,
    address: toHex(address),
    public_key: toHex(publicKey),
    signed: signed === undefined ? null : signedJson(signed),
  };
}

function keyLines(path: string, { address, signed }: KeyFile): string[] {
  const mark =
    signed === undefined
      ? 'nothing before it came here'
      : `up to round ${signed.mark.round} of epoch ${signed.mark.epoch} and wave ` +
        `${signed.mark.waveId}, on the chain ${toHex(signed.chain).slice(0, 18)}…`;
  return table([
    ['key', path],
    ['address', toHex(address)],
    ['signed', mark],
  ]);
}

/**
 * `otigen wallet import`: a pasted key pair, a backup (`--from-file`), or the ten devnet accounts
 * (`--from-devnet`, never asks when `--password-stdin` is given).
 */
import { toHex } from '@pyde/core/bytes';
import {
  FALCON_PUBLIC_KEY_BYTES,
  FALCON_SECRET_KEY_BYTES,
  falconPublicKeyOf,
} from '@pyde/core/crypto';
import { InvalidArgumentError } from 'commander';
import type { Cli } from '../../cli.ts';
import {
  alreadyExists,
  changeKeystore,
  checkName,
  DEVNET_ACCOUNT_COUNT,
  DEVNET_PASSWORD,
  devnetEntries,
  type EntryJson,
  entryJson,
  readKeystore,
  sealEntry,
} from '../../keystore/index.ts';
import { Failure, invalidArgs } from '../../output/index.ts';
import type { DefineCommand } from '../../program.ts';
import { newPassword, orAsk, pastedSecret } from '../../prompt/index.ts';
import { hexBytes } from '../message.ts';

interface ImportOptions {
  readonly fromFile?: string;
  readonly fromDevnet?: boolean;
  readonly prefix: string;
  readonly count: number;
  readonly passwordStdin?: boolean;
}

export const define: DefineCommand = (command, cli) => {
  command
    .argument('[NAME]', 'name of the account (not with --from-devnet)')
    .option('--from-file <PATH>', 'restore a backup made by otigen wallet export')
    .option('--from-devnet', 'import the funded devnet accounts; their keys are public')
    .option('--prefix <PREFIX>', 'with --from-devnet: names start with this', 'devnet-')
    .option('--count <N>', 'with --from-devnet: how many', parseCount, DEVNET_ACCOUNT_COUNT)
    .option('--password-stdin', 'read the password from standard input, to its end')
    .action((name, options) => run(cli(), name, options));
};

async function run(cli: Cli, name: string | undefined, options: ImportOptions): Promise<void> {
  if (options.fromDevnet === true && options.fromFile !== undefined) {
    throw invalidArgs('--from-devnet and --from-file exclude each other');
  }
  const keystore = await cli.keystorePath();
  const imported = await entriesToImport(cli, keystore, name, options);
  await changeKeystore(keystore, (accounts) => {
    for (const [account, entry] of imported) accounts.add(account, entry);
  });
  for (const [account, { address }] of imported) {
    cli.output.event(
      'wallet_imported',
      { name: account, address, keystore },
      `${cli.output.paint('green', 'imported')} ${account}  ${address}`,
    );
  }
}

async function entriesToImport(
  cli: Cli,
  keystore: string,
  name: string | undefined,
  options: ImportOptions,
): Promise<ReadonlyMap<string, EntryJson>> {
  const existing = await readKeystore(keystore);
  const requireFree = (account: string): string => {
    if (existing.has(checkName(account))) throw alreadyExists(account, keystore);
    return account;
  };
  if (options.fromDevnet === true) {
    const names = Array.from({ length: options.count }, (_, i) => `${options.prefix}${i}`);
    names.forEach(requireFree);
    return devnetAccounts(cli, names, options);
  }
  if (options.fromFile !== undefined) return backup(options.fromFile, name, requireFree);
  const account = requireFree(await orAsk(cli, name, 'NAME', 'Name of the account'));
  return new Map([[account, await pastedKeys(cli, account, options)]]);
}

async function devnetAccounts(
  cli: Cli,
  names: readonly string[],
  options: ImportOptions,
): Promise<ReadonlyMap<string, EntryJson>> {
  const password = await newPassword(cli, 'the devnet accounts', options.passwordStdin);
  if (password === DEVNET_PASSWORD) return named(names, devnetEntries());
  const { devnetAccounts } = await import('@pyde/platform-node/devnet');
  const sealed: EntryJson[] = [];
  for (const keys of devnetAccounts(names.length)) sealed.push(await sealEntry(keys, password));
  return named(names, sealed);
}

function named(
  names: readonly string[],
  entries: readonly EntryJson[],
): ReadonlyMap<string, EntryJson> {
  return new Map(entries.slice(0, names.length).map((entry, i) => [names[i] ?? '', entry]));
}

/** A backup is a keystore of one account; of several, the one that is named. */
async function backup(
  path: string,
  name: string | undefined,
  requireFree: (name: string) => string,
): Promise<ReadonlyMap<string, EntryJson>> {
  const file = await readKeystore(path, { mustExist: true });
  const [only, ...more] = file.names;
  const source = name !== undefined && file.has(name) ? name : more.length === 0 ? only : undefined;
  if (source === undefined) {
    throw invalidArgs(
      only === undefined ? `${path} holds no account` : `${path} holds several accounts`,
      only === undefined ? 'check the path' : `name one of ${file.names.join(', ')}`,
    );
  }
  const account = requireFree(name ?? source);
  return new Map([[account, entryJson(source, file.json(source))]]);
}

async function pastedKeys(cli: Cli, name: string, options: ImportOptions): Promise<EntryJson> {
  if (!cli.isInteractive) {
    throw invalidArgs(
      'there is no terminal to paste the keys into',
      'pass --from-file <PATH> or --from-devnet',
    );
  }
  const pasted = await orAsk(cli, undefined, 'the public key', 'Public key (0x…)');
  const publicKey = hexBytes(pasted, 'public key', { exactBytes: FALCON_PUBLIC_KEY_BYTES });
  const secret = await pastedSecret(cli, 'Secret key (0x…, not shown)');
  const secretKey = hexBytes(secret, 'secret key', { exactBytes: FALCON_SECRET_KEY_BYTES });
  if (toHex(falconPublicKeyOf(secretKey)) !== toHex(publicKey)) {
    throw new Failure('wallet', 'KeyMismatch', 'the secret key is that of another public key');
  }
  const password = await newPassword(cli, name, options.passwordStdin);
  const entry = await sealEntry({ publicKey, secretKey }, password);
  secretKey.fill(0);
  return entry;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= DEVNET_ACCOUNT_COUNT) return count;
  throw new InvalidArgumentError(`A count is 1 to ${DEVNET_ACCOUNT_COUNT}.`);
}

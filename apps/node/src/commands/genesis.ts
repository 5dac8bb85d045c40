/** `pyde genesis`: contributions of validators, gathered into what a chain starts from. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromHex, isPydeError, toHex, U128_MAX } from '@pyde/core/bytes';
import { ADDRESS_BYTES, encodeGenesis, genesisHash, toAddress, toQuanta } from '@pyde/core/types';
import { systemRandom } from '@pyde/platform-node';
import { openKeyFile, validatorSigner } from '@pyde/platform-node/keys';
import { type Command, InvalidArgumentError } from 'commander';
import { isAddress } from '../config/index.ts';
import {
  buildGenesis,
  genesisJson,
  genesisLines,
  readGenesisFile,
  writeContribution,
} from '../genesis/index.ts';
import { type Cli, examples } from '../program.ts';
import { type PasswordOptions, passwordOptions, presentPassword } from './password.ts';

export function define(command: Command, cli: Cli): void {
  defineContribute(command);
  defineBuild(command, cli);
  defineShow(command, cli);
}

interface ContributeOptions extends PasswordOptions {
  readonly key: string;
  readonly network: string;
  readonly operator: Uint8Array;
  readonly stake: bigint;
  readonly address: readonly string[];
}

function defineContribute(command: Command): void {
  const contribute = command
    .command('contribute')
    .description("a validator's signed part of a genesis, on standard output")
    .requiredOption('--key <file>', "the validator's key file")
    .requiredOption('--network <name>', 'the network, as [chain] name of its genesis.toml')
    .requiredOption('--operator <address>', 'the account that the stake belongs to', account)
    .requiredOption('--stake <quanta>', 'what the validator puts in', amount)
    .requiredOption(
      '--address <multiaddr>',
      'where others find it, or its sentries; may be given eight times',
      addresses,
    )
    .action(async (options: ContributeOptions) => {
      const password = await presentPassword(options, options.key);
      const key = await openKeyFile(options.key, password);
      const signer = validatorSigner(key, systemRandom);
      const contribution = {
        network: options.network,
        publicKey: key.publicKey,
        operator: toAddress(options.operator),
        stake: toQuanta(options.stake),
        addresses: options.address,
      };
      process.stdout.write(writeContribution(contribution, (digest) => signer.sign(digest)));
      key.secretKey.fill(0);
    });
  examples(
    passwordOptions(contribute),
    'genesis contribute --key validator.key --network pyde-test --operator 0x… --stake ' +
      '10_000_000_000_000 --address /ip4/203.0.113.7/tcp/10933 > me.json',
  );
}

interface BuildOptions {
  readonly config: string;
  readonly contributions?: string;
  readonly out: string;
  readonly peers?: string;
}

function defineBuild(command: Command, { output }: Cli): void {
  const build = command
    .command('build')
    .description('a genesis from a TOML file and the contributions in a folder')
    .requiredOption('--config <file>', 'parameters, allocations, names, and validators')
    .option('--contributions <folder>', 'one *.json of each validator')
    .option('--out <file>', 'the genesis to write', 'genesis.bin')
    .option('--peers <file>', 'where validators are found (default: peers.toml beside --out)')
    .option('--json', 'one JSON object')
    .addHelpText('after', '\nThe same files give the same genesis, byte for byte.')
    .action(async (options: BuildOptions) => {
      const { genesis, seeds } = await buildGenesis(options.config, options.contributions);
      const peers = options.peers ?? join(dirname(options.out), 'peers.toml');
      writeFileSync(options.out, encodeGenesis(genesis));
      writeFileSync(peers, peersToml(seeds));
      const hash = toHex(genesisHash(genesis));
      const { length } = genesis.validators;
      const json = { genesis: options.out, hash, validators: length, peers, seeds };
      output.answer(json, () => [
        `${options.out}: ${length} validators, genesis ${hash}`,
        `${peers}: ${seeds.length} addresses, for [network] of pyde.toml`,
      ]);
    });
  examples(
    build,
    'genesis build --config genesis.toml --contributions contributions --out genesis.bin',
  );
}

function defineShow(command: Command, { output }: Cli): void {
  const show = command
    .command('show')
    .description('what a chain starts from')
    .argument('<file>', 'the genesis')
    .option('--json', 'one JSON object')
    .action(async (path: string) => {
      const genesis = await readGenesisFile(path);
      output.answer(genesisJson(genesis), () => genesisLines(genesis));
    });
  examples(show, 'genesis show genesis.bin', 'genesis show .pyde/localnet/genesis.bin --json');
}

function peersToml(seeds: readonly string[]): string {
  const lines = seeds.map((seed) => `  ${JSON.stringify(seed)},\n`).join('');
  return `# Where the validators of this genesis are found: for pyde.toml.\n[network]\nseeds = [\n${lines}]\n`;
}

function account(text: string): Uint8Array {
  try {
    return fromHex(text, { exactBytes: ADDRESS_BYTES });
  } catch (error) {
    if (isPydeError(error)) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function amount(text: string): bigint {
  if (/^\d[\d_]{0,50}$/.test(text)) {
    const value = BigInt(text.replaceAll('_', ''));
    if (value > 0n && value <= U128_MAX) return value;
  }
  throw new InvalidArgumentError('Write a whole number of quanta.');
}

function addresses(text: string, before: readonly string[] = []): readonly string[] {
  if (isAddress(text)) return [...before, text];
  throw new InvalidArgumentError('Write a multiaddr, such as /ip4/203.0.113.7/tcp/10933.');
}

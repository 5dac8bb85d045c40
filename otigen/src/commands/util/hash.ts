/** `otigen util hash <poseidon2|blake3|keccak256> <hex>`. */
import { toHex } from '@pyde/core/bytes';
import { blake3, keccak256, poseidon2 } from '@pyde/core/crypto';
import { Argument } from 'commander';
import type { Cli } from '../../cli.ts';
import type { DefineCommand } from '../../program.ts';
import { hexInput } from './hex-input.ts';

const HASHES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  poseidon2,
  blake3: (bytes) => blake3(bytes),
  keccak256,
};

export const define: DefineCommand = (command, cli) => {
  command
    .addArgument(new Argument('<ALGORITHM>', 'which hash').choices(Object.keys(HASHES)))
    .argument('<HEX>', 'the bytes; - reads hex from standard input')
    .action((algorithm, hex) => run(cli(), algorithm, hex));
};

async function run(cli: Cli, algorithm: string, hex: string): Promise<void> {
  const hash = HASHES[algorithm];
  if (hash === undefined) throw new Error(`no hash ${algorithm} although it was a choice`);
  const digest = toHex(hash(await hexInput(hex, 'HEX')));
  cli.output.event('util_hash', { algorithm, digest }, digest);
}

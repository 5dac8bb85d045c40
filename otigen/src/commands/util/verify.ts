/**
 * `otigen util verify --pubkey --message --signature`: exit code 0 when valid, 1 when not. A message
 * that starts with 0x is taken as hex, as everywhere under `util`, unless `--text` is given.
 */
import { FALCON_PUBLIC_KEY_BYTES } from '@pyde/core/crypto';
import type { Cli } from '../../cli.ts';
import type { DefineCommand } from '../../program.ts';
import { hexBytes, messageBytes } from '../message.ts';
import { answerVerdict } from '../verdict.ts';

interface VerifyOptions {
  readonly pubkey: string;
  readonly message: string;
  readonly signature: string;
  readonly text?: boolean;
  readonly hex?: boolean;
}

export const define: DefineCommand = (command, cli) => {
  command
    .requiredOption('--pubkey <HEX>', 'FALCON-512 public key')
    .requiredOption('--message <MESSAGE>', 'what was signed: hex when it starts with 0x, else text')
    .requiredOption('--signature <HEX>', 'the signature, in any of the three encodings')
    .option('--text', 'take the message as text even if it starts with 0x')
    .option('--hex', 'take the message as hex even without 0x')
    .action((options) => run(cli(), options));
};

function run(cli: Cli, options: VerifyOptions): void {
  const startsAsHex = options.message.startsWith('0x') && options.text !== true;
  answerVerdict(cli, 'util_verified', {
    publicKey: hexBytes(options.pubkey, '--pubkey', { exactBytes: FALCON_PUBLIC_KEY_BYTES }),
    message: messageBytes(options.message, startsAsHex || options.hex === true),
    signature: options.signature,
    fields: {},
  });
}

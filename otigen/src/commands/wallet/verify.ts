/** `otigen wallet verify [NAME] --message M --signature S`: exit code 0 when valid, 1 when not. */
import { FALCON_PUBLIC_KEY_BYTES } from '@pyde/core/crypto';
import type { Cli } from '../../cli.ts';
import { readKeystore } from '../../keystore/index.ts';
import { invalidArgs } from '../../output/index.ts';
import type { DefineCommand } from '../../program.ts';
import { hexBytes, messageBytes } from '../message.ts';
import { answerVerdict } from '../verdict.ts';

interface VerifyOptions {
  readonly message: string;
  readonly signature: string;
  readonly pubkey?: string;
  readonly hex?: boolean;
}

export const define: DefineCommand = (command, cli) => {
  command
    .argument('[NAME]', 'account of the keystore that is said to have signed')
    .option('--pubkey <HEX>', 'public key that is said to have signed, instead of NAME')
    .requiredOption('-m, --message <MESSAGE>', 'what was signed')
    .requiredOption('--signature <HEX>', 'the signature, in any of the three encodings')
    .option('--hex', 'the message is hex, with or without 0x')
    .action((name, options) => run(cli(), name, options));
};

async function run(cli: Cli, name: string | undefined, options: VerifyOptions): Promise<void> {
  const message = messageBytes(options.message, options.hex === true);
  answerVerdict(cli, 'wallet_verified', {
    publicKey: await publicKeyOf(cli, name, options.pubkey),
    message,
    signature: options.signature,
    fields: name === undefined ? {} : { name },
  });
}

async function publicKeyOf(
  cli: Cli,
  name: string | undefined,
  pubkey: string | undefined,
): Promise<Uint8Array> {
  if (name !== undefined && pubkey === undefined) {
    return (await readKeystore(await cli.keystorePath())).entry(name).publicKey;
  }
  if (name === undefined && pubkey !== undefined) {
    return hexBytes(pubkey, '--pubkey', { exactBytes: FALCON_PUBLIC_KEY_BYTES });
  }
  throw invalidArgs('either NAME or --pubkey says who signed', 'pass one of them');
}

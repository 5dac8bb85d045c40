/** `otigen util address <pubkey hex>`. */
import { toHex } from '@pyde/core/bytes';
import { eoaAddress, FALCON_PUBLIC_KEY_BYTES, isFalconPublicKey } from '@pyde/core/crypto';
import type { Cli } from '../../cli.ts';
import { invalidArgs } from '../../output/index.ts';
import type { DefineCommand } from '../../program.ts';
import { hexBytes } from '../message.ts';

export const define: DefineCommand = (command, cli) => {
  command
    .argument('<PUBKEY>', 'FALCON-512 public key, 897 bytes as hex')
    .action((pubkey) => run(cli(), pubkey));
};

function run(cli: Cli, pubkey: string): void {
  const publicKey = hexBytes(pubkey, 'PUBKEY', { exactBytes: FALCON_PUBLIC_KEY_BYTES });
  if (!isFalconPublicKey(publicKey)) {
    throw invalidArgs(
      'PUBKEY: these bytes are no FALCON-512 public key',
      'it starts with 0x09; check that nothing was cut',
    );
  }
  const address = toHex(eoaAddress(publicKey));
  cli.output.event('util_address', { address }, address);
}

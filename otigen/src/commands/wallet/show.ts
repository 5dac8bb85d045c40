/** `otigen wallet show NAME`: address and public key; no password. */
import { toHex } from '@pyde/core/bytes';
import type { Cli } from '../../cli.ts';
import { readKeystore } from '../../keystore/index.ts';
import type { DefineCommand } from '../../program.ts';

export const define: DefineCommand = (command, cli) => {
  command.argument('<NAME>', 'name of the account').action((name) => run(cli(), name));
};

async function run(cli: Cli, name: string): Promise<void> {
  const keystore = await readKeystore(await cli.keystorePath());
  const entry = keystore.entry(name);
  const address = toHex(entry.address);
  const pubkey = toHex(entry.publicKey);
  cli.output.event(
    'wallet_shown',
    { name, address, keystore: keystore.path, pubkey },
    `name     ${name}\naddress  ${address}\npubkey   ${pubkey}`,
  );
}

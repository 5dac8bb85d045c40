/**
 * What a chain that was started on this machine leaves with its user, whichever command started it:
 * its genesis among those that `balance --verify` believes, and the devnet accounts in the keystore.
 */
import type { Genesis } from '@pyde/core/types';
import { Cli } from './cli.ts';
import { importDevnetAccounts } from './keystore/index.ts';
import { Output } from './output/index.ts';
import { acceptGenesis } from './trust/index.ts';

/**
 * @param source where the genesis came from, for people
 * @returns the keystore, and the names that were not in it before
 */
export async function adoptLocalChain(
  genesis: Genesis,
  source: string,
): Promise<{ readonly keystore: string; readonly names: readonly string[] }> {
  const output = { json: false, quiet: true, verbosity: 0 };
  const options = { ...output, network: undefined, keystore: undefined, config: undefined };
  const cli = new Cli(options, new Output(output));
  await acceptGenesis(cli, genesis, source);
  const keystore = cli.pydePath('keystore.json');
  return { keystore, names: await importDevnetAccounts(keystore) };
}

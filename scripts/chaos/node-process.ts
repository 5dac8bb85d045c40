/**
 * `pyde node --validator` in a script of its own, with something about it changed; it stops when its
 * standard input ends, or at SIGTERM.
 */
import { systemRandom } from '@pyde/platform-node';
import { openKeyFile, validatorSigner } from '@pyde/platform-node/keys';
import { openLog } from '@pyde/platform-node/operation';
import { passwordOfFile } from '../../apps/node/src/commands/password.ts';
import { type NodeConfig, readNodeConfig } from '../../apps/node/src/config/index.ts';
import { type RunNodeOptions, runNode } from '../../apps/node/src/node/index.ts';

/** @param path of its pyde.toml, which names a password file */
export async function runChanged(
  path: string,
  changed: Pick<RunNodeOptions, 'disguise' | 'networkRules'>,
): Promise<void> {
  const config = await readNodeConfig(path);
  const { file } = config.log;
  const log = await openLog({ level: 'info', ...(file === undefined ? {} : { file }) });
  const node = await runNode({
    config,
    password: () => passwordOf(config),
    isRestored: false,
    logger: log.logger,
    ...changed,
  });
  const { promise: ordered, resolve } = Promise.withResolvers<void>();
  process.stdin.once('close', () => resolve()).resume();
  process.once('SIGTERM', () => resolve());
  await Promise.race([ordered, node.closed]);
  await node.stop();
  await log.close();
  process.exit(0);
}

/** The signer of the validator whose settings these are. */
export async function signerOf(path: string) {
  const config = await readNodeConfig(path);
  const key = config.validator?.key ?? '';
  return validatorSigner(await openKeyFile(key, await passwordOf(config)), systemRandom);
}

async function passwordOf({ path, validator }: NodeConfig): Promise<string> {
  if (validator?.passwordFile === undefined) throw new Error(`${path} names no password file`);
  return passwordOfFile(validator.passwordFile);
}

/** `otigen wallet list`: names and addresses; nothing is decrypted. */
import * as v from 'valibot';
import type { Cli } from '../../cli.ts';
import { readKeystore } from '../../keystore/index.ts';
import { type JsonValue, printable } from '../../output/index.ts';
import type { DefineCommand } from '../../program.ts';

export const define: DefineCommand = (command, cli) => {
  command.action(() => run(cli()));
};

async function run(cli: Cli): Promise<void> {
  const path = await cli.keystorePath();
  const keystore = await readKeystore(path);
  const accounts: JsonValue[] = [];
  const lines: string[] = [];
  const width = Math.max(4, ...keystore.names.map((name) => name.length));
  for (const name of keystore.names) {
    const address = listedAddress(keystore.json(name));
    if (address === undefined) {
      lines.push(
        `${printable(name).padEnd(width)}  damaged, see otigen wallet show ${printable(name)}`,
      );
    } else {
      accounts.push({ name, address });
      lines.push(`${printable(name).padEnd(width)}  ${address}`);
    }
  }
  if (lines.length === 0) lines.push(`no accounts in ${path}; make one with otigen wallet new`);
  cli.output.event('wallet_listed', { keystore: path, accounts }, lines.join('\n'));
}

/** The address as the file has it: proving that it is the key's is left to the use of the entry. */
function listedAddress(entry: unknown): string | undefined {
  const shape = v.safeParse(
    v.looseObject({ address: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{64}$/)) }),
    entry,
  );
  return shape.success ? shape.output.address : undefined;
}

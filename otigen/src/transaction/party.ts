/** Who a person means: an address, an account of the keystore, or a name registered on the chain. */
import { isName } from '@pyde/core/account';
import { fromHex, isPydeError } from '@pyde/core/bytes';
import { type Address, toAddress } from '@pyde/core/types';
import type { RpcClient } from '@pyde/platform-node/client';
import type { Keystore } from '../keystore/index.ts';
import { badAnswer } from '../network/index.ts';
import { Failure, invalidArgs } from '../output/index.ts';

/** `0x` and 64 hex digits. @throws Failure `InvalidArgs` */
export function parseAddress(text: string): Address {
  try {
    return toAddress(fromHex(text, { exactBytes: 32 }));
  } catch (error) {
    if (!isPydeError(error)) throw error;
    throw invalidArgs(
      `"${text}" is not an address: ${error.message}`,
      'an address is 0x and 64 digits',
    );
  }
}

/**
 * The address of `text`. A name is looked up in the keystore first, so that nobody can take a
 * payment by registering the name of somebody's account; then, given a client, on the chain.
 * @throws Failure `InvalidArgs`, `UnknownName`
 */
export async function resolveParty(
  text: string,
  keystore: Keystore,
  client?: RpcClient,
): Promise<Address> {
  if (text.startsWith('0x')) return parseAddress(text);
  if (keystore.has(text)) return keystore.entry(text).address;
  const mayBeOnChain = client !== undefined && isName(text);
  const answer = mayBeOnChain ? await client.call('pyde_resolveName', [text]) : null;
  if (typeof answer === 'string') return parseAddress(answer);
  if (client !== undefined && answer !== null) throw badAnswer('pyde_resolveName', client.url);
  const where = client === undefined ? 'in the keystore' : 'in the keystore or on the chain';
  throw new Failure('wallet', 'UnknownName', `there is no account "${text}" ${where}`, {
    details: { keystore: keystore.path },
    next: 'pass a 0x address, or otigen wallet list',
  });
}

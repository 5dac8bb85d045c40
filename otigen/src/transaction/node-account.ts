/** What a node says of an account (`pyde_getAccount`, spec/rpc.md), read as from a stranger. */
import { toHex } from '@pyde/core/bytes';
import { type Address, type Nonce, type Quanta, toNonce, toQuanta } from '@pyde/core/types';
import type { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';
import { badAnswer, quantityOf } from '../network/index.ts';
import { Failure } from '../output/index.ts';

export interface NodeAccount {
  /** The low edge of the nonce window: the next nonce to use. */
  readonly nonce: Nonce;
  readonly balance: Quanta;
  /** Whether the account has a key that its transactions are checked against. */
  readonly hasKeys: boolean;
}

const AccountJson = v.looseObject({
  nonce: v.string(),
  balance: v.string(),
  auth_keys: v.string(),
});

/** An account nobody has used is all zeros. */
export async function nodeAccount(client: RpcClient, address: Address): Promise<NodeAccount> {
  const answer = await client.call('pyde_getAccount', [toHex(address)]);
  const account = v.safeParse(AccountJson, answer);
  if (!account.success) throw badAnswer('pyde_getAccount', client.url);
  const { nonce, balance, auth_keys } = account.output;
  return {
    nonce: toNonce(quantityOf(nonce, 'pyde_getAccount nonce', client.url)),
    balance: toQuanta(quantityOf(balance, 'pyde_getAccount balance', client.url)),
    // AuthKeys in Borsh: the tag of None is a zero byte.
    hasKeys: !['0x', '0x00'].includes(auth_keys),
  };
}

/**
 * The account of the keystore's `name`, which is about to sign.
 * @throws Failure `NotRegistered` when the chain has no key to check its signature against
 */
export async function signingAccount(
  client: RpcClient,
  name: string,
  address: Address,
): Promise<NodeAccount> {
  const account = await nodeAccount(client, address);
  if (account.hasKeys) return account;
  throw new Failure('authorization', 'NotRegistered', `the key of "${name}" is not on the chain`, {
    details: { address: toHex(address) },
    next: `otigen wallet register ${name}`,
  });
}

/** What a node says of an account (`pyde_getAccount`, spec/rpc.md), read as from a stranger. */
import { toHex } from '@pyde/core/bytes';
import { type Address, type Nonce, type Quanta, toNonce, toQuanta } from '@pyde/core/types';
import type { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';
import { badAnswer, quantityOf } from '../network/index.ts';

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

/**
 * The devnet's keys (spec/wire.md, "Addresses"). All of them are public knowledge: whoever knows
 * the seed text can derive them, so nothing of worth may ever lie on such an account.
 */
import { PydeError, u64LittleEndian } from '@pyde/core/bytes';
import { blake3, eoaAddress, type FalconKeyPair, falconKeygen } from '@pyde/core/crypto';
import { type Address, toAddress } from '@pyde/core/types';
import constants from './devnet-keys.json' with { type: 'json' };

export interface DevnetKey extends FalconKeyPair {
  readonly address: Address;
}

export const MAX_DEVNET_ACCOUNTS = 1000;

function derive(seedText: string, index: bigint): DevnetKey {
  const seed = blake3(new TextEncoder().encode(seedText), u64LittleEndian(index));
  return withAddress(falconKeygen(seed));
}

function withAddress(pair: FalconKeyPair): DevnetKey {
  return { ...pair, address: toAddress(eoaAddress(pair.publicKey)) };
}

function fromConstants(row: { readonly publicKey: string; readonly secretKey: string }): DevnetKey {
  return withAddress({
    publicKey: new Uint8Array(Buffer.from(row.publicKey, 'hex')),
    secretKey: new Uint8Array(Buffer.from(row.secretKey, 'hex')),
  });
}

/** Account i by its definition; about 150 ms. */
export function deriveDevnetAccount(i: number): DevnetKey {
  return derive('pyde-devnet-v1/', BigInt(i));
}

/** The validator of a devnet with this seed; about 150 ms. */
export function deriveDevnetValidator(seed: bigint): DevnetKey {
  return derive('pyde-devnet-validator-v1/', seed);
}

/** The first `count` accounts; the first ten come from checked constants, more are derived. */
export function devnetAccounts(count: number): DevnetKey[] {
  if (!Number.isInteger(count) || count < 0 || count > MAX_DEVNET_ACCOUNTS) {
    throw new PydeError(
      'devnet.prefund-count',
      `prefund between 0 and ${MAX_DEVNET_ACCOUNTS} accounts`,
      {
        count,
      },
    );
  }
  return Array.from({ length: count }, (_, i) => {
    const row = constants.accounts[i];
    return row === undefined ? deriveDevnetAccount(i) : fromConstants(row);
  });
}

/** The validator's key: a checked constant without a seed, else derived from it. */
export function devnetValidator(seed: bigint | undefined): DevnetKey {
  return seed === undefined || seed === 0n
    ? fromConstants(constants.validator)
    : deriveDevnetValidator(seed);
}
